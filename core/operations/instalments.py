"""``instalments``: what is left of connection fees (seed 000, annex 3: اقساط آب و فاضلاب)."""

from __future__ import annotations

from core.calls import DONE, Argument, Call, Outcome, Refusal, Scalar
from core.facts import Facts
from core.history import MOST_ROWS, start_of
from core.instalments import Instalments
from core.operations.listing import LIST_OUTCOMES, LISTING, listing
from core.operations.operation import IDENTITY_OUTCOMES, NAMING, Operation, done, refused
from core.shelf import Asker, Subscriber


def _instalments(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:  # noqa: ARG001
    unpaid = facts.of(Instalments).of(subscriber)
    start = start_of(call)
    shown = unpaid[start - 1 : start + MOST_ROWS]
    if unpaid and not shown:
        return refused(call, Refusal.NO_MORE, count=len(unpaid))
    if not shown:
        return refused(call, Refusal.NO_INSTALMENTS, number=subscriber.number)
    rows: list[dict[str, Scalar]] = [
        {"plan": one.plan, "number": one.number, "amount": one.amount, "due_date": one.due_date}
        for one in shown
    ]
    return done(
        call,
        number=subscriber.number,
        count=len(unpaid),
        total=sum(one.amount for one in unpaid),
        bill_id=unpaid[0].bill_id or "",
        payment_id=unpaid[0].payment_id or "",
        **listing(rows, start),
    )


INSTALMENTS = Operation(
    name="instalments",
    required=frozenset(),
    optional=NAMING | {Argument.START},
    outcomes={
        **IDENTITY_OUTCOMES,
        **LIST_OUTCOMES,
        DONE: LISTING | {"number", "count", "total", "bill_id", "payment_id"},
        Refusal.NO_INSTALMENTS: frozenset({"number"}),
    },
    needs=frozenset({Instalments}),
    run_for=_instalments,
    rows=frozenset({"plan", "number", "amount", "due_date"}),
)
"""Unpaid ones, the next due first; ``count`` and ``total`` (rial) are of all of them, and
``bill_id`` and ``payment_id`` pay the next."""
