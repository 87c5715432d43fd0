"""Rows of a daemon that has gone are sent by another, once its lease on them has ended."""

from __future__ import annotations

from sqlalchemy import Connection, select

from core.database import Database
from core.outbox import LEASE_MS, Answer, State, store_answers
from core.sending import claim, renew_leases, take_over
from core.tables import outbox

NOW = 1_790_000_000_000
LINE = "100034122"
DEAD, ALIVE = 1, 2


def hand_over(database: Database, node: int, row_id: int) -> None:
    """An answer that this node is sending."""
    answer = Answer([row_id], 1, "989131234567", LINE, ["سلام"], None, NOW, "mci")
    database.transact("hand over", store_answers, [answer], node)


def states(database: Database) -> list[tuple[int, str, int | None]]:
    """Each row's state and node."""

    def read(connection: Connection) -> list[tuple[int, str, int | None]]:
        rows = connection.execute(select(outbox.c.id, outbox.c.state, outbox.c.node))
        return sorted((row[0], row[1], row[2]) for row in rows)

    return database.read("states", read)


def test_a_lease_that_ended_lets_another_daemon_send_the_row(database: Database) -> None:
    """Nobody has to restart the dead one for its messages to go out."""
    hand_over(database, DEAD, 10)
    assert database.transact("early", take_over, NOW + LEASE_MS) == 0
    later = NOW + LEASE_MS + 1
    assert database.transact("late", take_over, later) == 1
    claimed = database.transact("claim", claim, ALIVE, [LINE], 10, later)
    assert [(row.id, row.attempts) for row in claimed] == [(10, 1)]


def test_a_daemon_that_lives_keeps_what_it_holds(database: Database) -> None:
    """A slow campaign may have rows in hand for longer than one lease."""
    hand_over(database, DEAD, 10)
    hand_over(database, ALIVE, 20)
    later = NOW + LEASE_MS + 1
    database.transact("renew", renew_leases, ALIVE, later - 1_000)
    assert database.transact("take over", take_over, later) == 1
    assert states(database) == [(10, State.QUEUED, None), (20, State.SENDING, ALIVE)]
