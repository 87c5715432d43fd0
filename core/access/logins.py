"""Logging in: how often one may try, and what an attempt is worth.

Every attempt counts as a failure until it has proved right, in the transaction that looks how
many there were: any number of them at once is held to the same limit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from core.tables.access import login_failures, users

WINDOW_MS: Final = 15 * 60_000
MOST_OF_NAME: Final = 5
MOST_OF_ADDRESS: Final = 50
"""An office shares an address: its people are not to be kept out by one who forgets."""
_LONGEST: Final = 100


class Attempt(NamedTuple):
    """An attempt that may go on."""

    user_id: int | None
    """None: nobody has that name, or may not log in."""
    password_hash: str | None
    name: str
    totp: bool
    """Whether a code is asked for too."""


class LockedOut(Exception):
    """Too many attempts of a name or an address; ``seconds`` until the next may be."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many attempts; again in {seconds} seconds")


def begin_attempt(connection: Connection, name: str, address: str, now_ms: int) -> Attempt:
    """Count an attempt and fetch what it is checked against. Raises ``LockedOut``."""
    name = name.strip().lower()[:_LONGEST]
    count_failure(connection, name, address, now_ms)
    row = connection.execute(
        select(users.c.id, users.c.password_hash, users.c.totp_secret).where(
            users.c.name == name, users.c.disabled_at.is_(None)
        )
    ).first()
    if row is None:
        return Attempt(None, None, name, totp=False)
    return Attempt(row.id, row.password_hash, name, totp=row.totp_secret is not None)


def count_failure(connection: Connection, name: str, address: str, now_ms: int) -> None:
    """Count an attempt as failed. Raises ``LockedOut``, and then it is not counted."""
    row = login_failures.c
    for column, value, most in (
        (row.name, name, MOST_OF_NAME),
        (row.address, address, MOST_OF_ADDRESS),
    ):
        count, first = connection.execute(
            select(func.count(), func.min(row.at)).where(
                column == value, row.at > now_ms - WINDOW_MS
            )
        ).one()
        if count >= most:
            raise LockedOut(max(1, -(-(first + WINDOW_MS - now_ms) // 1000)))
    connection.execute(insert(login_failures).values(name=name, address=address, at=now_ms))


def forget_failures(connection: Connection, name: str) -> None:
    """Somebody is in: what was mistyped before counts no more."""
    connection.execute(delete(login_failures).where(login_failures.c.name == name))


def drop_old_failures(connection: Connection, now_ms: int) -> int:
    """Delete attempts that count no more; how many."""
    old = login_failures.c.at <= now_ms - WINDOW_MS
    return connection.execute(delete(login_failures).where(old)).rowcount
