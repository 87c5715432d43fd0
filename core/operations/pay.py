"""``pay``: a link to pay with, and what to dial (seed 001: 1522; seed 000, annex 3: پرداخت).

A pair of bill ID and payment ID may be paid by anybody who has it, as at a bank; what a
subscription owes is told only to whoever shows a right to it.
"""

from __future__ import annotations

from core.bills import LastBill, LastBills
from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.facts import Facts
from core.identifiers import make_payment_id, payable
from core.operations.operation import IDENTITY_OUTCOMES, NOTHING, Operation, done, refused
from core.payments.orders import Due, Orders
from core.shelf import Asker, Subscriber

_PAIR = frozenset({Argument.BILL_ID, Argument.PAYMENT_ID})


def _pay_pair(asker: Asker, call: Call, facts: Facts) -> Outcome:
    shelf = facts.of(Orders)
    due = shelf.due(asker, call.arguments[Argument.BILL_ID], call.arguments[Argument.PAYMENT_ID])
    if due is None:
        return refused(call, Refusal.UNKNOWN_BILL)
    if due.request_id or due.instalment_id:
        amount = 0 if due.paid else due.amount
    else:
        # Whatever is printed on it, nobody is asked for more than is still owed.
        bill = _bill_of(due.subscriber_id, facts) if due.subscriber_id else None
        amount = min(payable(due.amount)[0], payable(max(bill.balance, 0))[0]) if bill else 0
    return _order(asker, call, facts, due, amount)


def _bill_of(subscriber_id: int, facts: Facts) -> LastBill | None:
    return facts.of(LastBills).by_id(subscriber_id) or facts.of(Orders).bill(subscriber_id)


def _pay_balance(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    bill = facts.of(LastBills).of(subscriber)
    if bill is None:
        return refused(call, Refusal.NO_BILL, number=subscriber.number)
    amount, _rest = payable(max(bill.balance, 0))
    due = Due(bill.bill_id or "", bill.payment_id or "", payable(bill.payable)[0], subscriber.id)
    return _order(asker, call, facts, due, amount)


def _order(asker: Asker, call: Call, facts: Facts, due: Due, amount: int) -> Outcome:
    if amount <= 0:
        return refused(call, Refusal.NOTHING_TO_PAY)
    if amount != due.amount and due.bill_id:
        # The payment ID carries the amount: another amount needs another.
        due = due._replace(payment_id=make_payment_id(due.bill_id, amount))
    due = due._replace(amount=amount)
    terms = asker.terms.payments
    link = terms.link + facts.of(Orders).order(asker, due) if terms.link else ""
    dial = ""
    if terms.dial and due.bill_id and due.payment_id:
        dial = terms.dial.format(bill_id=due.bill_id, payment_id=due.payment_id)
    return done(
        call,
        amount=amount,
        bill_id=due.bill_id,
        payment_id=due.payment_id,
        link=link,
        dial=dial,
    )


PAY = Operation(
    name="pay",
    required=frozenset(),
    optional=frozenset({Argument.NUMBER, Argument.CODE, Argument.BILL_ID, Argument.PAYMENT_ID}),
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"amount", "bill_id", "payment_id", "link", "dial"}),
        Refusal.NO_BILL: frozenset({"number"}),
        Refusal.NOTHING_TO_PAY: NOTHING,
        Refusal.UNKNOWN_BILL: NOTHING,
    },
    needs=frozenset({Orders, LastBills}),
    run=_pay_pair,
    run_for=_pay_balance,
    open_with=_PAIR,
)
