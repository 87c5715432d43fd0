"""What a counter office and the utility's staff do with requests.

Each function is the work of one transaction: it checks everything first, so that nothing is
stored by half, and notes every change in the request's history with who made it, and as an
event. Source: seed 000, annex 1 (counter services 1 to 3) and annex 2, patterns 10 to 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, insert, select

from core import tracking as numbers
from core.events import Event, store_events
from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.ids import IdMaker
from core.jalali import day_of, jalali
from core.requests import announce
from core.requests.fields import FieldError, checked_fields, checked_text, nearest, place_of
from core.requests.kinds import About, Door, FieldType, RequestKind, Services, Words
from core.requests.rows import Request, Step, fields_json
from core.requests.shelf import sequence_of
from core.requests.states import RequestState
from core.sequences import take
from core.tables import request_history, requests, subscribers
from core.text import ascii_digits

_OLDEST_DAYS: Final = 100 * 366
"""How old a letter may be."""


class RequestError(Exception):
    """A request that cannot be taken or changed so, in words for who asked; nothing was done."""

    def __init__(self, words: str, key: str, place: str = "") -> None:
        """``key``: what it is, in any language.

        ``place``: ``fields.NAME``, ``number``, ``mobile``, ``text``, ``amount``; ``""``: all of it.
        """
        self.key = key
        self.place = place
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where, by whom and when something is done with requests."""

    utility: str
    services: Services
    ids: IdMaker
    by: str
    """Who: a name, for the history."""
    now: int
    """UTC milliseconds."""
    as_of: int | None = None
    """The request's ``changed_at`` that its changer has seen; None: whatever it is by now."""


class NewRequest(NamedTuple):
    """A request as somebody brings it."""

    kind: str
    number: str = ""
    """The subscription that it is about, ``""`` for none."""
    mobile: str = ""
    """Whom to tell, in any form; the kind's own mobile field where there is one and this is not."""
    fields: Mapping[str, str] = {}
    text: str = ""
    office: str = ""
    door: Door = Door.COUNTER
    id: int | None = None
    """Of the request; one that is there already is the same one, sent again. None: a new one."""


def register(connection: Connection, counter: Counter, new: NewRequest) -> Request:
    """Register a request, with its tracking number. Raises ``RequestError``."""
    kind = kind_of(counter.services, new.kind, new.door)
    if new.id is not None and (again := _of_id(connection, counter.utility, new.id)):
        return again
    values, text = _checked(connection, counter, kind, new)
    subscriber_id, number = _about(connection, counter.utility, kind, new.number)
    place = take(connection, sequence_of(counter.utility), 1, numbers.FIRST)[0]
    request = Request(
        id=counter.ids.one() if new.id is None else new.id,
        utility=counter.utility,
        tracking=numbers.make(place),
        kind=kind.key,
        state=RequestState.REGISTERED.value,
        subscriber_id=subscriber_id,
        mobile=_mobile(kind, new.mobile, values),
        fields=fields_json(values),
        text=text,
        source=_SOURCES[new.door],
        office=new.office or None,
        fee=kind.fee_amount or None,
        account=kind.account or None,
        bill_id=None,
        payment_id=None,
        paid_at=None,
        inbox_id=None,
        created_at=counter.now,
        changed_at=counter.now,
    )
    connection.execute(insert(requests).values(request._asdict()))
    event = announce.registered(request, counter.services, number)
    note_step(connection, counter, request, "", event)
    return request


_SOURCES = {Door.COUNTER: "counter", Door.PORTAL: "api", Door.TEXT: "sms"}


def _of_id(connection: Connection, utility: str, request_id: int) -> Request | None:
    row = connection.execute(
        select(*(requests.c[name] for name in Request._fields)).where(
            requests.c.id == request_id, requests.c.utility == utility
        )
    ).one_or_none()
    return None if row is None else Request._make(row)


def kind_of(services: Services, key: str, door: Door) -> RequestKind:
    """A kind that may be registered through ``door``. Raises ``RequestError``."""
    kind = services.kinds.get(key)
    if kind is None:
        words = f"there is no kind {key!r}; {nearest(key, services.kinds)}"
        raise RequestError(words, "kind", "kind")
    if door not in kind.doors:
        at_once = f"; it is answered by {', '.join(kind.answered_by)}" if kind.answered_by else ""
        raise RequestError(f"{key} is not registered by {door.value}{at_once}", "door", "kind")
    return kind


