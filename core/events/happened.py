"""Events that wait to be told, as they are stored: the new ones, and those put off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    bindparam,
    delete,
    select,
    text,
    tuple_,
    update,
)

from core.bulk import as_rows, insert_rows, unfolded
from core.database import by_index_only
from core.tables import due_events, events
from core.tables.services import IS_NEW


class Happened(NamedTuple):
    """An event as it is stored; its facts as JSON."""

    id: int
    utility: str
    kind: str
    subscriber_id: int | None
    mobile: str | None
    about: str
    at: int


class Later(NamedTuple):
    """An event of which a template makes a message at some time."""

    template_id: int
    event_id: int
    due_at: int


def has_new(connection: Connection) -> bool:
    """Whether an event waits to be handled; one look into an index."""
    by_index_only(connection)
    return bool(new_ids(connection, 1))


def new_ids(connection: Connection, most: int) -> list[int]:
    """The oldest new events."""
    return list(connection.scalars(_NEW_IDS, {"most": most}))


def take_new(connection: Connection, most: int) -> list[Happened]:
    """The oldest new events, for this transaction alone."""
    return [Happened(*row) for row in connection.execute(_TAKE, {"most": most})]


def take_one(connection: Connection, event_id: int) -> list[Happened]:
    """This event, if it is still new."""
    return [Happened(*row) for row in connection.execute(_TAKE_ONE, {"id": event_id})]


def mark_handled(connection: Connection, ids: Iterable[int], now: int) -> None:
    """Note that these are told; one statement."""
    connection.execute(_HANDLED, {"now": now, **as_rows((each,) for each in ids)})


def has_due(connection: Connection, now: int) -> bool:
    """Whether a message that was put off is to be made; one look into an index."""
    waits = select(due_events.c.event_id).where(due_events.c.due_at <= now).limit(1)
    return connection.execute(waits).first() is not None


def due_now(connection: Connection, now: int, most: int) -> list[Later]:
    """What was put off until now, the longest due first."""
    is_due = select(due_events).where(due_events.c.due_at <= now).order_by(due_events.c.due_at)
    return [Later(*row) for row in connection.execute(is_due.limit(most))]


def take_due(connection: Connection, now: int, most: int) -> list[tuple[Later, Happened | None]]:
    """As ``due_now``, for this transaction alone; None for an event that is not kept any more."""
    return _with_events(connection.execute(_DUE, {"now": now, "most": most}).all())


def take_due_one(connection: Connection, later: Later) -> list[tuple[Later, Happened | None]]:
    """This one, if it is there still."""
    return _with_events(connection.execute(_DUE_ONE, later._asdict()).all())


def _with_events(rows: Sequence[Any]) -> list[tuple[Later, Happened | None]]:
    count = len(Later._fields)
    return [
        (Later(*row[:count]), None if row.id is None else Happened(*row[count:])) for row in rows
    ]


def put_off(connection: Connection, later: Sequence[Later]) -> None:
    """Have messages made later; those that are to be already stay as they are."""
    insert_rows(connection, due_events, Later._fields, later, or_ignore=True)


def settle_due(connection: Connection, settled: Iterable[Later]) -> None:
    """Forget what was put off."""
    connection.execute(_NOT_DUE, as_rows(one[:2] for one in settled))


_HAPPENED: Final = tuple(events.c[name] for name in Happened._fields)
_IS_NEW: Final = text(f"events.{IS_NEW}")
_MOST: Final = bindparam("most", type_=Integer)
_NEW_IDS: Final = select(events.c.id).where(_IS_NEW).order_by(events.c.id).limit(_MOST)
_TAKE: Final = (
    select(*_HAPPENED)
    .where(_IS_NEW)
    .order_by(events.c.id)
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_TAKE_ONE: Final = (
    select(*_HAPPENED)
    .where(events.c.id == bindparam("id", type_=BigInteger), _IS_NEW)
    .with_for_update(skip_locked=True)
)
_ids = unfolded({"id": BigInteger()})
_HANDLED: Final = (
    update(events)
    .where(events.c.id == _ids.c.id)
    .values(handled_at=bindparam("now", type_=BigInteger))
)
_WITH_EVENTS: Final = (
    select(due_events.c.template_id, due_events.c.event_id, due_events.c.due_at, *_HAPPENED)
    .select_from(due_events.outerjoin(events, events.c.id == due_events.c.event_id))
    .with_for_update(skip_locked=True, of=due_events)
)
_DUE: Final = (
    _WITH_EVENTS.where(due_events.c.due_at <= bindparam("now", type_=BigInteger))
    .order_by(due_events.c.due_at)
    .limit(_MOST)
)
_DUE_ONE: Final = _WITH_EVENTS.where(
    due_events.c.template_id == bindparam("template_id", type_=Integer),
    due_events.c.event_id == bindparam("event_id", type_=BigInteger),
)
_pairs = unfolded({"template_id": Integer(), "event_id": BigInteger()})
_NOT_DUE: Final = delete(due_events).where(
    tuple_(due_events.c.template_id, due_events.c.event_id).in_(
        select(_pairs.c.template_id, _pairs.c.event_id)
    )
)
