"""``last_payment``: the newest payment, and what is owed now (seed 000, annex 2, pattern 3)."""

from __future__ import annotations

from core.bills import LastBills
from core.calls import DONE, Call, Outcome, Refusal
from core.facts import Facts
from core.history import LastPayments
from core.jalali import instant_of
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, done, refused
from core.shelf import Asker, Subscriber


def _last_payment(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    payment = facts.of(LastPayments).of(subscriber)
    bill = facts.of(LastBills).of(subscriber)
    debt, credit = (bill.debt, bill.credit) if bill else (0, 0)
    if payment is None:
        owed = {"debt": debt, "credit": credit}
        return refused(call, Refusal.NO_PAYMENT, number=subscriber.number, **owed)
    return done(
        call,
        number=subscriber.number,
        amount=payment.amount,
        paid_at=instant_of(payment.paid_at),
        channel=payment.channel,
        debt=debt,
        credit=credit,
    )


LAST_PAYMENT = Operation(
    name="last_payment",
    required=frozenset(),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "amount", "paid_at", "channel", "debt", "credit"}),
        Refusal.NO_PAYMENT: frozenset({"number", "debt", "credit"}),
    },
    needs=frozenset({LastBills, LastPayments}),
    run_for=_last_payment,
)
"""``channel`` is a name as data has it: ``internet``, ``pos``, ``1522``, ``branch``, …"""
