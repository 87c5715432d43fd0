"""What a daemon does with the outbox: claim what is due, and recover what it had claimed.

``core.results`` records what became of it. A daemon owns the rows it has in state
``sending``; whatever it left there when it was killed is sent again or marked uncertain by
``recover``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    SmallInteger,
    Text,
    and_,
    bindparam,
    case,
    func,
    select,
    text,
    true,
    update,
)

from core.attempts import keep_lost
from core.bulk import as_rows, unfolded, update_rows
from core.database import by_index_only
from core.holding import MOST_PUT_OFF, Checked, check, put_off
from core.outbox import LEASE_MS, PRIORITIES, STORED, Outgoing, State
from core.statements import fetch
from core.tables import IS_SENDING, WAITS_TO_GO, outbox
from core.templates.types import SendPolicy


def claim(
    connection: Connection, node: int, lines: Collection[str], limit: int, now: int
) -> list[Outgoing]:
    """Take due rows of these lines for this daemon; several daemons never take the same.

    Answers to people come first, then what has been due longest. ``limit`` may be passed by
    the other parts of long messages that it would cut through.
    """
    return _claim(connection, node, lines, limit, now).live


class Claimed(NamedTuple):
    """What a bind is to send."""

    bind: str
    rows: list[Outgoing]
    again: bool
    """Messages outside their hours were in the way of others: look again at once."""
    hours: Mapping[int, SendPolicy]
    """Policies of these rows that have hours: a row that is still in hand when they end is to
    be given back."""


def claim_for_each(
    connection: Connection, node: int, wanted: Sequence[tuple[str, Collection[str], int]], now: int
) -> list[Claimed]:
    """Claim for several binds, all or nothing: (bind, lines, limit)."""
    found = [(bind, _claim(connection, node, lines, limit, now)) for bind, lines, limit in wanted]
    return [Claimed(bind, made.live, bool(made.closed), made.hours) for bind, made in found]


def _claim(
    connection: Connection, node: int, lines: Collection[str], limit: int, now: int
) -> Checked:
    if not lines or limit <= 0:
        return Checked([], {}, {})
    by_index_only(connection)
    due = _look(connection, lines, limit, now)
    checked = check(connection, due + _others_of(connection, due, now), now)
    update_rows(
        connection,
        outbox,
        ("id", "state", "node", "lease_until", "changed_at"),
        [(row.id, State.SENDING.value, node, now + LEASE_MS, now) for row in checked.live],
    )
    if checked.closed:
        put_off(connection, _look(connection, lines, MOST_PUT_OFF, now), checked.closed, now)
    return checked


def _look(connection: Connection, lines: Collection[str], most: int, now: int) -> list[Outgoing]:
    slots = as_rows((line, priority) for line in sorted(lines) for priority in PRIORITIES)
    due = fetch(connection, _due(connection.dialect.name), {"now": now, "most": most, **slots})
    return [Outgoing(*row) for row in due]


def _others_of(connection: Connection, due: Sequence[Outgoing], now: int) -> list[Outgoing]:
    """The other due parts of messages that the limit cut through: a panel sends them as one."""
    here = {row.id for row in due}
    # The parts of a message have ids in a row.
    missing = {
        key
        for row in due
        if row.parts > 1
        for key in range(row.message_id, row.message_id + row.parts)
        if key not in here
    }
    if not missing:
        return []
    keys = as_rows((key,) for key in sorted(missing))
    found = fetch(connection, _by_id(connection.dialect.name), {"now": now, **keys})
    return [Outgoing(*row) for row in found]


def recover(connection: Connection, node: int, held: Collection[int], now: int) -> int:
    """Settle rows that this daemon left in ``sending``; returns how many.

    ``held`` are those it still has in hand. The others were lost with the process, or with
    the answer to a commit: they go out again, or are uncertain where that is not wanted.
    """
    mine = and_(text(IS_SENDING), outbox.c.node == node)
    if held:
        ids = unfolded({"id": BigInteger()})
        mine &= outbox.c.id.not_in(select(ids.c.id))
    return _settle_lost(connection, mine, as_rows((key,) for key in held) if held else {}, now)


def renew_leases(connection: Connection, node: int, now: int) -> None:
    """Say of all that this daemon has in hand that it still has it."""
    mine = and_(text(IS_SENDING), outbox.c.node == node)
    connection.execute(update(outbox).where(mine).values(lease_until=now + LEASE_MS))


def take_over(connection: Connection, now: int) -> int:
    """Settle rows whose daemon has not renewed its lease on them; returns how many.

    It is dead, or has lost the database for longer than a lease: another one goes on.
    """
    lapsed = and_(text(IS_SENDING), outbox.c.lease_until < now)
    return _settle_lost(connection, lapsed, {}, now)


def _settle_lost(
    connection: Connection, lost: ColumnElement[bool], keys: dict[str, str], now: int
) -> int:
    keep_lost(connection, lost, keys, now)
    settled = (
        update(outbox)
        .where(lost)
        .values(
            state=case(
                (outbox.c.resend_uncertain, State.QUEUED.value), else_=State.UNCERTAIN.value
            ),
            attempts=outbox.c.attempts + 1,
            due_at=now,
            changed_at=now,
            over_at=now,
            node=None,
            lease_until=None,
        )
    )
    return connection.execute(settled, keys).rowcount


class Depths(NamedTuple):
    """How much is waiting to go out."""

    waiting: int
    sending: int
    oldest_due_at: int | None
    """Since when the longest-waiting message has been due: UTC milliseconds."""
    oldest_answer_due_at: int | None = None
    """The same of those that nothing goes before: answers to people."""


def depths(connection: Connection, now: int) -> Depths:
    """The outbox's depths, from the indexes that hold only what waits."""
    of_answer = case((outbox.c.priority == 0, outbox.c.due_at))
    due, *oldest = connection.execute(
        select(func.count(), func.min(outbox.c.due_at), func.min(of_answer)).where(
            text(WAITS_TO_GO)
        )
    ).one()
    sending = connection.execute(
        select(func.count()).select_from(outbox).where(text(IS_SENDING))
    ).scalar_one()
    return Depths(due, sending, *(at if at is not None and at <= now else None for at in oldest))


