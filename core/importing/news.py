"""What an import brings that is news to subscribers: bills just issued, payments just made.

Files hold years of both. What is older than ``NEWS_DAYS`` when it comes in is history, and
so is what was there already: neither makes an event, so that nobody gets a message about
the bill of last year because the utility sent its archive.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Executable, and_, select

from core.bills import PERIOD, LastBill, facts_of_issue, units_used
from core.bulk import Upsert, as_rows, unfolded
from core.events import Event, EventKind, store_events
from core.jalali import instant_of
from core.tables import subscribers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from core.calls import Scalar
    from core.ids import IdMaker
    from core.importing.kinds import Values

NEWS_DAYS: Final = 45
_NEWS_MS: Final = NEWS_DAYS * 86_400_000

Keyed = dict[tuple[Any, ...], "Values"]
"""Rows of a file by the key they are stored under; with ``subscriber_id`` among the values."""


def new_among(connection: Connection, how: Upsert, rows: Keyed, at: str, now: int) -> Keyed:
    """Those of ``rows`` that are recent by the instant ``at`` and not stored yet.

    One statement, and none when nothing is recent. To be asked before they are stored.
    """
    recent = {key: values for key, values in rows.items() if values[at] > now - _NEWS_MS}
    if not recent:
        return {}
    there = connection.execute(_there(how), as_rows(recent))
    for key in there:
        recent.pop(tuple(key), None)
    return recent


@cache
def _there(how: Upsert) -> Executable:
    batch = unfolded({name: how.table.c[name].type for name in how.key})
    same = (how.table.c[name] == batch.c[name] for name in how.key)
    return select(*batch.c).join_from(batch, how.table, and_(*same))


def tell(
    connection: Connection,
    ids: IdMaker,
    rows: Keyed,
    event_of: Callable[[Values, int], Event],
    now: int,
) -> None:
    """Store an event for each of these rows; two statements."""
    store_events(connection, [(ids.one(), event_of(values, now)) for values in rows.values()])


def with_units(connection: Connection, rows: Keyed) -> Keyed:
    """Bills with what was used, of the readings where a row does not say it; one statement."""
    asked = as_rows((values["subscriber_id"],) for values in rows.values())
    digits = {row.id: row.meter_digits for row in connection.execute(_DIGITS, asked)}
    return {
        key: {**values, "used": _units(values, digits[values["subscriber_id"]])}
        for key, values in rows.items()
    }


def _units(values: Values, digits: int) -> int | None:
    read = values.get("from_reading"), values.get("to_reading")
    return units_used(values.get("used"), *read, digits)


_concerned = unfolded({"id": BigInteger()})
_DIGITS = select(subscribers.c.id, subscribers.c.meter_digits).join_from(
    _concerned, subscribers, subscribers.c.id == _concerned.c.id
)


def bill_issued(values: Values, now: int) -> Event:
    """Tell of a bill, with the facts of ``EventKind.BILL_ISSUED``."""
    known = {name: values[name] for name in LastBill._fields if name in values}
    bill = LastBill(**{**known, "paid_since": 0, "kind": PERIOD})
    about = facts_of_issue(values["number"], bill, bill.deadline)
    return _event(EventKind.BILL_ISSUED, values, now, about)


def payment_booked(values: Values, now: int) -> Event:
    """Tell of a payment, with the facts of ``EventKind.PAYMENT_BOOKED``."""
    about: dict[str, Scalar] = {
        "number": values["number"],
        "amount": values["amount"],
        "bill_id": values["bill_id"] or "",
        "payment_id": values["payment_id"] or "",
        "reference": values["reference"],
        "paid_at": instant_of(values["paid_at"]),
    }
    return _event(EventKind.PAYMENT_BOOKED, values, now, about)


def _event(kind: EventKind, values: Values, at: int, about: dict[str, Scalar]) -> Event:
    return Event(kind, values["utility"], at, about, values["subscriber_id"])
