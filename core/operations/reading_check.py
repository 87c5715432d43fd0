"""What every operation that takes a reading checks (seed 000, annex 1: بررسی اطلاعات از لحاظ صحت).

The digits of the meter, not below the last reading unless the meter rolled over, and not
implausibly much unless the same figure is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from core.bills import LastBill, LastBills
from core.calls import Argument, Call, Outcome, Refusal, Scalar
from core.events import Event, EventKind, Events
from core.facts import Facts
from core.jalali import instant_of
from core.operations.operation import refused
from core.readings import (
    LastReadings,
    Reading,
    ReadingState,
    confirmable_since,
    is_plausible,
    used_since,
)
from core.shelf import Asker, Subscriber

SHOWN_OUTCOMES: Mapping[str, frozenset[str]] = {
    Refusal.READING_TOO_LONG: frozenset({"digits"}),
    Refusal.READING_BELOW_LAST: frozenset({"reading", "last_reading"}),
}
"""The refusals of every operation that takes a reading."""
BOOKED_OUTCOMES: Mapping[str, frozenset[str]] = {
    **SHOWN_OUTCOMES,
    Refusal.CONFIRM_READING: frozenset({"reading", "used"}),
}
"""The refusals of those that store it."""


class Last(NamedTuple):
    """The figure that a new reading follows, wherever it is known from."""

    reading: int
    at: int
    """UTC milliseconds."""

    @property
    def day(self) -> date:
        """In UTC, as a bill's day is taken."""
        return instant_of(self.at).date()


class Shown(NamedTuple):
    """A reading that can be true."""

    reading: int
    last: Last | None
    """None: there was none before it."""
    used: int
    """Since ``last``; -1 without one."""


def check(call: Call, asker: Asker, facts: Facts, subscriber: Subscriber) -> Shown | Outcome:
    """The reading that a call brings, or the refusal to take it."""
    figure = call.arguments[Argument.READING].lstrip("0") or "0"
    if len(figure) > subscriber.meter_digits:
        return refused(call, Refusal.READING_TOO_LONG, digits=subscriber.meter_digits)
    reading = int(figure)
    known = _known(facts, subscriber)
    if not known:
        return Shown(reading, None, -1)
    shown: Shown | None = None
    for last in known:
        used = used_since(reading, last.reading, subscriber.meter_digits, asker.policy)
        if used is not None and (shown is None or used < shown.used):
            shown = Shown(reading, last, used)
    if shown is None:
        last_reading = known[0].reading
        return refused(call, Refusal.READING_BELOW_LAST, reading=reading, last_reading=last_reading)
    return shown


def _known(facts: Facts, subscriber: Subscriber) -> list[Last]:
    """What a new reading may follow: the last one that counts, or the last bill's if newer.

    A doubtful one, which anybody may have sent where no code is asked for, must not keep the
    true ones out: the bill's figure before it is known too.
    """
    counted = facts.of(LastReadings).of(subscriber).counted
    billed = _billed(facts.of(LastBills).of(subscriber))
    if counted is None:
        return [billed] if billed else []
    read = Last(counted.reading, counted.read_at)
    if billed is None:
        return [read]
    # A meter that was changed is known from the newer of the two.
    if billed.at > read.at:
        return [billed]
    return [read, billed] if counted.state == ReadingState.DOUBTFUL else [read]


def _billed(bill: LastBill | None) -> Last | None:
    known = bill.last_figure if bill else None
    return None if known is None else Last(*known)


def book(
    call: Call, asker: Asker, facts: Facts, subscriber: Subscriber, shown: Shown
) -> Outcome | None:
    """Store a reading that was checked, or ask for it again; None when it counts."""
    stored = facts.of(LastReadings)
    bill = facts.of(LastBills).of(subscriber)
    since = asker.at - shown.last.at if shown.last else 0
    if shown.last is None or is_plausible(shown.used, since, bill, asker.policy):
        stored.add(asker, subscriber, shown.reading, ReadingState.ACCEPTED)
        _tell(asker, facts, subscriber, shown, EventKind.READING_ACCEPTED)
        return None
    waiting = stored.of(subscriber).unconfirmed
    if waiting is not None and _confirms(asker, shown.reading, waiting):
        stored.confirm(subscriber, waiting)
        _tell(asker, facts, subscriber, shown, EventKind.READING_DOUBTFUL)
        return None
    stored.add(asker, subscriber, shown.reading, ReadingState.UNCONFIRMED)
    return refused(call, Refusal.CONFIRM_READING, reading=shown.reading, used=shown.used)


def _confirms(asker: Asker, reading: int, waiting: Reading) -> bool:
    return waiting.reading == reading and waiting.read_at >= confirmable_since(asker)


def _tell(
    asker: Asker, facts: Facts, subscriber: Subscriber, shown: Shown, kind: EventKind
) -> None:
    about: dict[str, Scalar] = {
        "number": subscriber.number,
        "reading": shown.reading,
        "used": shown.used,
    }
    event = Event(kind, asker.utility, asker.at, about, subscriber.id, asker.mobile or None)
    facts.of(Events).add(event)
