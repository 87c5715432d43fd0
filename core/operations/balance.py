"""``balance``: what is owed (seed 001, code 010: آخرین بدهی; seed 000, annex 3: مانده آب بهاء)."""

from __future__ import annotations

from core.bills import LastBills
from core.calls import DONE, Call, Outcome, Refusal
from core.facts import Facts
from core.instalments import Instalments, due_at
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, done, refused
from core.shelf import Asker, Subscriber


def _balance(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    bill = facts.of(LastBills).of(subscriber)
    unpaid = facts.of(Instalments).of(subscriber)
    instalments_due = due_at(unpaid, asker.at) if unpaid else 0
    if bill is None and not instalments_due:
        return refused(call, Refusal.NO_BILL, number=subscriber.number)
    debt = bill.debt if bill else 0
    return done(
        call,
        number=subscriber.number,
        debt=debt,
        credit=bill.credit if bill else 0,
        due=(bill.deadline or "") if bill else "",
        bill_id=(bill.bill_id or "") if bill else "",
        payment_id=(bill.payment_id or "") if bill and debt else "",
        instalments_due=instalments_due,
    )


BALANCE = Operation(
    name="balance",
    required=frozenset(),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset(
            {"number", "debt", "credit", "due", "bill_id", "payment_id", "instalments_due"}
        ),
        Refusal.NO_BILL: frozenset({"number"}),
    },
    needs=frozenset({LastBills, Instalments}),
    run_for=_balance,
)
"""``due`` is ``""`` where the debt is to be paid at once; ``instalments_due`` is rial, beside
the debt and not in it (``core.bills`` says what a balance is made of)."""
