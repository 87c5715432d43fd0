"""Changing a request: editing it, moving it from state to state, its fee and voucher.

As in ``core.requests.counter`` each function is the work of one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select, update

from core.identifiers import RIAL_STEP
from core.requests import announce
from core.requests.counter import (
    Counter,
    RequestError,
    check_others,
    check_tracking,
    note_step,
)
from core.requests.fields import FieldError, checked_fields, checked_text
from core.requests.kinds import FeeKind, RequestKind, Services, Words
from core.requests.rows import Request, fields_json
from core.requests.states import EDITABLE, MOVES, RequestState, may_follow
from core.tables import requests, subscribers
from core.text import group

EDITED: Final = "edited"
"""What an edit goes by in ``Services.state_titles``: no state, but something that was done."""


class _Found(NamedTuple):
    """A request that is to be changed."""

    request: Request
    number: str
    """Of its subscription, ``""`` for none."""
    kind: RequestKind


def edit(
    connection: Connection,
    counter: Counter,
    tracking: str,
    fields: Mapping[str, str],
    text: str | None = None,
) -> Request:
    """Change what was filled in, before the company is at work on it.

    An optional field that is set to nothing goes. Raises ``RequestError``.
    """
    found = _find(connection, counter, tracking)
    request, kind = found.request, found.kind
    if RequestState(request.state) not in EDITABLE:
        raise RequestError(f"{tracking} is {request.state}: it can be edited no more")
    optional = {field.name for field in kind.fields if not field.required}
    gone = {name for name, value in fields.items() if name in optional and not value.strip()}
    given = {name: value for name, value in fields.items() if name not in gone}
    try:
        values = {**request.values, **checked_fields(kind, given, need=())}
        words = request.text if text is None else checked_text(text)
    except FieldError as error:
        raise RequestError(str(error)) from None
    if kind.words is Words.NEEDED and not words:
        raise RequestError(f"{kind.key} needs a text: what it is about")
    check_others(connection, counter.utility, kind, given)
    left = {name: value for name, value in values.items() if name not in gone}
    titles = [field.title for field in kind.fields if field.name in fields]
    note = ": ".join((counter.services.state_title(EDITED), "، ".join(titles)))
    return _change(
        connection, counter, found, note.rstrip(": "), fields=fields_json(left), text=words
    )


def move(
    connection: Connection, counter: Counter, tracking: str, state: RequestState, note: str = ""
) -> Request:
    """Put a request into another state; ``note`` is told to who asked for it.

    Raises ``RequestError``. The fee has functions of its own: ``announce_fee``, ``issue_voucher``.
    """
    found = _find(connection, counter, tracking)
    if state is RequestState.VOUCHER_ISSUED:
        raise RequestError("a voucher needs an amount: use `peyk request fee`")
    if state is RequestState.FEE_ANNOUNCED and not found.request.fee:
        raise RequestError("the fee is not known yet: use `peyk request fee`")
    _check_move(found, state)
    values: dict[str, Any] = {"state": state.value}
    if state is RequestState.PAID:
        values["paid_at"] = counter.now
    if state in {RequestState.REJECTED, RequestState.CANCELLED} and not found.request.paid_at:
        values["payment_id"] = None  # its voucher is to be paid no more
    return _change(connection, counter, found, note, **values)


def announce_fee(
    connection: Connection, counter: Counter, tracking: str, amount: int, note: str = ""
) -> Request:
    """Tell what a request costs, in rial, before it can be paid. Raises ``RequestError``."""
    found = _find(connection, counter, tracking)
    _check_fee(found, amount)
    _check_move(found, RequestState.FEE_ANNOUNCED)
    values = {"fee": amount, "bill_id": None, "payment_id": None}
    return _change(
        connection, counter, found, note, state=RequestState.FEE_ANNOUNCED.value, **values
    )


def issue_voucher(
    connection: Connection,
    counter: Counter,
    tracking: str,
    amount: int | None = None,
    account: str = "",
) -> Request:
    """Issue a request's voucher (فیش): account, bill ID, payment ID and amount.

    Without an amount it is the fee that is known. A voucher that is not paid is replaced.
    Raises ``RequestError``.
    """
    found = _find(connection, counter, tracking)
    request, terms = found.request, counter.services.voucher
    fee = request.fee if amount is None else amount
    if fee is None:
        raise RequestError(f"the fee of {tracking} is not known yet: say the amount")
    _check_fee(found, fee)
    if request.state != RequestState.VOUCHER_ISSUED:
        _check_move(found, RequestState.VOUCHER_ISSUED)
    if terms is None:
        raise RequestError("services.toml has no [voucher] table: which account do fees go to?")
    try:
        voucher = announce.voucher(request.tracking, fee, terms)
    except ValueError as error:
        raise RequestError(str(error)) from None
    if not voucher.payment_id:
        raise RequestError(f"{fee:,} rial do not fit a payment ID: pay it in several requests")
    return _change(
        connection,
        counter,
        found,
        "",
        state=RequestState.VOUCHER_ISSUED.value,
        fee=fee,
        account=account or found.kind.account or terms.account,
        bill_id=voucher.bill_id,
        payment_id=voucher.payment_id,
    )


def book_fee(
    connection: Connection, counter: Counter, request_id: int, amount: int, note: str = ""
) -> bool:
    """Note that a bank has booked ``amount`` rial for a request; once, however often it is told.

    A request that was given up meanwhile, or costs something else by now, stays where it is:
    its payment is a case for a person.
    """
    row = connection.execute(_BY_ID.where(requests.c.id == request_id)).one_or_none()
    if row is None:
        return False
    found = _as_found(counter.services, row)
    request = found.request
    if request.paid_at is not None:
        return False
    values: dict[str, Any] = {"paid_at": counter.now}
    if request.fee == amount and RequestState.PAID in MOVES[RequestState(request.state)]:
        values["state"] = RequestState.PAID.value
    else:
        note = note or f"{group(amount)} ریال پرداخت شد"
    _change(connection, counter, found, note, **values)
    return True


# --- underneath ---------------------------------------------------------------------

_BY_ID = (
    select(*(requests.c[name] for name in Request._fields), subscribers.c.number)
    .select_from(requests.outerjoin(subscribers, subscribers.c.id == requests.c.subscriber_id))
    .with_for_update(of=requests)
)


def _find(connection: Connection, counter: Counter, tracking: str) -> _Found:
    digits = check_tracking(tracking)
    row = connection.execute(
        _BY_ID.where(requests.c.utility == counter.utility, requests.c.tracking == digits)
    ).one_or_none()
    if row is None:
        raise RequestError(f"{counter.utility} has no request {digits}")
    return _as_found(counter.services, row)


def _as_found(services: Services, row: Any) -> _Found:
    *values, number = row
    request = Request._make(values)
    kind = services.kinds.get(request.kind)
    if kind is None:
        # A kind that is no longer offered: what is under way is brought to its end.
        kind = RequestKind(request.kind, request.kind, states=tuple(RequestState))
    return _Found(request, number or "", kind)


def _check_move(found: _Found, state: RequestState) -> None:
    now = RequestState(found.request.state)
    if not may_follow(now, state, found.kind.allowed):
        after = sorted(new for new in MOVES[now] if new in found.kind.allowed)
        may = f"after {now} may come {', '.join(after)}" if after else f"{now} is the end of it"
        raise RequestError(f"{found.request.tracking} cannot become {state}: {may}")


def _check_fee(found: _Found, amount: int) -> None:
    if found.kind.fee is FeeKind.NONE:
        raise RequestError(f"{found.kind.key} has no fee")
    if amount <= 0 or amount % RIAL_STEP:
        raise RequestError(f"{amount:,} rial: a fee is whole thousands of rial, above zero")


def _change(
    connection: Connection, counter: Counter, found: _Found, note: str, **values: Any
) -> Request:
    request = found.request._replace(**values, changed_at=counter.now)
    connection.execute(
        update(requests).where(requests.c.id == request.id).values(**values, changed_at=counter.now)
    )
    event = announce.changed(request, counter.services, found.number, note)
    note_step(connection, counter, request, note, event)
    return request
