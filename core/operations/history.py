"""``consumption_history``, ``bill_history``, ``payment_history`` (seeds 001 and 004)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.bills import units_used
from core.calls import DONE, Argument, Call, Outcome, Refusal, Scalar
from core.facts import Facts
from core.history import BillHistory, History, PaymentHistory, UseHistory, start_of, year_of
from core.jalali import instant_of
from core.operations.listing import LIST_OUTCOMES, LISTING, listing
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, RunFor, done, refused
from core.shelf import Asker, Shelf, Subscriber


def _answer(
    call: Call,
    subscriber: Subscriber,
    rows: Sequence[Mapping[str, Scalar]],
    history: History[Any],
) -> Outcome:
    if rows:
        return done(call, number=subscriber.number, **listing(rows, start_of(call)))
    if count := history.count(subscriber, call):
        return refused(call, Refusal.NO_MORE, count=count)
    year = year_of(call)
    return refused(
        call, Refusal.NO_HISTORY, number=subscriber.number, year="" if year is None else year
    )


def _consumption(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    rows = []
    history = facts.of(UseHistory)
    for bill in history.of(subscriber, call):
        used = units_used(bill.used, bill.from_reading, bill.to_reading, subscriber.meter_digits)
        rows.append(
            {
                "period": bill.period,
                "from_date": bill.from_date or "",
                "to_date": bill.to_date or "",
                "used": "" if used is None else used,
            }
        )
    return _answer(call, subscriber, rows, history)


def _bills(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    history = facts.of(BillHistory)
    rows = [
        {"period": bill.period, "payable": bill.payable, "due_date": bill.due_date or ""}
        for bill in history.of(subscriber, call)
    ]
    return _answer(call, subscriber, rows, history)


def _payments(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    history = facts.of(PaymentHistory)
    rows: list[Mapping[str, Scalar]] = [
        {"amount": paid.amount, "paid_at": instant_of(paid.paid_at), "channel": paid.channel}
        for paid in history.of(subscriber, call)
    ]
    return _answer(call, subscriber, rows, history)


def _history(name: str, rows: frozenset[str], shelf: type[Shelf], run_for: RunFor) -> Operation:
    return Operation(
        name=name,
        required=frozenset(),
        optional=NAMING | {Argument.YEAR, Argument.START},
        outcomes={
            **IDENTITY_OUTCOMES,
            **LIST_OUTCOMES,
            DONE: LISTING | {"number"},
            Refusal.NO_HISTORY: frozenset({"number", "year"}),
        },
        needs=frozenset({shelf}),
        run_for=run_for,
        rows=rows,
    )


CONSUMPTION_HISTORY = _history(
    "consumption_history",
    frozenset({"period", "from_date", "to_date", "used"}),
    UseHistory,
    _consumption,
)
BILL_HISTORY = _history(
    "bill_history", frozenset({"period", "payable", "due_date"}), BillHistory, _bills
)
PAYMENT_HISTORY = _history(
    "payment_history", frozenset({"paid_at", "amount", "channel"}), PaymentHistory, _payments
)
