"""What the utility knows of one subscription: whose it is, what is owed, billed and paid."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from core.bills import LastBill, load_last_bills
from core.instalments import Instalment, load_unpaid
from core.readings import ReadingState
from core.subscribers import Detail, subscriber_of
from core.subscribers.records import newest
from core.tables import bills, contacts, payments, readings


class Bill(NamedTuple):
    """One bill; money in rial."""

    period: str
    kind: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used: int | None
    amount: int
    payable: int
    bill_id: str | None
    payment_id: str | None
    due_date: date | None
    issued_at: int


class Payment(NamedTuple):
    """One payment."""

    amount: int
    paid_at: int
    channel: str
    reference: str
    bill_id: str | None
    payment_id: str | None


class Read(NamedTuple):
    """One reading of the meter."""

    reading: int
    read_at: int
    source: str
    state: str
    meter_state: str


class Account(NamedTuple):
    """All of it, each list the newest first."""

    holder: Detail
    mobiles: tuple[str, ...]
    last_bill: LastBill | None
    bills: tuple[Bill, ...]
    payments: tuple[Payment, ...]
    readings: tuple[Read, ...]
    """Those that are accepted, or wait for somebody to look at them."""
    instalments: tuple[Instalment, ...]
    """Those that are not paid, the next due first."""


def find_account(connection: Connection, utility: str, number: str, most: int) -> Account | None:
    """One subscription with at most so many rows of each list; seven statements."""
    holder = subscriber_of(connection, utility, number)
    if holder is None:
        return None
    mobiles = select(contacts.c.mobile).where(contacts.c.subscriber_id == holder.id).order_by("id")
    read = newest(connection, Read, readings.c.read_at, holder.id, most)
    return Account(
        holder,
        tuple(connection.scalars(mobiles)),
        load_last_bills(connection, [holder.id]).get(holder.id),
        tuple(newest(connection, Bill, bills.c.issued_at, holder.id, most)),
        tuple(newest(connection, Payment, payments.c.paid_at, holder.id, most)),
        tuple(each for each in read if each.state != ReadingState.REJECTED),
        load_unpaid(connection, [holder.id]).get(holder.id, ()),
    )
