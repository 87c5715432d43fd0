"""``help``: the guide to the services (seed 000, annex 2, pattern 1)."""

from __future__ import annotations

from core.calls import DONE, Call, Outcome
from core.facts import Facts
from core.operations.operation import NOTHING, Operation, done
from core.shelf import Asker


def _guide(asker: Asker, call: Call, facts: Facts) -> Outcome:  # noqa: ARG001
    return done(call)


HELP = Operation(
    name="help",
    required=frozenset(),
    optional=frozenset(),
    outcomes={DONE: NOTHING},
    needs=frozenset(),
    run=_guide,
)
