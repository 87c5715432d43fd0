"""Looking at readings: a list by what is known of them, those of one subscription, one by its id.

What is decided of them is ``core.readings.control``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, union_all

from core.database import by_index_only
from core.readings import ReadingState
from core.tables import readings, subscribers

MOST_COUNTED = 100
"""Those that wait are counted up to this: beyond it, how many they are tells nobody anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFilter:
    """Which readings; None does not restrict."""

    utility: str | None = None
    utilities: Collection[str] | None = None
    """Only of these."""
    number: str | None = None
    """Of the subscription."""
    state: ReadingState | None = None
    since: int | None = None
    """UTC milliseconds; the first that counts …"""
    until: int | None = None
    """… and the first that no longer does."""
    before: int | None = None
    """Only those that are listed after the reading of this id."""
    limit: int | None = 50
    """None takes all."""


class Listed(NamedTuple):
    """A reading as the utility looks at it."""

    id: int
    utility: str
    number: str
    reading: int
    read_at: int
    """UTC milliseconds."""
    state: str
    meter_state: str
    source: str
    mobile: str | None
    decided_at: int | None
    decided_by: str | None
    note: str | None


LISTED = (
    readings.c.id,
    subscribers.c.utility,
    subscribers.c.number,
    readings.c.reading,
    readings.c.read_at,
    readings.c.state,
    readings.c.meter_state,
    readings.c.source,
    readings.c.mobile,
    readings.c.decided_at,
    readings.c.decided_by,
    readings.c.note,
)
"""The columns of ``Listed``."""


class Known(NamedTuple):
    """A reading, and whose it is."""

    reading: Listed
    subscriber_id: int
    name: str
    meter_digits: int
    old_end: int | None
    """Of a changed meter: the last figure of the old one."""


def list_readings(connection: Connection, wanted: ReadingFilter) -> list[Listed]:
    """Readings, the newest first; one statement, and one more for what is listed after another."""
    if wanted.limit is not None:
        by_index_only(connection)
    conditions = list(_conditions(wanted))
    if wanted.before is not None:
        last = select(readings.c.read_at).where(readings.c.id == wanted.before)
        read_at = connection.execute(last).scalar_one_or_none()
        if read_at is None:
            return []
        is_earlier = (readings.c.read_at < read_at) | (readings.c.id < wanted.before)
        conditions += [readings.c.read_at <= read_at, is_earlier]
    listed = select(*LISTED).join_from(readings, subscribers).where(*conditions)
    if wanted.number is not None:
        if wanted.state is not None:
            listed = listed.where(readings.c.state == wanted.state.value)
        query = _newest(listed, wanted.limit)
    else:
        # Each state has its index by time: they are gone through side by side.
        states = [wanted.state] if wanted.state is not None else list(ReadingState)
        query = _newest_of_each(listed, states, wanted.limit)
    return [Listed._make(row) for row in connection.execute(query)]


_WAITING = (
    select(readings.c.id)
    .join_from(readings, subscribers)
    .where(readings.c.state == ReadingState.DOUBTFUL.value)
    .limit(MOST_COUNTED)
)
_WAITING_OF = _WAITING.where(subscribers.c.utility.in_(bindparam("utilities", expanding=True)))
# Built once: every page of the desk tells how many wait.
_COUNT = select(func.count()).select_from(_WAITING.subquery())
_COUNT_OF = select(func.count()).select_from(_WAITING_OF.subquery())


def count_waiting(connection: Connection, utilities: Collection[str] | None) -> int:
    """How many readings wait for a decision, ``MOST_COUNTED`` at the most; None: of everybody."""
    by_index_only(connection)
    if utilities is None:
        return connection.execute(_COUNT).scalar_one()
    return connection.execute(_COUNT_OF, {"utilities": sorted(utilities)}).scalar_one()


def readings_of(
    connection: Connection, subscriber_id: int, limit: int, until: int | None = None
) -> list[Listed]:
    """The last readings of a subscription, the newest first; only those up to ``until``."""
    by_index_only(connection)
    query = select(*LISTED).join_from(readings, subscribers)
    query = query.where(readings.c.subscriber_id == subscriber_id)
    if until is not None:
        query = query.where(readings.c.read_at <= until)
    return [Listed._make(row) for row in connection.execute(_newest(query, limit))]


def find_reading(connection: Connection, reading_id: int) -> Known | None:
    """One reading."""
    by_index_only(connection)
    row = connection.execute(
        select(
            *LISTED,
            readings.c.subscriber_id,
            subscribers.c.name,
            subscribers.c.meter_digits,
            readings.c.old_end,
        )
        .join_from(readings, subscribers)
        .where(readings.c.id == reading_id)
    ).one_or_none()
    if row is None:
        return None
    most = len(Listed._fields)
    return Known(Listed._make(row[:most]), *row[most:])


def _conditions(wanted: ReadingFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.utility is not None:
        yield subscribers.c.utility == wanted.utility
    if wanted.utilities is not None:
        yield subscribers.c.utility.in_(sorted(wanted.utilities))
    if wanted.number is not None:
        yield subscribers.c.number == wanted.number
    if wanted.since is not None:
        yield readings.c.read_at >= wanted.since
    if wanted.until is not None:
        yield readings.c.read_at < wanted.until


def _newest(query: Select[Any], limit: int | None) -> Select[Any]:
    return query.order_by(readings.c.read_at.desc(), readings.c.id.desc()).limit(limit)


def _newest_of_each(
    listed: Select[Any], states: Collection[ReadingState], limit: int | None
) -> Select[Any]:
    each = [
        _newest(listed.where(readings.c.state == state.value), limit).subquery(state.value)
        for state in states
    ]
    rows = union_all(*(select(one) for one in each)).subquery("listed")
    return select(rows).order_by(rows.c.read_at.desc(), rows.c.id.desc()).limit(limit)
