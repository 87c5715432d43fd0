"""What a subscriber owes: the last bill, and what was paid and corrected since.

A balance is made of four things, and each counts once:

- **the newest bill**: its ``payable`` is what was owed when it was issued, older bills, the
  rest below a thousand that was carried over, and older payments all in it. A mid-period
  bill is a bill like any other;
- **payments** since it was issued count against it; one that carries the bill ID and the
  payment ID of an instalment is that instalment's and does not;
- **corrections** since it was issued are in the subscriber's favour and count as payments do;
- **instalments** of connection fees are owed beside it, never in it: a balance names what is
  due of them as a figure of its own (``core.instalments``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, cast, exists, func, or_, select

from core.bulk import as_rows, unfolded
from core.calls import Scalar
from core.identifiers import RIAL_STEP
from core.jalali import milliseconds
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import bills, corrections, instalments, payments

PERIOD = "period"
"""The kind of a bill that the utility issues for each period."""
MID_PERIOD = "mid_period"
"""The kind of a bill that a subscriber's own reading brought about."""


class LastBill(NamedTuple):
    """The newest bill of a subscription, and what counts against it since it was issued."""

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
    """Rial, corrections among it."""
    period: str = ""
    amount: int = 0
    """Rial, this period alone."""
    used: int | None = None
    """Units of the meter, where the bill says it."""
    kind: str = PERIOD
    """``PERIOD`` or ``MID_PERIOD``."""
    issued_at: int = 0
    """UTC milliseconds."""
    carried: int = 0
    """Rial that it left for the next bill."""

    @property
    def balance(self) -> int:
        """Rial still owed; negative for a credit."""
        return self.payable - self.paid_since

    @property
    def debt(self) -> int:
        """Rial to pay, 0 for none."""
        return max(self.balance, 0)

    @property
    def credit(self) -> int:
        """Rial that the subscriber has with the utility, 0 for none."""
        return max(-self.balance, 0)

    @property
    def deadline(self) -> date | None:
        """Until when to pay what is owed.

        None for at once, since a debt of earlier bills has no deadline of its own (DOMAIN 5),
        and None when nothing is owed.
        """
        overdue = self.payable - self.amount >= RIAL_STEP
        return self.due_date if self.balance > 0 and not overdue else None

    @property
    def last_figure(self) -> tuple[int, int] | None:
        """What the meter showed at its end, and when (UTC milliseconds); None: it does not say."""
        if self.to_reading is None or self.to_date is None:
            return None
        return self.to_reading, milliseconds(datetime.combine(self.to_date, time(), UTC))

    @property
    def use_by_readings(self) -> tuple[int, int] | None:
        """Units of the meter, and the days that they took, at least one; None: it does not say."""
        if not self.from_date or not self.to_date:
            return None
        if self.from_reading is None or self.to_reading is None:
            return None
        days = max(1, (self.to_date - self.from_date).days)
        return max(0, self.to_reading - self.from_reading), days


def units_used(
    used: int | None, from_reading: int | None, to_reading: int | None, digits: int
) -> int | None:
    """Units of a bill: those it says, or its readings' difference; None when it tells neither.

    A meter of ``digits`` digits that ends below its beginning has passed its highest figure.
    """
    if used is not None or from_reading is None or to_reading is None:
        return used
    rolled: int = 10**digits if to_reading < from_reading else 0
    return max(to_reading - from_reading + rolled, 0)


_wanted = unfolded({"subscriber_id": BigInteger()})
_newest = bills.alias("newest")
_newest_id = (
    select(_newest.c.id)
    .where(_newest.c.subscriber_id == _wanted.c.subscriber_id)
    .order_by(_newest.c.issued_at.desc(), _newest.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_of_an_instalment = exists().where(
    instalments.c.subscriber_id == payments.c.subscriber_id,
    instalments.c.bill_id == payments.c.bill_id,
    instalments.c.payment_id == payments.c.payment_id,
)
_paid_since = (
    select(func.coalesce(func.sum(payments.c.amount), 0))
    .where(
        payments.c.subscriber_id == bills.c.subscriber_id,
        payments.c.paid_at >= bills.c.issued_at,
        # Nearly all are of the newest bill, and need not be looked for among instalments.
        or_(payments.c.payment_id == bills.c.payment_id, ~_of_an_instalment),
    )
    .scalar_subquery()
)
_corrected_since = (
    select(func.coalesce(func.sum(corrections.c.amount), 0))
    .where(
        corrections.c.subscriber_id == bills.c.subscriber_id,
        corrections.c.at >= bills.c.issued_at,
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
    # PostgreSQL sums bigints into numeric: back to the integer that money is here.
    cast(_paid_since + _corrected_since, BigInteger),
    bills.c.period,
    bills.c.amount,
    bills.c.used,
    bills.c.kind,
    bills.c.issued_at,
    func.coalesce(bills.c.carried, 0),
).join_from(_wanted, bills, bills.c.id == _newest_id)


def load_last_bills(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, LastBill]:
    """The newest bill of each subscription that has one, by subscriber id; one statement."""
    if not subscriber_ids:
        return {}
    # All at once: row by row, fetching takes as long as finding them.
    rows = fetch(connection, _LAST_BILLS, as_rows((key,) for key in subscriber_ids))
    return {row[0]: LastBill._make(row) for row in rows}


def facts_of_issue(number: str, bill: LastBill, due: date | None) -> dict[str, Scalar]:
    """The facts of ``EventKind.BILL_ISSUED``, wherever the bill comes from."""
    return {
        "number": number,
        "period": bill.period,
        "kind": bill.kind,
        "amount": bill.amount,
        "payable": bill.payable,
        "bill_id": bill.bill_id or "",
        "payment_id": bill.payment_id or "",
        "due": due or "",
        "used": bill.used or 0,
        "from_date": bill.from_date or "",
        "to_date": bill.to_date or "",
        "from_reading": "" if bill.from_reading is None else bill.from_reading,
        "to_reading": "" if bill.to_reading is None else bill.to_reading,
    }


class LastBills(Shelf):
    """The newest bill of each subscription, with what counts against it since."""

    def __init__(self) -> None:
        self._bills: dict[int, LastBill] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        self._bills = load_last_bills(connection, ids_of(subjects))

    def of(self, subscriber: Subscriber) -> LastBill | None:
        """The newest bill, None when nothing has been billed yet."""
        return self._bills.get(subscriber.id)

    def by_id(self, subscriber_id: int) -> LastBill | None:
        """As ``of``, where no more is known of the subscription."""
        return self._bills.get(subscriber_id)

    def note(self, bill: LastBill) -> None:
        """Let a bill that this batch issues be the newest; whoever issues it stores it."""
        self._bills[bill.subscriber_id] = bill
