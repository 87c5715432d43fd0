"""Requests as they are told of, and what cannot be done with them in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from core.jalali import instant_of
from core.requests import box
from core.requests.box import Side
from core.requests.browse import Listed, Shown, show_request
from core.requests.counter import Counter, RequestError, check_tracking
from core.requests.kinds import RequestKind, Services
from core.requests.states import RequestState
from gateway.web.api import masking
from gateway.web.api.call import Call
from gateway.web.api.problems import Problem, invalid, not_found
from gateway.web.api.request_models import AskedFor, Kind, Message, Request
from gateway.web.desk.texts import PERSIAN, Texts

_GONE: Final = "gone"
_CONFLICTS: Final = frozenset({"changed", "not_editable", "move", "no_voucher", "no_bill_id"})


@cache
def _texts() -> Texts:
    return Texts()


def services_of(call: Call[Any, Any], utility: str) -> Services:
    """What the utility may be asked for; nothing where no line serves it."""
    found = next(iter(call.minds(utility).values()), None)
    return found.terms.services if found else Services()


def counter_of(call: Call[Any, Any], utility: str, as_of: str | None = None) -> Counter:
    """The token, as who works on requests now."""
    return Counter(
        utility,
        services_of(call, utility),
        call.means.ids,
        call.actor.who,
        call.now,
        None if as_of is None else int(as_of),
    )


def find(connection: Any, utility: str, tracking: str) -> Shown:
    """A request by its tracking number. Raises ``Problem``: not found."""
    try:
        found = show_request(connection, [utility], check_tracking(tracking))
    except RequestError:
        raise not_found() from None
    if not found:
        raise not_found()
    return found[0]


@contextmanager
def in_words() -> Iterator[None]:
    """What cannot be done with a request, as a problem in both languages."""
    try:
        yield
    except RequestError as error:
        if error.key == _GONE:
            raise not_found() from None
        known = _texts()
        key = f"requests.wrong.{error.key}"
        persian = known.say(PERSIAN, key if known.has(key) else "requests.wrong.text")
        if error.key in _CONFLICTS or not error.place:
            raise Problem("conflict", str(error), persian) from None
        pointer = "/" + error.place.replace(".", "/")
        raise invalid(pointer, str(error), persian) from None


def told(call: Call[Any, Any], services: Services, listed: Listed) -> Request:
    """A request, masked where the token may not see whose it is."""
    row = listed.request
    is_whole = call.sees_personal(row.utility)
    return Request(
        tracking=row.tracking,
        utility=row.utility,
        kind=row.kind,
        title=services.title(row.kind),
        state=RequestState(row.state),
        number=listed.number,
        mobile=row.mobile and masking.mobile(row.mobile, whole=is_whole),
        fields=row.values if is_whole else None,
        text=row.text if is_whole else None,
        source=row.source,
        office=row.office,
        fee=row.fee,
        account=row.account,
        bill_id=row.bill_id,
        payment_id=row.payment_id,
        paid_at=None if row.paid_at is None else instant_of(row.paid_at),
        created_at=instant_of(row.created_at),
        changed_at=instant_of(row.changed_at),
        version=str(row.changed_at),
    )


def written(each: box.Message) -> Message:
    """A message of its box."""
    return Message(
        id=str(each.id), at=instant_of(each.at), side=Side(each.side), by=each.by, text=each.text
    )


def as_kind(kind: RequestKind) -> Kind:
    """A kind, with what it asks for."""
    return Kind(
        kind=kind.key,
        title=kind.title,
        title_en=kind.title_en,
        doors=sorted(kind.doors),
        about=kind.about.value,
        words=kind.words.value,
        fields=[
            AskedFor(
                name=each.name,
                title=each.title,
                title_en=each.title_en,
                type=each.type.value,
                required=each.required,
                choices=list(each.choices),
            )
            for each in kind.fields
        ],
        documents=list(kind.documents),
        agreement=kind.agreement,
        fee=kind.fee.value,
        fee_amount=kind.fee_amount,
        states=list(kind.states),
    )
