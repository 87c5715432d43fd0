"""``sign_in``: number and code shown once, for the rest of a USSD session.

The code is tried here and nowhere else: the session keeps the number to which a right has
been shown (``Said.shown``, ``Asker.shown``), and never the code.
"""

from __future__ import annotations

from core.calls import DONE, Argument, Call, Outcome
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, Operation, done
from core.shelf import Asker, Subscriber


def _sign_in(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    return done(call, number=subscriber.number)


SIGN_IN = Operation(
    name="sign_in",
    required=frozenset({Argument.NUMBER, Argument.CODE}),
    optional=frozenset(),
    outcomes={**IDENTITY_OUTCOMES, DONE: frozenset({"number"})},
    needs=frozenset(),
    run_for=_sign_in,
)
