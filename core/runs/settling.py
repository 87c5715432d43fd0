"""What a pause, a cancellation and the end do to a run's messages, piece by piece.

A million queued messages are not changed at once: answers to people would wait for it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, and_, exists, or_, select, update

from core.database import by_index_only
from core.outbox import State
from core.runs.states import ENDED, Move, RunState, after
from core.runs.store import Run
from core.schedules import next_allowed
from core.tables import outbox, runs
from core.templates.types import SendPolicy

AT_ONCE: Final = 1_000
"""Messages that are changed in one transaction."""
_CHANGES: Final = {
    RunState.PAUSING: ((State.QUEUED, State.WAITING), State.HELD),
    RunState.RESUMING: ((State.HELD,), State.QUEUED),
    RunState.CANCELLING: ((State.HELD, State.QUEUED, State.WAITING), State.CANCELLED),
}
_first = outbox.alias("first_part")
_GONE: Final = (State.SENDING, State.ACCEPTED, State.DELIVERED)
# Nobody gets half a message: when its first part has gone, the rest goes too.
_IS_WHOLE: Final = or_(
    outbox.c.part == 1,
    ~exists().where(
        _first.c.id == outbox.c.message_id, _first.c.state.in_([state.value for state in _GONE])
    ),
)
_STILL_TO_GO: Final = (State.QUEUED, State.WAITING, State.SENDING, State.HELD)


def settle_piece(connection: Connection, run: Run, policy: SendPolicy, now: int) -> int:
    """Hold, queue or cancel some of a run's messages; returns how many.

    When there are none, the run is in its next state, unless some are under way still: what
    becomes of those may put them back into the queue. Then ask again a little later.
    """
    by_index_only(connection)
    before, to = _CHANGES[run.state]
    states = [state.value for state in before]
    chosen = [outbox.c.run_id == run.id, outbox.c.state.in_(states)]
    if to is not State.QUEUED:
        chosen.append(_IS_WHOLE)
    some = select(outbox.c.id).where(*chosen).limit(AT_ONCE)
    values: dict[str, object] = {"state": to.value, "changed_at": now, "over_at": now}
    if to is State.QUEUED:
        values["due_at"] = next_allowed(policy.hours, now)
    # Asked again: PostgreSQL may have waited for whoever was claiming it.
    still = outbox.c.state.in_(states)
    statement = update(outbox).where(outbox.c.id.in_(some), still).values(values)
    changed = connection.execute(statement).rowcount
    if not changed and not (to is not State.QUEUED and _is_under_way(connection, run)):
        _finish(connection, run, now)
    return changed


def _is_under_way(connection: Connection, run: Run) -> bool:
    mine = (outbox.c.run_id == run.id, outbox.c.state == State.SENDING.value)
    return connection.scalar(select(outbox.c.id).where(*mine).limit(1)) is not None


def _finish(connection: Connection, run: Run, now: int) -> None:
    state = after(run.state, Move.SETTLED, is_produced=run.produced_at is not None)
    if state is None:
        raise ValueError(f"nothing is to be settled of a run that is {run.state}")
    mine = and_(runs.c.id == run.id, runs.c.state == run.state.value)
    ended = now if state in ENDED else None
    values = {"state": state.value, "changed_at": now, "ended_at": ended}
    connection.execute(update(runs).where(mine).values(values))


def sent_runs(connection: Connection) -> list[int]:
    """Runs of which nothing waits to go out any more, and that do not know it yet."""
    by_index_only(connection)
    states = [state.value for state in _STILL_TO_GO]
    waits = exists().where(outbox.c.run_id == runs.c.id, outbox.c.state.in_(states))
    is_sending = (runs.c.ended_at.is_(None), runs.c.state == RunState.SENDING.value)
    return list(connection.scalars(select(runs.c.id).where(*is_sending, ~waits)))


def finish_sent(connection: Connection, ids: Collection[int], now: int) -> None:
    """End these runs."""
    sent = runs.c.id.in_(ids) & (runs.c.state == RunState.SENDING.value)
    done = {"state": RunState.DONE.value, "changed_at": now, "ended_at": now}
    connection.execute(update(runs).where(sent).values(done))
