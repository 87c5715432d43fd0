"""Sessions of the desk: a random token in a cookie, its hash in the database.

A session begins at a login, with a token of its own: whatever cookie a browser came with is
worth nothing. Whoever has a second factor is let in only when its code was right; until then
the session is ``verified_at`` NULL and good for nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from core.access.users import User, find_user
from core.tables.access import web_sessions

TOUCH_MS: Final = 60_000
"""How often it is written down that a session is used."""
UNVERIFIED_MS: Final = 5 * 60_000
"""How long the code of a second factor is waited for."""
_AGENT_LONGEST: Final = 200
_OF_TOKEN: Final = select(web_sessions).where(web_sessions.c.token_hash == bindparam("hash"))
"""Built once: every page reads its session."""


class Lifetime(NamedTuple):
    """How long sessions last, in milliseconds."""

    idle: int
    absolute: int


class Session(NamedTuple):
    """A browser that somebody is logged in with."""

    id: int
    user: User
    is_verified: bool
    seen_at: int


class Shown(NamedTuple):
    """A session as its owner sees it."""

    id: int
    created_at: int
    seen_at: int
    address: str
    agent: str


class Browser(NamedTuple):
    """From where somebody logs in."""

    address: str
    agent: str


def begin_session(  # noqa: PLR0913 - what a session is made of
    connection: Connection,
    user_id: int,
    browser: Browser,
    lifetime: Lifetime,
    now_ms: int,
    *,
    verified: bool,
) -> str:
    """Begin a session; the token for the cookie. It is stored nowhere."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(web_sessions).values(
            token_hash=token_hash(token),
            user_id=user_id,
            created_at=now_ms,
            seen_at=now_ms,
            verified_at=now_ms if verified else None,
            expires_at=now_ms + (lifetime.absolute if verified else UNVERIFIED_MS),
            address=browser.address,
            agent=browser.agent[:_AGENT_LONGEST],
        )
    )
    return token


def find_session(
    connection: Connection, token: str, lifetime: Lifetime, now_ms: int
) -> Session | None:
    """The session of a token; None when it is over, or its user may not log in any more."""
    row = connection.execute(_OF_TOKEN, {"hash": token_hash(token)}).first()
    if row is None or row.expires_at <= now_ms or row.seen_at + lifetime.idle <= now_ms:
        return None
    user = find_user(connection, row.user_id)
    if user is None or user.disabled_at is not None:
        return None
    return Session(row.id, user, row.verified_at is not None, row.seen_at)


def touch_session(connection: Connection, session_id: int, now_ms: int) -> None:
    """Write down that a session is in use."""
    connection.execute(
        update(web_sessions).where(web_sessions.c.id == session_id).values(seen_at=now_ms)
    )


def end_session(connection: Connection, session_id: int, user_id: int) -> bool:
    """End one session of somebody; whether it was there."""
    ended = connection.execute(
        delete(web_sessions).where(
            web_sessions.c.id == session_id, web_sessions.c.user_id == user_id
        )
    )
    return bool(ended.rowcount)


def sessions_of(connection: Connection, user_id: int, now_ms: int) -> Sequence[Shown]:
    """Where somebody is logged in, the newest first."""
    row = web_sessions.c
    found = connection.execute(
        select(row.id, row.created_at, row.seen_at, row.address, row.agent)
        .where(row.user_id == user_id, row.expires_at > now_ms, row.verified_at.is_not(None))
        .order_by(row.id.desc())
    )
    return [Shown(*each) for each in found]


def drop_old_sessions(connection: Connection, now_ms: int) -> int:
    """Delete what is over; how many."""
    over = web_sessions.c.expires_at <= now_ms
    return connection.execute(delete(web_sessions).where(over)).rowcount


def token_hash(token: str) -> str:
    """What is stored of a token: it is long and random, so that a plain hash will do."""
    return sha256(token.encode()).hexdigest()
