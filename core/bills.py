"""What a subscriber owes: the last bill, and what was paid since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, func, select

from core.bulk import as_rows, unfolded
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.tables import bills, payments


class LastBill(NamedTuple):
    """The newest bill of a subscription and the payments since it was issued."""

    subscriber_id: int
    payable: int
    """Rial, with what was owed before this bill."""
    bill_id: str | None
    payment_id: str | None
    due_date: date | None
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    paid_since: int
    """Rial."""

    @property
    def balance(self) -> int:
        """Rial still owed; negative for a credit.

        A bill's payable already contains what was owed when it was issued, so only
        payments since then count against it.
        """
        return self.payable - self.paid_since


_wanted = unfolded({"subscriber_id": BigInteger()})
_newest = bills.alias("newest")
_newest_id = (
    select(_newest.c.id)
    .where(_newest.c.subscriber_id == _wanted.c.subscriber_id)
    .order_by(_newest.c.issued_at.desc(), _newest.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_paid_since = (
    select(func.coalesce(func.sum(payments.c.amount), 0))
    .where(
        payments.c.subscriber_id == bills.c.subscriber_id,
        payments.c.paid_at >= bills.c.issued_at,
    )
    .scalar_subquery()
)
_LAST_BILLS = select(
    bills.c.subscriber_id,
    bills.c.payable,
    bills.c.bill_id,
    bills.c.payment_id,
    bills.c.due_date,
    bills.c.from_date,
    bills.c.to_date,
    bills.c.from_reading,
    bills.c.to_reading,
    _paid_since,
).join_from(_wanted, bills, bills.c.id == _newest_id)


def load_last_bills(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, LastBill]:
    """The newest bill of each subscription that has one, by subscriber id."""
    if not subscriber_ids:
        return {}
    rows = connection.execute(_LAST_BILLS, as_rows((key,) for key in subscriber_ids))
    # PostgreSQL sums bigints into numeric: back to the integer that money is here.
    return {row[0]: LastBill(*row[:9], int(row[9])) for row in rows}


class LastBills(Shelf):
    """The newest bill of each subscription, with what was paid since."""

    def __init__(self) -> None:
        self._bills: dict[int, LastBill] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        self._bills = load_last_bills(connection, ids_of(subjects))

    def of(self, subscriber: Subscriber) -> LastBill | None:
        """The newest bill, None when nothing has been billed yet."""
        return self._bills.get(subscriber.id)
