"""``register_request``, ``track_request``, ``request_cost``: requests by text.

Source: seed 000, annex 1 (شماره پیگیری, هزینه ها) and annex 2, patterns 5 to 9; seed 002,
1-1 (suggestions and complaints with follow-up). Which kind a text registers is fixed by the
profile's pattern; what the kind asks for and who may ask is in ``services.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from core.bills import LastBills
from core.calls import DONE, Argument, Call, Fact, Outcome, Refusal
from core.events import Events
from core.facts import Facts
from core.jalali import instant_of
from core.operations.operation import (
    IDENTITY_OUTCOMES,
    NAMING,
    NOTHING,
    NOTHING_SAID,
    Operation,
    done,
    is_proven,
    refused,
)
from core.requests.announce import registered
from core.requests.fields import TOLD_BY_TEXT, FieldError, checked_fields, checked_text
from core.requests.kinds import About, Automatic, Door, FieldType, RequestKind, Words
from core.requests.rows import Request, Tracked, fields_json
from core.requests.serials import MeterSerials
from core.requests.shelf import Requests, Wish
from core.requests.states import RequestState
from core.shelf import Asker, Subscriber
from core.text import ascii_digits

_TOLD: Final = {
    Argument.READING: FieldType.READING,
    Argument.METER_SERIAL: FieldType.METER_SERIAL,
    Argument.MOBILE: FieldType.MOBILE,
    Argument.BILL_ID: FieldType.BILL_ID,
    Argument.NUMBER: FieldType.SUBSCRIPTION,
}
"""What a message brings in digits, and the field of a kind that it fills."""
_SERIAL: Final = re.compile(r"[0-9]{4,20}")
_WITHOUT: Final = (Refusal.NOT_REGISTERED, Refusal.WHICH_SUBSCRIPTION, Refusal.CODE_NEEDED)
"""Refusals after which a request that need not be about a subscription is taken all the same."""


def _register(asker: Asker, call: Call, facts: Facts, shown: Subscriber | Outcome) -> Outcome:
    kind = kind_of(asker, call)
    subscriber = _subject(kind, shown)
    if isinstance(subscriber, Outcome):
        return subscriber
    text = checked_text(call.arguments.get(Argument.TEXT, ""))
    try:
        values = checked_fields(kind, _values(asker, call, kind, text), TOLD_BY_TEXT)
    except FieldError:
        return refused(call, Refusal.TEXT_NEEDED, service=kind.title, kind=kind.key)
    if kind.words is Words.NEEDED and not text:
        return refused(call, Refusal.TEXT_NEEDED, service=kind.title, kind=kind.key)
    asked = _Asked(kind, subscriber, text, values)
    return done(
        call,
        **_told(asker, _registered(asker, facts, asked)),
        number=subscriber.number if subscriber else "",
        **_bill(asker, call, facts, asked),
    )


def kind_of(asker: Asker, call: Call) -> RequestKind:
    """The kind that the profile's pattern names.

    Raises ``LookupError`` when its utility does not take that by text: the profile is wrong,
    and the message is set aside for a person to see.
    """
    kind = asker.terms.services.kinds.get(call.arguments[Argument.KIND])
    if kind is None or Door.TEXT not in kind.doors:
        raise LookupError(f"{asker.utility} takes no {call.arguments[Argument.KIND]!r} by text")
    return kind


def _subject(kind: RequestKind, shown: Subscriber | Outcome) -> Subscriber | Outcome | None:
    """The subscription that the request is about, or the refusal to give."""
    if kind.about is About.NONE:
        return None
    if isinstance(shown, Subscriber) or kind.about is About.SUBSCRIPTION:
        return shown
    return None if shown.kind in _WITHOUT else shown


def _values(asker: Asker, call: Call, kind: RequestKind, text: str) -> dict[str, str]:
    """The fields of the request that the message fills."""
    # Most kinds have none, and the first of a type is the one that is filled.
    fields = {field.type: field for field in reversed(kind.fields)}
    found = {}
    for argument, type_ in _TOLD.items():
        if type_ in fields and argument in call.arguments:
            found[fields[type_].name] = call.arguments[argument]
    mobile = fields.get(FieldType.MOBILE)
    if mobile:
        found.setdefault(mobile.name, asker.mobile)
    serial = fields.get(FieldType.METER_SERIAL)
    if serial and serial.name not in found and (told := _SERIAL.search(ascii_digits(text))):
        found[serial.name] = told[0]
    return found


class _Asked(NamedTuple):
    """A request as it was asked for, checked."""

    kind: RequestKind
    subscriber: Subscriber | None
    text: str
    values: dict[str, str]


def _registered(asker: Asker, facts: Facts, asked: _Asked) -> Request:
    """The request: a new one, or the one that asked for the same within a day."""
    kind, subscriber, text, values = asked
    wish = Wish(
        asker.utility,
        kind.key,
        subscriber.id if subscriber else None,
        "" if subscriber else asker.mobile,
        text,
        fields_json(values),
    )
    requests = facts.of(Requests)
    first = requests.same(wish)
    if first:
        return first
    request = requests.add(asker, kind, subscriber, wish)
    if subscriber and Automatic.COMPARE_SERIAL in kind.automatic:
        serial = kind.field_of(FieldType.METER_SERIAL)
        if serial and facts.of(MeterSerials).agrees(subscriber, values.get(serial.name, "")):
            request = requests.settle(request)
    number = subscriber.number if subscriber else ""
    facts.of(Events).add(registered(request, asker.terms.services, number))
    return request


def _told(asker: Asker, request: Request) -> dict[str, Fact]:
    services = asker.terms.services
    return {
        "tracking": request.tracking,
        "kind": request.kind,
        "service": services.title(request.kind),
        "state": services.state_title(request.state),
        "state_key": request.state,
    }


_NO_BILL: Final[Mapping[str, Fact]] = MappingProxyType(
    {"debt": 0, "due": "", "bill_id": "", "payment_id": ""}
)


def _bill(asker: Asker, call: Call, facts: Facts, asked: _Asked) -> Mapping[str, Fact]:
    """What is owed, for the kinds whose answer tells it; nothing for the others."""
    kind, subscriber, *_ = asked
    if subscriber is None or Automatic.TELL_BILL not in kind.automatic:
        return _NO_BILL
    proven = is_proven(asker, call, facts, subscriber)
    bill = facts.of(LastBills).of(subscriber) if proven else None
    if bill is None or not bill.debt:
        return _NO_BILL
    return {
        "debt": bill.debt,
        "due": bill.deadline or "",
        "bill_id": bill.bill_id or "",
        "payment_id": bill.payment_id or "",
    }


def _track(asker: Asker, call: Call, facts: Facts) -> Outcome:
    found = _found(asker, call, facts)
    if found is None:
        return refused(call, Refusal.UNKNOWN_TRACKING)
    return done(
        call,
        **_told(asker, found.request),
        changed_at=instant_of(found.request.changed_at),
        note=found.note if _may_see(asker, facts, found.request) else "",
    )


def _cost(asker: Asker, call: Call, facts: Facts) -> Outcome:
    found = _found(asker, call, facts)
    if found is None:
        return refused(call, Refusal.UNKNOWN_TRACKING)
    request = found.request
    told = _told(asker, request)
    if not request.fee:
        return refused(call, Refusal.NO_FEE, **told)
    payable = request.state == RequestState.VOUCHER_ISSUED and not request.paid_at
    return done(
        call,
        **told,
        fee=request.fee,
        account=(request.account or "") if payable else "",
        bill_id=(request.bill_id or "") if payable else "",
        payment_id=(request.payment_id or "") if payable else "",
    )


def _found(asker: Asker, call: Call, facts: Facts) -> Tracked | None:
    return facts.of(Requests).tracked(asker, call.arguments[Argument.TRACKING])


def _may_see(asker: Asker, facts: Facts, request: Request) -> bool:
    """Whether what staff wrote may be told: to who asked for it, or acts for its subscription."""
    own = {subscriber.id for subscriber in facts.identities.registered(asker)}
    return request.mobile == asker.mobile or request.subscriber_id in own


_ABOUT_REQUEST = frozenset({"tracking", "kind", "service", "state", "state_key"})

REGISTER_REQUEST = Operation(
    name="register_request",
    required=frozenset({Argument.KIND}),
    optional=NAMING | {Argument.TEXT, Argument.READING, Argument.MOBILE},
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: _ABOUT_REQUEST | {"number", "debt", "due", "bill_id", "payment_id"},
        Refusal.TEXT_NEEDED: frozenset({"service", "kind"}),
    },
    needs=frozenset({Requests, MeterSerials, LastBills, Events}),
    run_shown=_register,
)
"""``service`` and ``state`` are words of ``services.toml``, ``kind`` and ``state_key`` the names
that a template may ask for. ``number`` is ``""`` for a request about no subscription; the facts
of a bill are empty but for kinds that tell it (``bill_not_received``)."""

TRACK_REQUEST = Operation(
    name="track_request",
    required=frozenset({Argument.TRACKING}),
    optional=NOTHING_SAID,
    outcomes={
        DONE: _ABOUT_REQUEST | {"changed_at", "note"},
        Refusal.UNKNOWN_TRACKING: NOTHING,
    },
    needs=frozenset({Requests}),
    run=_track,
)
"""``note`` is what was last said about it, ``""`` for a stranger who knows the number alone."""

REQUEST_COST = Operation(
    name="request_cost",
    required=frozenset({Argument.TRACKING}),
    optional=NOTHING_SAID,
    outcomes={
        DONE: _ABOUT_REQUEST | {"fee", "account", "bill_id", "payment_id"},
        Refusal.UNKNOWN_TRACKING: NOTHING,
        Refusal.NO_FEE: _ABOUT_REQUEST,
    },
    needs=frozenset({Requests}),
    run=_cost,
)
"""Rial; ``account``, ``bill_id`` and ``payment_id`` are ``""`` but while the voucher is to be
paid: before it is issued, after the payment and when the request was given up."""
