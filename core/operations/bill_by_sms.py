"""``bill_by_sms`` and ``stop_bill_by_sms``: bills to the mobile that asked (seed 001: 210, 9)."""

from __future__ import annotations

from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, NOTHING, Operation, done, refused
from core.optouts import OptOuts
from core.recipients import BillRecipients
from core.shelf import Asker, Subscriber
from core.suppressions import BILLS


def _start(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    facts.of(BillRecipients).add(asker, subscriber)
    facts.of(OptOuts).opt_in(asker, BILLS)
    return done(call, number=subscriber.number)


def _stop(asker: Asker, call: Call, facts: Facts) -> Outcome:
    count = facts.of(BillRecipients).remove(asker)
    # Bills may come without having been asked for: to the mobiles that are registered.
    facts.of(OptOuts).opt_out(asker, BILLS)
    if not count:
        return refused(call, Refusal.NOT_SUBSCRIBED)
    return done(call, count=count)


BILL_BY_SMS = Operation(
    name="bill_by_sms",
    required=frozenset(),
    optional=frozenset({Argument.NUMBER, Argument.CODE}),
    outcomes={**IDENTITY_OUTCOMES, DONE: frozenset({"number"})},
    # Who gets bills already is none the wiser, and is not asked for.
    needs=frozenset({OptOuts}),
    run_for=_start,
)

STOP_BILL_BY_SMS = Operation(
    name="stop_bill_by_sms",
    required=frozenset(),
    optional=frozenset(),
    outcomes={DONE: frozenset({"count"}), Refusal.NOT_SUBSCRIBED: NOTHING},
    needs=frozenset({BillRecipients, OptOuts}),
    run=_stop,
)
