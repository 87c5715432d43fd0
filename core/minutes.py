"""How many messages came and went in each minute, as every daemon has counted them.

Charts of a day are made of these few rows and never of the messages themselves. Each process
writes what *it* has counted in a minute, again and again until the minute is over: writing
it twice changes nothing, and the rows of several daemons, or of one before and after a
restart, add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, not_, select

from core.bulk import Upsert, put_rows
from core.tables import minute_counts

MINUTE_MS: Final = 60_000
KEPT_MS: Final = 8 * 86_400_000
"""How long they are kept: a week, and the day before it."""


class Counts(NamedTuple):
    """What came and went; of messages that go out, each part is one."""

    received: int = 0
    """Texts that came in."""
    dialled: int = 0
    """USSD inputs that came in."""
    sent: int = 0
    """Parts that an operator took."""
    delivered: int = 0
    failed: int = 0
    """Refused, undeliverable or too late: for good."""
    put_off: int = 0
    """Attempts that failed and are made again."""
    uncertain: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))

    @property
    def share_delivered(self) -> float | None:
        """Of those whose end is known, 0 … 1; None where none is."""
        ended = self.delivered + self.failed
        return self.delivered / ended if ended else None


NOTHING: Final = Counts()


class Writer(NamedTuple):
    """Which process of which daemon counts."""

    node: int
    started_at: int


_PUT: Final = Upsert(
    minute_counts,
    ("minute", "node", "started_at", *Counts._fields),
    ("minute", "node", "started_at"),
)


def store_counts(connection: Connection, writer: Writer, counted: Mapping[int, Counts]) -> None:
    """Write what a process has counted so far, by minute (UTC milliseconds of its start)."""
    put_rows(connection, _PUT, [(minute, *writer, *each) for minute, each in counted.items()])


def counts_since(
    connection: Connection, since: int, but: Writer | None = None
) -> dict[int, Counts]:
    """The counts of all processes (``but`` one) by minute, from the minute ``since`` on."""
    row = minute_counts.c
    query = select(row.minute, *(func.sum(row[name]) for name in Counts._fields))
    query = query.where(row.minute >= since).group_by(row.minute)
    if but is not None:
        own = (row.node == but.node) & (row.started_at == but.started_at)
        query = query.where(not_(own))
    return {minute: Counts(*map(int, counts)) for minute, *counts in connection.execute(query)}


def forget_counts(connection: Connection, before: int) -> None:
    """Drop the counts of minutes that began before that."""
    connection.execute(delete(minute_counts).where(minute_counts.c.minute < before))


def total(counted: Sequence[Counts]) -> Counts:
    """All of them together."""
    return Counts(*map(sum, zip(*counted, strict=True))) if counted else NOTHING
