"""``status_enquiry``: the state of a subscription (seed 002: استعلام وضعیت مشترکین).

Whose it is stays masked unless the asker has shown a right to know (seed 002, 1-5).
"""

from __future__ import annotations

from core.calls import DONE, Call, Outcome
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, done, is_proven
from core.particulars import Particulars
from core.shelf import Asker, Subscriber


def _status(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    known = facts.of(Particulars).of(subscriber)
    return done(
        call,
        number=subscriber.number,
        state=known.state,
        usage=known.usage,
        units=known.units,
        capacity="" if known.capacity is None else known.capacity,
        name=known.name_for(proven=is_proven(asker, call, facts, subscriber)),
    )


STATUS_ENQUIRY = Operation(
    name="status_enquiry",
    required=frozenset(),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "state", "usage", "units", "capacity", "name"}),
    },
    needs=frozenset({Particulars}),
    run_for=_status,
)
"""``state`` is as the utility's file has it: ``active`` where nothing else is said;
``capacity`` is ``""`` for homes."""
