"""``submit_reading``: what the meter shows (seed 001, code 110: عدد مشکی روی کنتور)."""

from __future__ import annotations

from core.bills import LastBills
from core.calls import DONE, Argument, Call, Outcome
from core.events import Events
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, done
from core.operations.reading_check import BOOKED_OUTCOMES, book, check
from core.readings import LastReadings
from core.shelf import Asker, Subscriber


def _submit(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    shown = check(call, asker, facts, subscriber)
    if isinstance(shown, Outcome):
        return shown
    refusal = book(call, asker, facts, subscriber, shown)
    if refusal is not None:
        return refusal
    return done(
        call,
        number=subscriber.number,
        reading=shown.reading,
        used=shown.used,
        last_reading=shown.last.reading if shown.last else -1,
        last_date=shown.last.day if shown.last else "",
    )


SUBMIT_READING = Operation(
    name="submit_reading",
    required=frozenset({Argument.READING}),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        **BOOKED_OUTCOMES,
        DONE: frozenset({"number", "reading", "used", "last_reading", "last_date"}),
    },
    needs=frozenset({LastBills, LastReadings, Events}),
    run_for=_submit,
)
