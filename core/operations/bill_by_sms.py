"""``bill_by_sms`` and ``stop_bill_by_sms``: bills to the mobile that asked (seed 001: 210, 9)."""

from __future__ import annotations

from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.facts import Asker, Facts, Need
from core.identity import Subscriber
from core.operations.operation import IDENTITY_OUTCOMES, NOTHING, Operation, done, refused


def _start(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    facts.add_bill_recipient(asker, subscriber)
    return done(call, number=subscriber.number)


def _stop(asker: Asker, call: Call, facts: Facts) -> Outcome:
    count = facts.remove_bill_recipient(asker)
    if not count:
        return refused(call, Refusal.NOT_SUBSCRIBED)
    return done(call, count=count)


BILL_BY_SMS = Operation(
    name="bill_by_sms",
    required=frozenset(),
    optional=frozenset({Argument.NUMBER, Argument.CODE}),
    outcomes={**IDENTITY_OUTCOMES, DONE: frozenset({"number"})},
    needs=frozenset({Need.BILL_RECIPIENTS}),
    run_for=_start,
)

STOP_BILL_BY_SMS = Operation(
    name="stop_bill_by_sms",
    required=frozenset(),
    optional=frozenset(),
    outcomes={DONE: frozenset({"count"}), Refusal.NOT_SUBSCRIBED: NOTHING},
    needs=frozenset({Need.BILL_RECIPIENTS}),
    run=_stop,
)
