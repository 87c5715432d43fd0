"""A run's rows become messages, piece by piece, each row once.

A piece is read and worded beside the batches; then one short transaction queues its messages
and moves the run's position behind them, if it still stands where the piece began. So whoever
comes second, after a kill or a lost lease, goes on at the row where it stopped and repeats none.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, exists, update

from core.calls import Fact
from core.database import Database, by_index_only
from core.making import Order, Prepared, prepare, store
from core.reporting.reading import read_page
from core.runs.states import Move, RunState, after
from core.runs.taking import LEASE_MS, SERVICE, Work
from core.tables import paused_services, runs

FIRST_ROWS: Final = 200
LEAST_ROWS: Final = 200
"""Their own work is a few milliseconds: where a piece takes longer all the same, it is the commit
or a busy machine, and smaller ones would take as long."""
MOST_ROWS: Final = 4_000
WANTED_SECONDS: Final = 0.005
"""What a piece's transaction is to take: a text that comes in meanwhile waits for it, or for
the log that both write to."""
_GROWTH: Final = 1.5


class Piece(NamedTuple):
    """Some rows of a run, ready to be queued."""

    run_id: int
    before: str
    """The position behind which they begin."""
    behind: str
    """The position behind them."""
    rows: int
    is_last: bool
    prepared: Prepared


class Put(NamedTuple):
    """What became of a piece."""

    stored: bool
    """False: the run is paused, cancelled, or gone on with by somebody else."""
    seconds: float
    """What the transaction took."""


def read_piece(connection: Connection, work: Work, position: str, rows: int, now: int) -> Piece:
    """Read and word the next rows behind ``position``; changes nothing. Raises ``SourceError``."""
    run = work.run
    found = read_page(connection, work.question, position, rows)
    shared: dict[str, Fact] = dict(run.source.facts)
    if shared:
        found = [row._replace(facts={**row.facts, **shared}) for row in found]
    by_index_only(connection)
    order = Order(work.version, now, run.id, run.source.until)
    prepared = prepare(connection, work.maker, order, found)
    behind = found[-1].key if found else position
    return Piece(run.id, position, behind, len(found), len(found) < rows, prepared)


def put_piece(database: Database, piece: Piece, node: int, now: int) -> Put:
    """Queue a piece's messages, and time it. Raises ``DatabaseUnavailable``."""
    began = time.perf_counter()
    stored = database.transact("run.piece", store_piece, piece, node, now)
    return Put(stored, time.perf_counter() - began)


def store_piece(connection: Connection, piece: Piece, node: int, now: int) -> bool:
    """Queue a piece's messages and move the run behind them: two statements.

    False, with nothing changed, when it is not this daemon's to store.
    """
    made = piece.prepared.made
    values = {
        "position": piece.behind,
        "rows_read": runs.c.rows_read + piece.rows,
        "made": runs.c.made + made.messages,
        "parts": runs.c.parts + made.parts,
        "suppressed": runs.c.suppressed + made.suppressed,
        "passed_over": runs.c.passed_over + made.passed_over,
        "unwritten": runs.c.unwritten + made.unwritten,
        "changed_at": now,
        "lease_until": now + LEASE_MS,
    }
    if piece.is_last:
        state = after(RunState.PRODUCING, Move.PRODUCED, is_produced=False)
        values |= {"state": (state or RunState.SENDING).value, "produced_at": now}
    goes_on = and_(
        runs.c.id == piece.run_id,
        runs.c.state == RunState.PRODUCING.value,
        runs.c.position == piece.before,
        runs.c.node == node,
        ~exists().where(paused_services.c.name == SERVICE),
    )
    if connection.execute(update(runs).where(goes_on).values(values)).rowcount != 1:
        return False
    store(connection, piece.prepared)
    return True


def next_rows(rows: int, seconds: float) -> int:
    """How many rows the next piece should have, when one of ``rows`` took ``seconds``."""
    wanted = rows * min(_GROWTH, max(1 / _GROWTH, WANTED_SECONDS / max(seconds, 1e-6)))
    return max(LEAST_ROWS, min(MOST_ROWS, round(wanted)))


def fail(connection: Connection, run_id: int, node: int, error: str, now: int) -> None:
    """End a run that cannot be gone on with; ``error`` says why, in words for the operator."""
    mine = (runs.c.id == run_id, runs.c.node == node, runs.c.state == RunState.PRODUCING.value)
    values = {
        "state": RunState.FAILED.value,
        "error": error,
        "changed_at": now,
        "ended_at": now,
        "node": None,
        "lease_until": None,
    }
    connection.execute(update(runs).where(*mine).values(values))
