"""``last_bill``: the newest bill, line by line as it is printed (seed 000, annex 2, pattern 2)."""

from __future__ import annotations

from core.bills import LastBills, units_used
from core.calls import DONE, Call, Outcome, Refusal
from core.facts import Facts
from core.operations.operation import (
    IDENTITY_OUTCOMES,
    NAMING,
    Operation,
    done,
    is_proven,
    refused,
)
from core.particulars import Particulars
from core.shelf import Asker, Subscriber


def _last_bill(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    bill = facts.of(LastBills).of(subscriber)
    if bill is None:
        return refused(call, Refusal.NO_BILL, number=subscriber.number)
    known = facts.of(Particulars).of(subscriber)
    used = units_used(bill.used, bill.from_reading, bill.to_reading, subscriber.meter_digits)
    return done(
        call,
        number=subscriber.number,
        name=known.name_for(proven=is_proven(asker, call, facts, subscriber)),
        region=known.region,
        period=bill.period,
        from_date=bill.from_date or "",
        to_date=bill.to_date or "",
        from_reading="" if bill.from_reading is None else bill.from_reading,
        to_reading="" if bill.to_reading is None else bill.to_reading,
        used="" if used is None else used,
        amount=bill.amount,
        payable=bill.payable,
        bill_id=bill.bill_id or "",
        payment_id=(bill.payment_id or "") if bill.debt else "",
        due=bill.deadline or "",
        debt=bill.debt,
    )


LAST_BILL = Operation(
    name="last_bill",
    required=frozenset(),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset(
            {
                "number", "name", "region", "period", "from_date", "to_date", "from_reading",
                "to_reading", "used", "amount", "payable", "bill_id", "payment_id", "due", "debt",
            }
        ),
        Refusal.NO_BILL: frozenset({"number"}),
    },
    needs=frozenset({LastBills, Particulars}),
    run_for=_last_bill,
)  # fmt: skip
"""``payable`` is rial as the bill was issued, ``debt`` what of it is still to be paid; without
debt there is no ``payment_id``, so that nobody pays twice. ``due`` is ``""`` for at once."""
