"""What SMS panels need remembered: which texts they have handed over, which states are open.

A panel hands a text over once, or again whenever it is asked, or as often as it was not told
that the text has arrived. Each text has a mark (a keyed hash of its id, or of all that is said
of it), and is taken when its mark is new.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, delete, exists, select

from core.bulk import as_rows, insert_rows, unfolded
from core.database import by_index_only
from core.ids import first_id_at
from core.outbox import State
from core.tables import outbox, panel_marks

KEPT_MS = 7 * 86_400_000
"""No panel hands over again what is older."""


def seen(connection: Connection, panel: str, marks: Collection[int]) -> set[int]:
    """Which of these marks the panel's texts have had before."""
    by_index_only(connection)
    return set(connection.scalars(_SEEN, as_rows((panel, mark) for mark in marks)))


def note_seen(connection: Connection, panel: str, marks: Collection[int], now: int) -> None:
    """Remember that these texts are stored; what is too old to come again is forgotten."""
    rows = [(panel, mark, now) for mark in marks]
    insert_rows(connection, panel_marks, ("panel", "mark", "seen_at"), rows, or_ignore=True)
    connection.execute(delete(panel_marks).where(panel_marks.c.seen_at < now - KEPT_MS))


def has_handed_over(connection: Connection, panel: str) -> bool:
    """Whether anything of this panel has ever been stored here."""
    return bool(connection.scalar(select(exists().where(panel_marks.c.panel == panel))))


class Awaited(NamedTuple):
    """A message that a panel took, and of which it has not said what became."""

    smsc_id: str
    accepted_at: int


class AwaitedPage(NamedTuple):
    """Some of them, and where to go on."""

    found: Sequence[Awaited]
    last_id: int
    """The last row that was looked at; 0: there are no more."""


def awaited(
    connection: Connection, panel: str, since: int, after: int, limit: int = 5_000
) -> AwaitedPage:
    """Messages made since ``since`` whose state the panel still owes, row by row after ``after``.

    Rows are walked in the order of their ids, ``limit`` at a time: no index is kept for what is
    asked for when a daemon starts.
    """
    by_index_only(connection)
    walked = (
        select(
            outbox.c.id, outbox.c.part, outbox.c.smsc, outbox.c.smsc_id, outbox.c.state,
            outbox.c.accepted_at,
        )
        .where(outbox.c.id > max(after, first_id_at(since) - 1))
        .order_by(outbox.c.id)
        .limit(limit)
    )  # fmt: skip
    rows = connection.execute(walked).all()
    found = {
        row.smsc_id: Awaited(row.smsc_id, row.accepted_at or since)
        for row in rows
        if row.smsc == panel and row.smsc_id and row.state == State.ACCEPTED
    }
    return AwaitedPage(list(found.values()), rows[-1].id if len(rows) == limit else 0)


_marks = unfolded({"panel": Text(), "mark": BigInteger()})
_SEEN = select(panel_marks.c.mark).join_from(
    _marks,
    panel_marks,
    (panel_marks.c.panel == _marks.c.panel) & (panel_marks.c.mark == _marks.c.mark),
)
