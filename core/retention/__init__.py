"""What is no longer kept: texts are emptied and rows deleted when the utility's time is over.

Each kind of data is a ``Task`` that goes through its table by id, a piece in one transaction,
and remembers in the same transaction how far it is: so a piece is as short as a batch, what is
interrupted is gone on with, and no statement reads what was put away before. Rows that may not
go yet (a message that is still to be sent, a request that is open) are passed over, and the
next round begins with the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Select,
    bindparam,
    delete,
    func,
    not_,
    select,
    true,
    tuple_,
)

from core.bulk import Upsert, put_rows
from core.database import by_index_only
from core.ids import first_id_at
from core.retention.tasks import LOW, TASKS, Keep, Task, within
from core.tables import idempotency_keys, retention_marks

PIECE: Final = 500
"""Rows of one transaction: an answer that comes up meanwhile waits for it."""
DAY_MS: Final = 86_400_000


class Mark(NamedTuple):
    """How far a task is."""

    position: int = 0
    passed_over: int | None = None


class Piece(NamedTuple):
    """What one transaction did."""

    looked_at: int
    changed: int

    @property
    def is_last(self) -> bool:
        """Whether there is no more for now."""
        return self.looked_at < PIECE


IDEMPOTENCY: Final = "api.answers"
"""Goes by its index on time: its keys are no numbers."""
NAMES: Final = (*(task.name for task in TASKS), IDEMPOTENCY)


def wanted(keep: Keep) -> Iterator[str]:
    """The names of the tasks that there is anything to do for."""
    for task in TASKS:
        if getattr(keep, task.keep):
            yield task.name
    if keep.api_calls:
        yield IDEMPOTENCY


def put_away(connection: Connection, name: str, keep: Keep, now: int) -> Piece:
    """One piece of a task, by its name; call it again until it was the last one."""
    by_index_only(connection)
    if name == IDEMPOTENCY:
        until = now - keep.api_calls * DAY_MS
        changed = connection.execute(_old_answers(), {"until": until, "most": PIECE}).rowcount
        return Piece(changed, changed)
    task = _BY_NAME[name]
    until = now - getattr(keep, task.keep) * DAY_MS
    mark = _mark(connection, name)
    ids = _next_ids(connection, task, mark.position, until)
    if not ids:
        # The next round begins with the first that could not go.
        if mark.passed_over is not None:
            _set(connection, name, Mark(mark.passed_over), now)
        return Piece(0, 0)
    between = {"low": mark.position, "high": ids[-1]}
    left = connection.execute(_first_waiting(name), between).scalar() if _waits(task) else None
    changed = 0
    for statement in task.does:
        changed = connection.execute(statement, between).rowcount
    passed_over = mark.passed_over
    if passed_over is None and left is not None:
        passed_over = left - 1
    position = ids[-1]
    if len(ids) < PIECE and passed_over is not None:
        position, passed_over = passed_over, None
    _set(connection, name, Mark(position, passed_over), now)
    return Piece(len(ids), changed)


def to_put_away(connection: Connection, name: str, keep: Keep, now: int) -> int:
    """How many rows of a task have not been looked at and are too old; reads them all."""
    if name == IDEMPOTENCY:
        until = now - keep.api_calls * DAY_MS
        query = select(func.count()).select_from(idempotency_keys)
        return connection.execute(query.where(idempotency_keys.c.at < until)).scalar_one()
    task = _BY_NAME[name]
    until = now - getattr(keep, task.keep) * DAY_MS
    old = task.id < first_id_at(until) if task.at is None else task.at < until
    position = _mark(connection, name).position
    may_go = true() if task.waits is None else not_(task.waits)
    query = select(func.count()).select_from(task.table)
    return connection.execute(query.where(old, task.id > position, may_go)).scalar_one()


def _waits(task: Task) -> bool:
    return task.waits is not None


def _mark(connection: Connection, name: str) -> Mark:
    row = connection.execute(
        select(retention_marks.c.position, retention_marks.c.passed_over).where(
            retention_marks.c.name == name
        )
    ).first()
    return Mark(*row) if row else Mark()


def _set(connection: Connection, name: str, mark: Mark, now: int) -> None:
    put_rows(connection, _MARKS, [(name, *mark, now)])


def _next_ids(connection: Connection, task: Task, position: int, until: int) -> Sequence[int]:
    values = {"low": position, "most": PIECE}
    if task.at is None:
        values["end"] = first_id_at(until)
        return connection.execute(_ids(task.name), values).scalars().all()
    # Up to the first that is younger: a condition on the time would read all that are.
    found: list[int] = []
    for key, at in connection.execute(_ids(task.name), values):
        if at >= until:
            break
        found.append(key)
    return found


@cache
def _ids(name: str) -> Select[Any]:
    task = _BY_NAME[name]
    query = select(task.id).where(task.id > LOW)
    if task.at is None:
        query = query.where(task.id < bindparam("end", type_=BigInteger))
    else:
        query = query.add_columns(task.at)
    return query.order_by(task.id).limit(bindparam("most", type_=BigInteger))


@cache
def _first_waiting(name: str) -> Select[Any]:
    task = _BY_NAME[name]
    query = select(task.id).where(within(task.id))
    if task.waits is not None:
        query = query.where(task.waits)
    return query.order_by(task.id).limit(1)


@cache
def _old_answers() -> Executable:
    table = idempotency_keys
    old = table.alias("old")
    keys = (
        select(old.c.token_id, old.c.key)
        .where(old.c.at < bindparam("until", type_=BigInteger))
        .order_by(old.c.at)
        .limit(bindparam("most", type_=BigInteger))
    )
    return delete(table).where(tuple_(table.c.token_id, table.c.key).in_(keys))


_BY_NAME: Final = {task.name: task for task in TASKS}
_MARKS: Final = Upsert(
    retention_marks, ("name", "position", "passed_over", "changed_at"), ("name",)
)
