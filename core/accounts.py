"""What the utility knows of one subscription: whose it is, what is owed, billed and paid."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from core.bills import LastBill, load_last_bills
from core.database import by_index_only
from core.instalments import Instalment, load_unpaid
from core.readings import ReadingState
from core.tables import bills, contacts, payments, readings, subscribers


class Holder(NamedTuple):
    """A subscription, and who has it."""

    id: int
    utility: str
    number: str
    name: str
    usage: str
    units: int
    capacity: int | None
    meter_serial: str | None
    meter_digits: int
    address: str
    region: str
    bill_id: str | None
    wastewater: bool
    state: str
    changed_at: int


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

    holder: Holder
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
    by_index_only(connection)
    mine = subscribers.c.utility == utility, subscribers.c.number == number
    columns = (subscribers.c[name] for name in Holder._fields)
    row = connection.execute(select(*columns).where(*mine)).one_or_none()
    if row is None:
        return None
    holder = Holder._make(row)
    mobiles = select(contacts.c.mobile).where(contacts.c.subscriber_id == holder.id).order_by("id")
    read = _newest(connection, readings, Read, "read_at", (holder.id, most))
    return Account(
        holder,
        tuple(connection.scalars(mobiles)),
        load_last_bills(connection, [holder.id]).get(holder.id),
        _newest(connection, bills, Bill, "issued_at", (holder.id, most)),
        _newest(connection, payments, Payment, "paid_at", (holder.id, most)),
        tuple(each for each in read if each.state != ReadingState.REJECTED),
        load_unpaid(connection, [holder.id]).get(holder.id, ()),
    )


def _newest(
    connection: Connection, table: Table, kind: Any, at: str, which: tuple[int, int]
) -> tuple[Any, ...]:
    subscriber_id, most = which
    rows = connection.execute(
        select(*(table.c[name] for name in kind._fields))
        .where(table.c.subscriber_id == subscriber_id)
        .order_by(table.c[at].desc(), table.c.id.desc())
        .limit(most)
    )
    return tuple(kind._make(row) for row in rows)
