"""Meter readings: the last ones of a subscription, and whether a new one can be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    false,
    func,
    or_,
    select,
    union_all,
)

from core.bills import LastBill
from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.policy import Policy
from core.shelf import Asker, Shelf, Subject, Subscriber
from core.statements import fetch
from core.tables import readings

DAY_MS = 86_400_000
_MS = timedelta(milliseconds=1)


class ReadingState(StrEnum):
    """What the utility makes of a reading."""

    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    """Implausible; waits for the subscriber to send it again."""
    DOUBTFUL = "doubtful"
    """Implausible and confirmed by the subscriber: it counts, and staff look at it."""
    REJECTED = "rejected"


class MeterState(StrEnum):
    """How the meter was found (DOMAIN section 5). Subscribers' own readings are ``normal``."""

    NORMAL = "normal"
    BROKEN = "broken"
    CHANGED = "changed"
    """A new meter: the reading is its first figure, ``old_end`` the last one of the old."""
    REVERSED = "reversed"
    """Built in the wrong way round: it counts down."""
    CLOSED = "closed"
    ROLLED_OVER = "rolled_over"
    """It has passed its highest figure."""
    NO_USE = "no_use"
    OBSTACLE = "obstacle"
    UNREAD = "unread"
    ABANDONED = "abandoned"
    DISCONNECTED = "disconnected"


class Reading(NamedTuple):
    """One stored reading."""

    id: int
    subscriber_id: int
    reading: int
    read_at: int
    source: str
    state: str


class Newest(NamedTuple):
    """The newest reading that counts, and a newer one that waits to be confirmed."""

    counted: Reading | None
    unconfirmed: Reading | None


_NONE = Newest(None, None)
_COUNTED = (ReadingState.ACCEPTED.value, ReadingState.DOUBTFUL.value)


_Rows: TypeAlias = Select[int, int, int, int, str, str]
_wanted = unfolded({"subscriber_id": BigInteger(), "since": BigInteger()})
_newest = readings.alias("newest")


def _in(states: tuple[str, ...], table: FromClause) -> ColumnElement[bool]:
    # A bare column would let SQLite walk all readings in a state for each subscription.
    return or_(*(func.coalesce(table.c.state, "") == state for state in states))


