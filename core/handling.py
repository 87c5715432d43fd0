"""What people do about messages that came in: whose they are, whether they are done with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from core.inbox import hold
from core.tables.access import inbox_handling, users


class Handling(NamedTuple):
    """How one message stands with the people who look after it."""

    assigned_to: int | None = None
    """The id of a user …"""
    assigned_name: str = ""
    """… and the person's name."""
    closed_at: int | None = None
    closed_by: str | None = None
    note: str = ""
    changed_at: int = 0


UNTOUCHED = Handling()


def handlings_of(connection: Connection, ids: Collection[int]) -> dict[int, Handling]:
    """How these messages stand; those that nobody has touched are left out."""
    if not ids:
        return {}
    row = inbox_handling.c
    found = connection.execute(
        select(
            row.inbox_id,
            row.assigned_to,
            users.c.title,
            row.closed_at,
            row.closed_by,
            row.note,
            row.changed_at,
        )
        .outerjoin(users, users.c.id == row.assigned_to)
        .where(row.inbox_id.in_(sorted(ids)))
    )
    return {
        key: Handling(assigned, title or "", *rest) for key, assigned, title, *rest in found.all()
    }


def assign(connection: Connection, message_id: int, user_id: int | None, now_ms: int) -> None:
    """Say whose it is to look after; None: nobody's."""
    _set(connection, message_id, now_ms, assigned_to=user_id)


def write_note(connection: Connection, message_id: int, note: str, now_ms: int) -> None:
    """Keep a note with it, in the place of the one before."""
    _set(connection, message_id, now_ms, note=note)


def close(connection: Connection, message_id: int, who: str, now_ms: int) -> None:
    """Nothing is left to be done about it."""
    _set(connection, message_id, now_ms, closed_at=now_ms, closed_by=who)


def reopen(connection: Connection, message_id: int, now_ms: int) -> None:
    """Something is left to be done after all."""
    _set(connection, message_id, now_ms, closed_at=None, closed_by=None)


def _set(connection: Connection, message_id: int, now_ms: int, **values: Any) -> None:
    values["changed_at"] = now_ms
    hold(connection, message_id)
    changed = connection.execute(
        update(inbox_handling).where(inbox_handling.c.inbox_id == message_id).values(values)
    )
    if not changed.rowcount:
        connection.execute(insert(inbox_handling).values(inbox_id=message_id, **values))
