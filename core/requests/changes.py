"""Changing a request: editing it, moving it from state to state, its fee and voucher.

As in ``core.requests.counter`` each function is the work of one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, update

from core.identifiers import RIAL_STEP
from core.requests import announce
from core.requests.counter import (
    Counter,
    RequestError,
    check_days,
    check_others,
    check_words,
    checked_mobile,
    hold,
    note_step,
)
from core.requests.fields import FieldError, checked_fields, checked_text
from core.requests.kinds import FeeKind, FieldType, RequestKind, Services
from core.requests.rows import WITH_NUMBER, Request, fields_json
from core.requests.states import EDITABLE, MOVES, RequestState, may_follow
from core.tables import requests
from core.text import group

EDITED: Final = "edited"
"""What an edit goes by in ``Services.state_titles``: no state, but something that was done."""


class _Found(NamedTuple):
    """A request that is to be changed."""

    request: Request
    number: str
    """Of its subscription, ``""`` for none."""
    kind: RequestKind


def edit(  # noqa: PLR0913 - what may be changed of a request
    connection: Connection,
    counter: Counter,
    tracking: str,
    fields: Mapping[str, str],
    text: str | None = None,
    *,
    mobile: str | None = None,
) -> Request:
    """Change what was filled in, before the company is at work on it.

    An optional field that is set to nothing goes. ``mobile``: whom to tell, ``""``: nobody; where
    it was the kind's own field of a mobile, it changes with that. Raises ``RequestError``.
    """
    found = _find(connection, counter, tracking)
    request, kind = found.request, found.kind
    if RequestState(request.state) not in EDITABLE:
        words = f"{tracking} is {request.state}: it can be edited no more"
        raise RequestError(words, "not_editable")
    optional = {field.name for field in kind.fields if not field.required}
    gone = {name for name, value in fields.items() if name in optional and not value.strip()}
    given = {name: value for name, value in fields.items() if name not in gone}
    try:
        values = {**request.values, **checked_fields(kind, given, need=())}
        words = request.text if text is None else checked_text(text)
    except FieldError as error:
        raise RequestError(str(error), error.key, error.place) from None
    check_words(kind, words)
    check_others(connection, counter.utility, kind, given)
    check_days(kind, {name: values[name] for name in given}, counter.now)
    left = {name: value for name, value in values.items() if name not in gone}
    titles = [field.title for field in kind.fields if field.name in fields]
    note = ": ".join((counter.services.state_title(EDITED), "، ".join(titles)))
    changed: dict[str, Any] = {"fields": fields_json(left), "text": words}
    told = _told(found, left, mobile)
    if told != request.mobile:
        changed["mobile"] = told
    return _change(connection, counter, found, note.rstrip(": "), **changed)


def _told(found: _Found, values: Mapping[str, str], said: str | None) -> str | None:
    """Whom to tell of an edited request."""
    mobile = found.request.mobile
    if said is not None:
        return checked_mobile(said) if said.strip() else None
    field = found.kind.field_of(FieldType.MOBILE)
    if field is not None and found.request.values.get(field.name) == mobile:
        return values.get(field.name)
    return mobile


def move(
    connection: Connection, counter: Counter, tracking: str, state: RequestState, note: str = ""
) -> Request:
    """Put a request into another state; ``note`` is told to who asked for it.

    Raises ``RequestError``. The fee has functions of its own: ``announce_fee``, ``issue_voucher``.
    """
    found = _find(connection, counter, tracking)
    if state is RequestState.VOUCHER_ISSUED:
        raise RequestError("a voucher needs an amount: use `peyk request fee`", "fee", "state")
    if state is RequestState.FEE_ANNOUNCED and not found.request.fee:
        raise RequestError("the fee is not known yet: use `peyk request fee`", "fee", "state")
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
        words = f"the fee of {tracking} is not known yet: say the amount"
        raise RequestError(words, "empty", "amount")
    _check_fee(found, fee)
    if request.state != RequestState.VOUCHER_ISSUED:
        _check_move(found, RequestState.VOUCHER_ISSUED)
    if terms is None:
        words = "services.toml has no [voucher] table: which account do fees go to?"
        raise RequestError(words, "no_voucher")
    try:
        voucher = announce.voucher(request.tracking, fee, terms)
    except ValueError as error:
        raise RequestError(str(error), "no_bill_id") from None
    if not voucher.payment_id:
        words = f"{fee:,} rial do not fit a payment ID: pay it in several requests"
        raise RequestError(words, "fee_large", "amount")
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
    mine = WITH_NUMBER.where(requests.c.id == request_id).with_for_update(of=requests)
    row = connection.execute(mine).one_or_none()
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


def _find(connection: Connection, counter: Counter, tracking: str) -> _Found:
    found = _as_found(counter.services, hold(connection, counter.utility, tracking, WITH_NUMBER))
    if counter.as_of not in {None, found.request.changed_at}:
        words = f"{found.request.tracking} was changed meanwhile: look at it again"
        raise RequestError(words, "changed")
    return found


def following(kind: RequestKind, state: RequestState) -> list[RequestState]:
    """The states that a request of ``kind`` may be put into from ``state``, in their order."""
    return [new for new in RequestState if may_follow(state, new, kind.allowed)]


def kind_or_gone(services: Services, key: str) -> RequestKind:
    """A kind by its key, though it be no longer offered: what is under way comes to its end."""
    kind = services.kinds.get(key)
    return kind or RequestKind(key, key, states=tuple(RequestState))


def _as_found(services: Services, row: Any) -> _Found:
    *values, number = row
    request = Request._make(values)
    return _Found(request, number or "", kind_or_gone(services, request.kind))


def _check_move(found: _Found, state: RequestState) -> None:
    now = RequestState(found.request.state)
    if not may_follow(now, state, found.kind.allowed):
        after = sorted(new for new in MOVES[now] if new in found.kind.allowed)
        may = f"after {now} may come {', '.join(after)}" if after else f"{now} is the end of it"
        words = f"{found.request.tracking} cannot become {state}: {may}"
        raise RequestError(words, "move", "state")


def _check_fee(found: _Found, amount: int) -> None:
    if found.kind.fee is FeeKind.NONE:
        raise RequestError(f"{found.kind.key} has no fee", "no_fee")
    if amount <= 0 or amount % RIAL_STEP:
        words = f"{amount:,} rial: a fee is whole thousands of rial, above zero"
        raise RequestError(words, "fee_step", "amount")


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
