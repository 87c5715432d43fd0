"""The history of a message's attempts: what its outbox row no longer tells.

A row of ``outbox`` tells its last attempt. Whatever is about to be overwritten there is put
down here first: every attempt that failed, every further one that was accepted, and receipts
after which a message went out again. So a first attempt that was accepted costs nothing, and
being throttled is no attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    func,
    insert,
    literal,
    null,
    select,
)

from core.bulk import as_rows, insert_rows, unfolded
from core.outbox import Result, State
from core.statements import change, fetch
from core.tables import attempts, outbox


class Attempt(NamedTuple):
    """One attempt, or what a receipt said of it."""

    outbox_id: int
    at: int
    """UTC milliseconds."""
    node: int | None
    """The daemon that made it; None where that is not known any more."""
    smsc: str
    smsc_id: str | None
    result: str
    """A ``core.outbox.Result``, or the state that a receipt brought."""
    code: int | None
    """The command_status; 0 where there was none."""
    error: str | None
    """The receipt's error, as the operator wrote it."""


COLUMNS = Attempt._fields
_new = unfolded({name: attempts.c[name].type for name in COLUMNS})
# Results come again after a commit whose answer was lost: once is enough.
_UNSETTLED = select(_new).join_from(
    _new, outbox, (outbox.c.id == _new.c.outbox_id) & (outbox.c.state == State.SENDING.value)
)
_INSERT = insert(attempts)
_STORE_RESULTS = _INSERT.from_select(COLUMNS, _UNSETTLED)
_asked = unfolded({"id": BigInteger()})
_HISTORY = (
    select(*(attempts.c[name] for name in COLUMNS))
    .join_from(_asked, attempts, attempts.c.outbox_id == _asked.c.id)
    .order_by(attempts.c.outbox_id, attempts.c.id)
)


def store_results_of(connection: Connection, made: Sequence[Attempt]) -> None:
    """Put down results of submissions, in one statement, before they settle their rows."""
    if made:
        change(connection, _STORE_RESULTS, as_rows(made))


def store_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Put down attempts, in one statement."""
    insert_rows(connection, attempts, COLUMNS, made)


def keep_overwritten(
    connection: Connection, which: ColumnElement[bool], keys: dict[str, str]
) -> None:
    """Put down what these rows of the outbox tell of an attempt that the operator took.

    For rows that are about to be sent again by hand: two statements.
    """
    taken = which & outbox.c.smsc_id.is_not(None)
    # A further attempt was put down when it was accepted.
    first = taken & (outbox.c.attempts == 1) & outbox.c.accepted_at.is_not(None)
    accepted = _of_row(outbox.c.accepted_at, literal(Result.ACCEPTED.value), null())
    connection.execute(_INSERT.from_select(COLUMNS, accepted.where(first)), keys)
    receipt = _of_row(outbox.c.changed_at, outbox.c.state, outbox.c.error)
    connection.execute(_INSERT.from_select(COLUMNS, receipt.where(taken)), keys)


def keep_lost(
    connection: Connection, which: ColumnElement[bool], keys: dict[str, str], now: int
) -> None:
    """Put down that these rows may have been sent: whoever had them does not say."""
    lost = select(
        outbox.c.id,
        literal(now, BigInteger()),
        outbox.c.node,
        literal(""),
        null(),
        literal(Result.UNCERTAIN.value),
        null(),
        null(),
    )
    connection.execute(_INSERT.from_select(COLUMNS, lost.where(which)), keys)


def _of_row(
    at: ColumnElement[Any], result: ColumnElement[Any], error: ColumnElement[Any]
) -> Select[Any]:
    smsc = func.coalesce(outbox.c.smsc, "")
    return select(outbox.c.id, at, null(), smsc, outbox.c.smsc_id, result, null(), error)


def histories(connection: Connection, ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """What was put down of these rows of the outbox, in the order in which it happened."""
    found: dict[int, list[Attempt]] = {}
    for row in fetch(connection, _HISTORY, as_rows((key,) for key in ids)):
        found.setdefault(row.outbox_id, []).append(Attempt._make(row))
    return found
