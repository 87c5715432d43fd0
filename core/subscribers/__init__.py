"""Finding subscriptions: by whatever names them, for staff; each by its id.

Source: seed 000, annex 1: the counter offices look subscribers up. What a subscription's own
mobile may see is ``core.identity``'s and ``core.particulars``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select, union

from core.database import by_index_only
from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.tables import contacts, subscribers
from core.text import normalise

SHORTEST_NAME = 2
"""Letters of a name that are searched by, at the least."""
_SEPARATORS = str.maketrans("", "", " -_/.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberFilter:
    """Which subscriptions."""

    utilities: Collection[str]
    """Of these alone."""
    said: str
    """A subscription number, bill ID, meter serial or mobile in any digits, or words of a name."""
    before: int | None = None
    """Only those with a smaller id: the next page."""
    limit: int = 50

    @property
    def is_name(self) -> bool:
        """Whether it is looked for by name: ``core.subscribers.names``."""
        return not any(sign.isdigit() for sign in self.said)


class Found(NamedTuple):
    """A subscription in a list."""

    id: int
    utility: str
    number: str
    name: str
    usage: str
    state: str
    bill_id: str | None
    meter_serial: str | None


class Detail(NamedTuple):
    """All that is on record of a subscription itself."""

    id: int
    utility: str
    number: str
    name: str
    address: str
    region: str
    usage: str
    units: int
    capacity: int | None
    meter_serial: str | None
    meter_digits: int
    bill_id: str | None
    wastewater: bool
    state: str
    has_code: bool
    """Whether a secret code was issued."""
    changed_at: int
    """UTC milliseconds."""


def search(connection: Connection, wanted: SubscriberFilter) -> list[Found]:
    """Subscriptions by what identifies one, the newest record first; none for a name."""
    if wanted.is_name:
        return []
    by_index_only(connection)
    query = select(*(subscribers.c[name] for name in Found._fields))
    query = query.where(subscribers.c.utility.in_(sorted(wanted.utilities)))
    # One lookup for each name that it may be: PostgreSQL would scan for a condition with OR.
    query = query.where(subscribers.c.id.in_(union(*_named(wanted))))
    if wanted.before is not None:
        query = query.where(subscribers.c.id < wanted.before)
    query = query.order_by(subscribers.c.id.desc()).limit(wanted.limit)
    return [Found._make(row) for row in connection.execute(query)]


def _named(wanted: SubscriberFilter) -> Iterator[Select[tuple[int]]]:
    said = normalise(wanted.said).strip()
    plain = said.translate(_SEPARATORS)
    utilities = sorted(wanted.utilities)
    of_ours = select(subscribers.c.id).where(subscribers.c.utility.in_(utilities))
    for spelled in sorted({said, plain}):
        yield of_ours.where(subscribers.c.number == spelled)
        yield of_ours.where(subscribers.c.meter_serial == spelled)
    yield of_ours.where(subscribers.c.bill_id == plain)
    try:
        mobile = normal_mobile(plain)
    except MobileError:
        return
    yield select(contacts.c.subscriber_id).where(
        contacts.c.mobile == mobile, contacts.c.utility.in_(utilities)
    )


_DETAIL = select(
    *(subscribers.c[name] for name in Detail._fields if name != "has_code"),
    subscribers.c.code_hash.is_not(None).label("has_code"),
)


def find_subscriber(connection: Connection, subscriber_id: int) -> Detail | None:
    """One subscription."""
    return _detail(connection, subscribers.c.id == subscriber_id)


def subscriber_of(connection: Connection, utility: str, number: str) -> Detail | None:
    """A utility's subscription of a number."""
    return _detail(connection, subscribers.c.utility == utility, subscribers.c.number == number)


def utilities_with(connection: Connection, utilities: Collection[str], number: str) -> list[str]:
    """Those of ``utilities`` that have a subscription of this number, by name."""
    theirs = (subscribers.c.utility.in_(utilities), subscribers.c.number == number)
    named = select(subscribers.c.utility).where(*theirs).order_by(subscribers.c.utility)
    return list(connection.execute(named).scalars())


def _detail(connection: Connection, *which: ColumnElement[bool]) -> Detail | None:
    by_index_only(connection)
    row = connection.execute(_DETAIL.where(*which)).one_or_none()
    if row is None:
        return None
    return Detail(**{**row._mapping, "has_code": bool(row.has_code)})  # noqa: SLF001 - its public name
