"""``submit_reading``: what the meter shows (seed 001, code 110: عدد مشکی روی کنتور)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import NamedTuple

from core.bills import LastBills
from core.calls import DONE, Argument, Call, Fact, Outcome, Refusal
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, Operation, done, refused
from core.readings import LastReadings, Reading, ReadingState, is_plausible, used_since
from core.shelf import Asker, Subscriber


class _Last(NamedTuple):
    """The figure that a new reading follows, wherever it is known from."""

    reading: int
    at: int
    day: date


def _last(facts: Facts, subscriber: Subscriber) -> _Last | None:
    counted = facts.of(LastReadings).of(subscriber).counted
    bill = facts.of(LastBills).of(subscriber)
    billed = None
    if bill and bill.to_reading is not None and bill.to_date:
        midnight = datetime.combine(bill.to_date, time(), UTC)
        billed = _Last(bill.to_reading, int(midnight.timestamp() * 1000), bill.to_date)
    if counted is None:
        return billed
    day = datetime.fromtimestamp(counted.read_at / 1000, UTC).date()
    read = _Last(counted.reading, counted.read_at, day)
    # A meter that was changed is known from the newer of the two.
    return billed if billed and billed.at > read.at else read


def _submit(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    shown = call.arguments[Argument.READING].lstrip("0") or "0"
    if len(shown) > subscriber.meter_digits:
        return refused(call, Refusal.READING_TOO_LONG, digits=subscriber.meter_digits)
    reading = int(shown)
    last = _last(facts, subscriber)
    if last is None:
        facts.of(LastReadings).add(asker, subscriber, reading, ReadingState.ACCEPTED)
        return _stored(call, subscriber, reading, None, -1)
    used = used_since(reading, last.reading, subscriber.meter_digits, asker.policy)
    if used is None:
        return refused(call, Refusal.READING_BELOW_LAST, reading=reading, last_reading=last.reading)
    bill = facts.of(LastBills).of(subscriber)
    if is_plausible(used, asker.at - last.at, bill, asker.policy):
        facts.of(LastReadings).add(asker, subscriber, reading, ReadingState.ACCEPTED)
        return _stored(call, subscriber, reading, last, used)
    waiting = facts.of(LastReadings).of(subscriber).unconfirmed
    if waiting is not None and _confirms(asker, reading, waiting):
        facts.of(LastReadings).confirm(subscriber, waiting)
        return _stored(call, subscriber, reading, last, used)
    facts.of(LastReadings).add(asker, subscriber, reading, ReadingState.UNCONFIRMED)
    return refused(call, Refusal.CONFIRM_READING, reading=reading, used=used)


def _confirms(asker: Asker, reading: int, waiting: Reading) -> bool:
    within = asker.policy.confirm_within.total_seconds() * 1000
    return waiting.reading == reading and asker.at - waiting.read_at <= within


def _stored(
    call: Call, subscriber: Subscriber, reading: int, last: _Last | None, used: int
) -> Outcome:
    since: dict[str, Fact] = {
        "last_reading": last.reading if last else -1,
        "last_date": last.day if last else "",
    }
    return done(call, number=subscriber.number, reading=reading, used=used, **since)


SUBMIT_READING = Operation(
    name="submit_reading",
    required=frozenset({Argument.READING}),
    optional=frozenset({Argument.NUMBER, Argument.CODE}),
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "reading", "used", "last_reading", "last_date"}),
        Refusal.READING_TOO_LONG: frozenset({"digits"}),
        Refusal.READING_BELOW_LAST: frozenset({"reading", "last_reading"}),
        Refusal.CONFIRM_READING: frozenset({"reading", "used"}),
    },
    needs=frozenset({LastBills, LastReadings}),
    run_for=_submit,
)