_OUTGOING = tuple(outbox.c[name] for name in STORED)
_parts = unfolded({"id": BigInteger()}, "parts")
_slots = unfolded({"line": Text(), "priority": SmallInteger()}, "slots")


@cache
def _by_id(dialect: str) -> Select[Any]:
    query = (
        select(*_OUTGOING)
        .join_from(_parts, outbox, outbox.c.id == _parts.c.id)
        .where(text(WAITS_TO_GO), outbox.c.due_at <= bindparam("now", type_=BigInteger))
        .order_by(outbox.c.id)
    )
    if dialect == "postgresql":
        query = query.with_for_update(of=outbox, skip_locked=True)
    return query


@cache
def _due(dialect: str) -> Select[Any]:
    """What is due, slot by slot: each is a range of ``ix_outbox_waiting``.

    So a million messages that wait for the morning, for another line or behind more urgent
    ones are not gone through to find the few that may go now.
    """
    waiting = outbox.alias("waits")
    columns = [waiting.c[name] for name in (*STORED, "due_at")]
    in_slot = (
        select(*(columns if dialect == "postgresql" else [waiting.c.id]))
        .where(
            text(WAITS_TO_GO),
            waiting.c.line == _slots.c.line,
            waiting.c.priority == _slots.c.priority,
            waiting.c.due_at <= bindparam("now", type_=BigInteger),
        )
        .order_by(waiting.c.due_at, waiting.c.id)
        .limit(bindparam("most", type_=Integer))
        .correlate(_slots)
    )
    if dialect == "postgresql":
        # What another daemon has locked does not count.
        found = in_slot.with_for_update(skip_locked=True).lateral("due")
        query = select(*(found.c[name] for name in STORED)).join_from(_slots, found, true())
        order = found.c.priority, found.c.due_at, found.c.id
    else:
        query = select(*_OUTGOING).join_from(_slots, outbox, outbox.c.id.in_(in_slot))
        order = outbox.c.priority, outbox.c.due_at, outbox.c.id
    return query.order_by(*order).limit(bindparam("most", type_=Integer))
