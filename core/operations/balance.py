"""``balance``: what is owed (seed 001, code 010: آخرین بدهی)."""

from __future__ import annotations

from core.bills import LastBills
from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.facts import Facts
from core.operations.operation import IDENTITY_OUTCOMES, Operation, done, refused
from core.shelf import Asker, Subscriber


def _balance(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    bill = facts.of(LastBills).of(subscriber)
    if bill is None:
        return refused(call, Refusal.NO_BILL, number=subscriber.number)
    owed = bill.balance
    return done(
        call,
        number=subscriber.number,
        debt=max(owed, 0),
        credit=max(-owed, 0),
        due=bill.due_date if owed > 0 and bill.due_date else "",
        bill_id=bill.bill_id or "",
        payment_id=(bill.payment_id or "") if owed > 0 else "",
    )


BALANCE = Operation(
    name="balance",
    required=frozenset(),
    optional=frozenset({Argument.NUMBER, Argument.CODE}),
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "debt", "credit", "due", "bill_id", "payment_id"}),
        Refusal.NO_BILL: frozenset({"number"}),
    },
    needs=frozenset({LastBills}),
    run_for=_balance,
)
