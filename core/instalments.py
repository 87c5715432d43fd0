"""Instalments of connection fees, of water and of wastewater (seed 000, annexes 1 and 3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, false, func, select

from core.bulk import as_rows, unfolded
from core.jalali import day_of
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import instalments


class Instalment(NamedTuple):
    """One that is to be paid still."""

    id: int
    subscriber_id: int
    plan: str
    """Whose connection fee it is: ``water`` or ``wastewater``."""
    number: int
    """Which one of its plan, from 1."""
    amount: int
    """Rial."""
    due_date: date
    bill_id: str | None
    payment_id: str | None


_wanted = unfolded({"subscriber_id": BigInteger()})
_UNPAID = (
    select(
        instalments.c.id,
        instalments.c.subscriber_id,
        instalments.c.plan,
        instalments.c.number,
        instalments.c.amount,
        instalments.c.due_date,
        instalments.c.bill_id,
        instalments.c.payment_id,
    )
    .join_from(_wanted, instalments, instalments.c.subscriber_id == _wanted.c.subscriber_id)
    # A bare column would let PostgreSQL begin with all that is unpaid, which it takes for little.
    .where(func.coalesce(instalments.c.paid_at.is_(None), false()))
    .order_by(instalments.c.due_date, instalments.c.plan, instalments.c.number)
)


def load_unpaid(
    connection: Connection, subscriber_ids: Collection[int]
) -> dict[int, tuple[Instalment, ...]]:
    """What each subscription has left to pay, the next due first; one statement."""
    found: dict[int, list[Instalment]] = {}
    if subscriber_ids:
        keys = as_rows((key,) for key in subscriber_ids)
        for row in fetch(connection, _UNPAID, keys):
            found.setdefault(row[1], []).append(Instalment._make(row))
    return {key: tuple(each) for key, each in found.items()}


def due_at(unpaid: Sequence[Instalment], at: int) -> int:
    """Rial of those whose day has come in Tehran; ``at`` is UTC milliseconds."""
    today = day_of(at)
    return sum(one.amount for one in unpaid if one.due_date <= today)


class Instalments(Shelf):
    """The unpaid instalments of each subscription. A plan has some dozens at the most."""

    def __init__(self) -> None:
        self._unpaid: dict[int, tuple[Instalment, ...]] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        self._unpaid = load_unpaid(connection, ids_of(subjects))

    def of(self, subscriber: Subscriber) -> tuple[Instalment, ...]:
        """What is to be paid still, the next due first."""
        return self._unpaid.get(subscriber.id, ())
