"""How far a run is, and when it is likely to end. ``estimate`` is pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection

from core.outbox import State
from core.runs.states import ENDED, RunState
from core.runs.store import Run, parts_by_state, show

TO_GO: Final = frozenset({State.QUEUED, State.WAITING, State.HELD, State.SENDING})
"""States of parts that have yet to leave."""


class Progress(NamedTuple):
    """How far a run is."""

    at: int
    """UTC milliseconds."""
    run: Run
    parts: Mapping[str, int]
    """By state: ``core.outbox.State``."""

    @property
    def to_go(self) -> int:
        """Parts that have yet to leave."""
        return sum(self.parts.get(state.value, 0) for state in TO_GO)

    @property
    def is_moving(self) -> bool:
        """Whether it is produced or sent now."""
        return self.run.state in (RunState.PRODUCING, RunState.SENDING)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be done for it."""
        return self.run.state in ENDED and (self.run.state is not RunState.FAILED or not self.to_go)


class Estimate(NamedTuple):
    """What two looks at a run tell."""

    rows_a_second: float
    parts_a_second: float
    ends_at: int | None
    """UTC milliseconds; None: it cannot be told, since nothing moves or the rows are not
    counted yet."""


def progress_of(connection: Connection, run_id: int, now: int) -> Progress | None:
    """How far a run is; two statements, served by an index of the run's parts."""
    run = show(connection, run_id)
    return Progress(now, run, parts_by_state(connection, run_id)) if run else None


def estimate(before: Progress, after: Progress) -> Estimate:
    """How fast it goes on, and when it ends at that speed."""
    seconds = max((after.at - before.at) / 1000, 1e-3)
    rows = (after.run.rows_read - before.run.rows_read) / seconds
    left = (after.run.parts - after.to_go) - (before.run.parts - before.to_go)
    parts = max(0.0, left / seconds)
    return Estimate(rows, parts, _end(after, rows, parts) if after.is_moving else None)


def _end(now: Progress, rows: float, parts: float) -> int | None:
    run = now.run
    rows_left, parts_left = 0, now.to_go
    if run.state is RunState.PRODUCING:
        if run.rows_expected is None or not rows:
            return None
        rows_left = max(0, run.rows_expected - run.rows_read)
        each = run.parts / run.rows_read if run.rows_read else 0
        parts_left += round(rows_left * each)
    if parts_left and not parts:
        return None
    making = rows_left / rows if rows_left else 0
    sending = parts_left / parts if parts_left else 0
    return now.at + round(max(making, sending) * 1000)
