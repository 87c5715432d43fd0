"""What a message may say: the facts that come with each kind of event, and their kinds.

An event is stored as JSON (``core.events.as_json``); ``read_about`` gives its facts back as
they were put in. What an event carries besides what is declared here is nobody's to use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from core.calls import Scalar
from core.events import EventKind

LARGEST_NUMBER: Final = 10**15
"""More is no amount or reading, but a mistake of whoever tells it."""


class FactKind(StrEnum):
    """What a fact is. Any of them may be ``""``: nobody knows it, or there is none."""

    TEXT = "text"
    NUMBER = "number"
    """A whole number; money in rial."""
    DATE = "date"
    INSTANT = "instant"
    """UTC."""
    FLAG = "flag"
    """Yes or no."""


FactKinds = Mapping[str, FactKind]

_BILL: Final[FactKinds] = {
    "number": FactKind.TEXT,
    "period": FactKind.TEXT,
    "kind": FactKind.TEXT,
    "amount": FactKind.NUMBER,
    "payable": FactKind.NUMBER,
    "bill_id": FactKind.TEXT,
    "payment_id": FactKind.TEXT,
    "due": FactKind.DATE,
    "used": FactKind.NUMBER,
    "from_date": FactKind.DATE,
    "to_date": FactKind.DATE,
    "from_reading": FactKind.NUMBER,
    "to_reading": FactKind.NUMBER,
}
_PAYMENT: Final[FactKinds] = {
    "number": FactKind.TEXT,
    "amount": FactKind.NUMBER,
    "bill_id": FactKind.TEXT,
    "payment_id": FactKind.TEXT,
    "reference": FactKind.TEXT,
    "paid_at": FactKind.INSTANT,
}
_READING: Final[FactKinds] = {"number": FactKind.TEXT, "reading": FactKind.NUMBER}
_MOBILE: Final[FactKinds] = {"number": FactKind.TEXT, "mobile": FactKind.TEXT}
_REQUEST: Final[FactKinds] = {
    "tracking": FactKind.TEXT,
    "kind": FactKind.TEXT,
    "service": FactKind.TEXT,
    "state": FactKind.TEXT,
    "state_key": FactKind.TEXT,
    "number": FactKind.TEXT,
    "source": FactKind.TEXT,
    "office": FactKind.TEXT,
    "note": FactKind.TEXT,
    "fee": FactKind.NUMBER,
    "account": FactKind.TEXT,
    "bill_id": FactKind.TEXT,
    "payment_id": FactKind.TEXT,
}

EVENT_FACTS: Final[Mapping[EventKind, FactKinds]] = MappingProxyType(
    {
        EventKind.BILL_ISSUED: _BILL,
        EventKind.PAYMENT_BOOKED: _PAYMENT,
        EventKind.READING_ACCEPTED: _READING,
        EventKind.READING_DOUBTFUL: {**_READING, "used": FactKind.NUMBER},
        EventKind.READING_REJECTED: {
            **_READING,
            "note": FactKind.TEXT,
            "withdrawn": FactKind.TEXT,
        },
        EventKind.MOBILE_REGISTERED: _MOBILE,
        EventKind.MOBILE_REMOVED: _MOBILE,
        EventKind.REQUEST_REGISTERED: _REQUEST,
        EventKind.REQUEST_CHANGED: _REQUEST,
        EventKind.VOUCHER_ISSUED: _REQUEST,
    }
)

OUTAGE_FACTS: Final[FactKinds] = MappingProxyType(
    {
        "number": FactKind.TEXT,
        "region": FactKind.TEXT,
        "begins_at": FactKind.INSTANT,
        "ends_at": FactKind.INSTANT,
        "reason": FactKind.TEXT,
    }
)
"""What is told of a planned interruption of the supply."""


def facts_of_all(kinds: Iterable[EventKind]) -> FactKinds:
    """The facts that events of every one of these kinds have."""
    first, *others = (EVENT_FACTS[kind] for kind in kinds)
    return {
        name: kind for name, kind in first.items() if all(each.get(name) is kind for each in others)
    }


def read_about(kind: EventKind, about: str) -> dict[str, Scalar]:
    """The facts of a stored event; one that it was stored without is ``""``."""
    stored = json.loads(about)
    declared = EVENT_FACTS[kind]
    return {name: as_fact(each, stored.get(name, "")) for name, each in declared.items()}


def as_fact(kind: FactKind, value: Scalar) -> Scalar:
    """A fact as JSON has it, as what it is: dates and instants are ISO text there."""
    if isinstance(value, str) and value:
        if kind is FactKind.DATE:
            return date.fromisoformat(value)
        if kind is FactKind.INSTANT:
            return datetime.fromisoformat(value)
    return value


def is_a(kind: FactKind, value: object) -> bool:
    """Whether a value may stand for a fact of this kind."""
    if value == "" and isinstance(value, str):
        return True
    if kind is FactKind.NUMBER:
        return (
            isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER
        )
    if kind is FactKind.DATE:
        return isinstance(value, date) and not isinstance(value, datetime)
    wanted = {FactKind.TEXT: str, FactKind.INSTANT: datetime, FactKind.FLAG: bool}
    return isinstance(value, wanted[kind])
