"""``opt_out`` and ``opt_in``: the utility's own messages, of one kind or of all."""

from __future__ import annotations

from core.calls import DONE, Argument, Call, Outcome
from core.facts import Facts
from core.operations.operation import Operation, done
from core.optouts import OptOuts
from core.shelf import Asker
from core.suppressions import EVERYTHING


def _out(asker: Asker, call: Call, facts: Facts) -> Outcome:
    topic = call.arguments.get(Argument.TOPIC, EVERYTHING)
    facts.of(OptOuts).opt_out(asker, topic)
    return done(call, topic=topic)


def _in(asker: Asker, call: Call, facts: Facts) -> Outcome:
    topic = call.arguments.get(Argument.TOPIC, EVERYTHING)
    facts.of(OptOuts).opt_in(asker, topic)
    return done(call, topic=topic)


OPT_OUT = Operation(
    name="opt_out",
    required=frozenset(),
    optional=frozenset({Argument.TOPIC}),
    outcomes={DONE: frozenset({"topic"})},
    needs=frozenset({OptOuts}),
    run=_out,
)

OPT_IN = Operation(
    name="opt_in",
    required=frozenset(),
    optional=frozenset({Argument.TOPIC}),
    outcomes={DONE: frozenset({"topic"})},
    needs=frozenset({OptOuts}),
    run=_in,
)