def _newest_in(states: tuple[str, ...], *more: ColumnElement[bool]) -> _Rows:
    """Select the newest readings in these states: those of one instant, seldom more than one.

    By the instant, as an index has them. In the order of ids within it they would have to be
    sorted, which costs SQLite more than finding them.
    """
    newest = (
        select(_newest.c.read_at)
        .where(_newest.c.subscriber_id == _wanted.c.subscriber_id, _in(states, _newest), *more)
        .order_by(_newest.c.read_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        readings.c.id,
        readings.c.subscriber_id,
        readings.c.reading,
        readings.c.read_at,
        readings.c.source,
        readings.c.state,
    ).join_from(
        _wanted,
        readings,
        (readings.c.subscriber_id == _wanted.c.subscriber_id)
        & (readings.c.read_at == newest)
        & _in(states, readings),
    )


_NEWEST = union_all(
    _newest_in(_COUNTED),
    _newest_in((ReadingState.UNCONFIRMED.value,), _newest.c.read_at >= _wanted.c.since),
)


def load_last_readings(connection: Connection, since: Mapping[int, int]) -> dict[int, Newest]:
    """The last readings of each subscription, by subscriber id; one statement.

    ``since`` says for each from when on one that waits to be confirmed is asked for.
    """
    found: dict[int, Newest] = {}
    if since:
        rows = map(Reading._make, fetch(connection, _NEWEST, as_rows(since.items())))
        # Of those of one instant the one that came last.
        for reading in sorted(rows):
            newest = found.get(reading.subscriber_id, _NONE)
            found[reading.subscriber_id] = _with(newest, reading)
    return found


def _with(newest: Newest, reading: Reading) -> Newest:
    """The newest readings with another one, which is newer."""
    if reading.state == ReadingState.UNCONFIRMED:
        return Newest(newest.counted, reading)
    return Newest(reading, newest.unconfirmed)


def confirmable_since(asker: Asker) -> int:
    """From when on a reading can wait to be confirmed by what the asker sends now, UTC ms."""
    return asker.at - asker.policy.confirm_within // _MS


def used_since(reading: int, last: int, digits: int, policy: Policy) -> int | None:
    """Units used between two readings of one meter; None when ``reading`` cannot follow.

    A meter of ``digits`` digits that shows less than before has passed its highest figure
    if what that implies is a small part of its range (``Policy.rollover_share``).
    """
    if reading >= last:
        return reading - last
    span: int = 10**digits
    implied = span - last + reading
    return implied if implied * 100 < span * policy.rollover_share else None


class MeterChange(NamedTuple):
    """A meter that was changed between two readings."""

    at: int
    """UTC milliseconds."""
    old_end: int | None
    """The last figure of the old meter; None when nobody wrote it down, and then what it
    counted since its last reading is nobody's."""
    new_start: int


def used_through(
    reading: int, last: int, changes: Iterable[MeterChange], digits: int, policy: Policy
) -> int | None:
    """Units used between two readings with changes of the meter between them.

    Each meter's own part, as ``used_since`` counts it; None when one of them cannot be.
    """
    total = 0
    for change in changes:
        end = last if change.old_end is None else change.old_end
        used = used_since(end, last, digits, policy)
        if used is None:
            return None
        total, last = total + used, change.new_start
    used = used_since(reading, last, digits, policy)
    return None if used is None else total + used


def is_plausible(used: int, since_ms: int, bill: LastBill | None, policy: Policy) -> bool:
    """Whether ``used`` units in ``since_ms`` agree with what the last bill shows of the use."""
    if used <= policy.plausible_units:
        return True
    known = bill.use_by_readings if bill else None
    if known is None:
        return True
    billed, billed_days = known
    days = max(1, since_ms // DAY_MS)
    return used * billed_days <= policy.plausible_factor * billed * days


# Bare columns would let PostgreSQL begin with all changes of meters, which it takes for few
# and has no index of; so would an order that is an index's.
IS_METER_CHANGE = func.coalesce(
    (readings.c.meter_state == MeterState.CHANGED.value)
    & or_(*(readings.c.state == state for state in _COUNTED)),
    false(),
)
"""The condition of readings that are a change of the meter, and count."""


class LastReadings(Shelf):
    """The newest readings of each subscription, and those that this batch brings."""

    def __init__(self) -> None:
        self._newest: dict[int, Newest] = {}
        self._new: list[tuple[object, ...]] = []
        self._confirmed: list[tuple[int, str]] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        since: dict[int, int] = {}
        for asker, _call, subscribers in subjects:
            first = confirmable_since(asker)
            for subscriber in subscribers:
                since[subscriber.id] = min(first, since.get(subscriber.id, first))
        self._newest = load_last_readings(connection, since)

    def of(self, subscriber: Subscriber) -> Newest:
        """The newest reading that counts, and one that waits to be confirmed."""
        return self._newest.get(subscriber.id, _NONE)

    def add(self, asker: Asker, subscriber: Subscriber, reading: int, state: ReadingState) -> None:
        """Store a reading that the asker sent."""
        row = Reading(0, subscriber.id, reading, asker.at, asker.source, state.value)
        self._newest[subscriber.id] = _with(self.of(subscriber), row)
        self._new.append((*row[1:], asker.mobile or None, asker.message_id))

    def confirm(self, subscriber: Subscriber, waiting: Reading) -> None:
        """Let a reading that waited for confirmation count, as doubtful."""
        counted = waiting._replace(state=ReadingState.DOUBTFUL.value)
        self._newest[subscriber.id] = Newest(counted, None)
        if waiting.id:
            self._confirmed.append((waiting.id, counted.state))
        else:
            # Brought by an earlier message of this very batch: its row is still pending.
            self._new = [
                (*row[:4], counted.state, *row[5:]) if row[:3] == waiting[1:4] else row
                for row in self._new
            ]

    def store(self, connection: Connection) -> None:
        """Two statements."""
        # Two equal readings of one millisecond are one reading.
        insert_rows(connection, readings, _NEW_COLUMNS, self._new, or_ignore=True)
        update_rows(connection, readings, ("id", "state"), self._confirmed)


_NEW_COLUMNS = ("subscriber_id", "reading", "read_at", "source", "state", "mobile", "inbox_id")