def _checked(
    connection: Connection, counter: Counter, kind: RequestKind, new: NewRequest
) -> tuple[dict[str, str], str]:
    try:
        values, text = checked_fields(kind, new.fields), checked_text(new.text)
    except FieldError as error:
        raise RequestError(str(error), error.key, error.place) from None
    check_words(kind, text)
    if kind.words is Words.NONE and text:
        raise RequestError(f"{kind.key} takes no text", "no_text", "text")
    check_others(connection, counter.utility, kind, values)
    check_days(kind, values, counter.now)
    return values, text


def check_words(kind: RequestKind, text: str) -> None:
    """See that a kind that is told in words has some."""
    if kind.words is Words.NEEDED and not text:
        raise RequestError(f"{kind.key} needs a text: what it is about", "empty", "text")


def check_days(kind: RequestKind, values: Mapping[str, str], now: int) -> None:
    """See that the day of a letter is one that has been, and in somebody's lifetime."""
    today = day_of(now)
    for field in kind.fields:
        if field.type is FieldType.DATE and field.name in values:
            day = date.fromisoformat(values[field.name])
            if not 0 <= (today - day).days <= _OLDEST_DAYS:
                raise RequestError(
                    f"{field.name} ({field.title}): {jalali(day)} is none of the days up to today",
                    field.type.value,
                    place_of(field.name),
                )


def check_others(
    connection: Connection, utility: str, kind: RequestKind, values: Mapping[str, str]
) -> None:
    """See that the other subscriptions that a request names are there."""
    for field in kind.fields:
        if field.type is FieldType.SUBSCRIPTION and field.name in values:
            number = values[field.name]
            if _subscriber_id(connection, utility, number) is None:
                words = f"{field.name} ({field.title}): {utility} has no subscription {number}"
                raise RequestError(words, "no_subscription", place_of(field.name))


def _about(
    connection: Connection, utility: str, kind: RequestKind, number: str
) -> tuple[int | None, str]:
    """The id and number of the subscription that a request is about."""
    digits = ascii_digits(number).strip()
    if not digits:
        if kind.about is About.SUBSCRIPTION:
            words = f"{kind.key} is about a subscription: say its number"
            raise RequestError(words, "empty", "number")
        return None, ""
    if kind.about is About.NONE:
        raise RequestError(f"{kind.key} is about no subscription", "no_number", "number")
    found = _subscriber_id(connection, utility, digits)
    if found is None:
        words = f"{utility} has no subscription {digits}"
        raise RequestError(words, "no_subscription", "number")
    return found, digits


def _subscriber_id(connection: Connection, utility: str, number: str) -> int | None:
    return connection.execute(
        select(subscribers.c.id).where(
            subscribers.c.utility == utility, subscribers.c.number == number
        )
    ).scalar_one_or_none()


def _mobile(kind: RequestKind, said: str, values: Mapping[str, str]) -> str | None:
    field = kind.field_of(FieldType.MOBILE)
    if not said.strip():
        return values.get(field.name) if field else None
    return checked_mobile(said)


def checked_mobile(said: str) -> str:
    """A mobile as it is stored. Raises ``RequestError``."""
    try:
        return normal_mobile(said)
    except MobileError as error:
        raise RequestError(str(error), "mobile", "mobile") from None


def note_step(
    connection: Connection, counter: Counter, request: Request, note: str, event: Event
) -> None:
    """Write what was done into the history, and the event that follows from it."""
    step = Step(request.id, counter.now, request.state, counter.by, note)
    connection.execute(insert(request_history).values(step._asdict()))
    store_events(connection, [(counter.ids.one(), event)])


def hold(connection: Connection, utility: str, tracking: str, wanted: Select[Any]) -> Row[Any]:
    """What is ``wanted`` of the request of a tracking number; nobody else changes it meanwhile.

    Raises ``RequestError``.
    """
    digits = check_tracking(tracking)
    held = wanted.with_for_update(of=requests)
    row = connection.execute(
        held.where(requests.c.utility == utility, requests.c.tracking == digits)
    ).one_or_none()
    if row is None:
        raise RequestError(f"{utility} has no request {digits}", "gone")
    return row


def check_tracking(tracking: str) -> str:
    """A tracking number as it is stored. Raises ``RequestError`` for one that is none."""
    digits = ascii_digits(tracking).strip()
    found = numbers.check(digits)
    if not found:
        words = f"{tracking!r} is no tracking number ({found.value})"
        raise RequestError(words, "tracking", "tracking")
    return digits
