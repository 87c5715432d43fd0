"""What is on record of one subscription: mobiles, bills, payments, instalments, readings, requests.

The newest of each, for the people at a counter (seed 000, annex 1: مشاهده سوابق).
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, select

from core.bills import LastBill, load_last_bills, units_used
from core.database import by_index_only
from core.instalments import Instalment, load_unpaid
from core.readings.lists import Listed as Reading
from core.readings.lists import readings_of
from core.subscribers import Detail
from core.tables import bills, contacts, payments, requests


class Contact(NamedTuple):
    """A mobile that may act for the subscription."""

    id: int
    mobile: str
    source: str
    created_at: int


class Bill(NamedTuple):
    """A bill of a list."""

    id: int
    period: str
    kind: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used: int | None
    """Units of the meter."""
    amount: int
    payable: int
    due_date: date | None
    issued_at: int


class Payment(NamedTuple):
    """A payment of a list."""

    id: int
    amount: int
    paid_at: int
    channel: str
    reference: str


class Request(NamedTuple):
    """A request of a list."""

    id: int
    tracking: str
    kind: str
    state: str
    created_at: int


class Records(NamedTuple):
    """The newest of each kind, the newest first."""

    contacts: list[Contact]
    """All of them, in the order in which they were registered."""
    last: LastBill | None
    """The newest bill, with what was paid since; None when nothing was billed yet."""
    bills: list[Bill]
    payments: list[Payment]
    unpaid: tuple[Instalment, ...]
    """All that are to be paid still, the next due first."""
    readings: list[Reading]
    requests: list[Request]


def records_of(connection: Connection, detail: Detail, limit: int, office: str = "") -> Records:
    """What is on record; ``limit`` of each kind at the most.

    ``office``: of requests only those that this counter office has registered; "" for all.
    """
    by_index_only(connection)
    key = detail.id
    billed = newest(connection, Bill, bills.c.issued_at, key, limit)
    return Records(
        contacts_of(connection, key),
        load_last_bills(connection, [key]).get(key),
        [_with_use(each, detail.meter_digits) for each in billed],
        newest(connection, Payment, payments.c.paid_at, key, limit),
        load_unpaid(connection, [key]).get(key, ()),
        readings_of(connection, key, limit),
        newest(
            connection,
            Request,
            requests.c.created_at,
            key,
            limit,
            *([requests.c.office == office] if office else []),
        ),
    )


def newest(
    connection: Connection,
    made: Any,
    at: Column[Any],
    key: int,
    limit: int,
    *also: ColumnElement[bool],
) -> list[Any]:
    """The newest rows of a subscription in the table of ``at``, by that column, as ``made``."""
    table: Any = at.table
    rows = connection.execute(
        select(*(table.c[name] for name in made._fields))
        .where(table.c.subscriber_id == key, *also)
        .order_by(at.desc(), table.c.id.desc())
        .limit(limit)
    )
    return [made._make(row) for row in rows]


def contacts_of(connection: Connection, subscriber_id: int) -> list[Contact]:
    """The mobiles of a subscription, in the order in which they were registered."""
    by_index_only(connection)
    rows = connection.execute(
        select(*(contacts.c[name] for name in Contact._fields))
        .where(contacts.c.subscriber_id == subscriber_id)
        .order_by(contacts.c.created_at, contacts.c.id)
    )
    return [Contact._make(row) for row in rows]


def newest_reading(connection: Connection, subscriber_id: int) -> int:
    """The id of the last reading of a subscription; 0 for none."""
    found = readings_of(connection, subscriber_id, 1)
    return found[0].id if found else 0


def _with_use(bill: Bill, digits: int) -> Bill:
    return bill._replace(used=units_used(bill.used, bill.from_reading, bill.to_reading, digits))
