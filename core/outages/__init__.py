"""Planned interruptions of the supply: where, from when to when, and why (seed 002).

Whoever plans one enters it; templates that are made of outages tell the subscribers of its
region beforehand (``core.outages.notices``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from core.database import by_index_only
from core.runs.states import Move, after
from core.runs.store import move, runs_about
from core.tables import outages, subscribers
from core.text import nearest_hint, normalise

EVERYWHERE: Final = ""
"""The region of an outage that concerns all subscribers of the utility."""
OPEN_MS: Final = 6 * 3_600_000
"""How long an outage without an end is told of, after it has begun."""
MOST_AHEAD_MS: Final = 366 * 86_400_000


class OutageError(ValueError):
    """An outage cannot be entered or cancelled, in words for whoever tries."""


class NewOutage(NamedTuple):
    """What somebody enters."""

    utility: str
    region: str
    begins_at: int
    """UTC milliseconds, as all instants here."""
    ends_at: int | None
    reason: str
    by: str
    now: int


class Outage(NamedTuple):
    """An outage as it is stored."""

    id: int
    utility: str
    region: str
    begins_at: int
    ends_at: int | None
    reason: str
    created_at: int
    created_by: str
    cancelled_at: int | None

    @property
    def subject(self) -> str:
        """What runs that tell of it are about."""
        return f"outage:{self.id}"

    @property
    def over_at(self) -> int:
        """When telling of it helps nobody any more."""
        return self.begins_at + OPEN_MS if self.ends_at is None else self.ends_at


class OutageFilter(NamedTuple):
    """Which outages are listed."""

    utility: str | None = None
    region: str | None = None
    over_after: int | None = None
    """Only those that end after this; those without an end while they are told of."""
    cancelled: bool = True
    """Whether cancelled ones are listed, too."""
    limit: int = 50
    utilities: frozenset[str] | None = None
    """Only those of these utilities."""


def add(connection: Connection, new: NewOutage) -> Outage:
    """Enter an outage. Raises ``OutageError``."""
    region = checked_region(connection, new.utility, new.region)
    found = Outage(
        0,
        new.utility,
        region,
        new.begins_at,
        new.ends_at,
        new.reason.strip(),
        new.now,
        new.by,
        None,
    )
    if new.ends_at is not None and new.ends_at <= new.begins_at:
        raise OutageError("the outage ends before it begins")
    if found.over_at <= new.now:
        raise OutageError("the outage is over already: nobody would be told of it")
    if new.begins_at > new.now + MOST_AHEAD_MS:
        raise OutageError("the outage begins in more than a year; is the date right?")
    row = {name: value for name, value in found._asdict().items() if name != "id"}
    made = connection.execute(insert(outages).values(row).returning(outages.c.id))
    return found._replace(id=made.scalar_one())


def checked_region(connection: Connection, utility: str, region: str) -> str:
    """The region as the subscribers have it. Raises ``OutageError``, with the nearest name."""
    wanted = normalise(region).strip()
    if wanted == EVERYWHERE:
        return EVERYWHERE
    known = regions_of(connection, utility)
    for each in known:
        if normalise(each).strip() == wanted:
            return each
    hint = nearest_hint(wanted, known) or "it has no subscribers yet"
    raise OutageError(f"no subscriber of {utility} is in the region {region!r}; {hint}")


def regions_of(connection: Connection, utility: str) -> list[str]:
    """The regions that subscribers of a utility are in."""
    mine = select(subscribers.c.region).where(subscribers.c.utility == utility).distinct()
    return [each for each in connection.scalars(mine) if each]


def subscribers_in(connection: Connection, utility: str, region: str) -> int:
    """How many subscriptions an outage concerns."""
    query = select(func.count()).where(
        subscribers.c.utility == utility, subscribers.c.state == "active"
    )
    if region != EVERYWHERE:
        query = query.where(subscribers.c.region == region)
    return connection.scalar(query) or 0


def show(connection: Connection, outage_id: int) -> Outage | None:
    """One outage."""
    row = connection.execute(_OUTAGES.where(outages.c.id == outage_id)).one_or_none()
    return None if row is None else Outage._make(row)


def list_outages(connection: Connection, wanted: OutageFilter) -> list[Outage]:
    """Outages, those that begin first first."""
    query = _OUTAGES.order_by(outages.c.begins_at, outages.c.id).limit(wanted.limit)
    if wanted.utility is not None:
        query = query.where(outages.c.utility == wanted.utility)
    if wanted.utilities is not None:
        query = query.where(outages.c.utility.in_(sorted(wanted.utilities)))
    if wanted.region is not None:
        query = query.where(outages.c.region == wanted.region)
    if wanted.over_after is not None:
        over_at = func.coalesce(outages.c.ends_at, outages.c.begins_at + OPEN_MS)
        query = query.where(over_at > wanted.over_after)
    if not wanted.cancelled:
        query = query.where(outages.c.cancelled_at.is_(None))
    return [Outage._make(row) for row in connection.execute(query)]


def between(
    connection: Connection, utilities: Iterable[str], since: int, until: int
) -> list[Outage]:
    """Outages of these utilities that begin in that time, cancelled ones among them."""
    begins = (outages.c.begins_at > since, outages.c.begins_at <= until)
    ordered = _OUTAGES.where(outages.c.utility.in_(sorted(utilities)), *begins).order_by(
        outages.c.begins_at, outages.c.id
    )
    return [Outage._make(row) for row in connection.execute(ordered)]


def cancel(connection: Connection, outage_id: int, now: int) -> Outage:
    """Cancel an outage: whoever has not been told of it is not told any more.

    The runs that tell of it are cancelled with what has not left of them. Raises
    ``OutageError`` when there is no such outage, or nothing is left to be cancelled.
    """
    by_index_only(connection)
    found = show(connection, outage_id)
    if found is None:
        raise OutageError(f"there is no outage {outage_id}; `peyk outage list` shows the ids")
    if found.cancelled_at is not None:
        raise OutageError(f"outage {outage_id} is cancelled already")
    if found.over_at <= now:
        raise OutageError(f"outage {outage_id} is over already")
    mine = (outages.c.id == outage_id, outages.c.cancelled_at.is_(None))
    connection.execute(update(outages).where(*mine).values(cancelled_at=now))
    for run in runs_about(connection, [found.subject]):
        if after(run.state, Move.CANCEL, is_produced=run.produced_at is not None) is not None:
            move(connection, run.id, Move.CANCEL, now)
    return found._replace(cancelled_at=now)


_OUTAGES: Final = select(*(outages.c[name] for name in Outage._fields))
