"""Tokens of the API: what another system shows instead of a password. Only their hashes are kept.

A token may do what its permissions say, with the data of one utility or of every one, so many
times a minute, until it expires or is revoked. Nothing of it is changed afterwards: another is
made, and the old one revoked.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from core.access.administering import By
from core.access.audit import Entry
from core.access.permissions import EVERY_UTILITY, Grants, Permission
from core.access.roles import known_permissions
from core.access.sessions import token_hash
from core.tables.access import api_tokens

PREFIX: Final = "peyk_"
"""So that a token is known for one where it does not belong, such as in a repository."""
TOUCH_MS: Final = 60_000
"""How often it is written down that a token is used."""
MOST_PER_MINUTE: Final = 100_000
PER_MINUTE: Final = 600
"""Requests, where nobody says how many …"""
YEAR_MS: Final = 365 * 86_400_000
"""… and for how long it is good, where nobody says that."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


class TokenError(ValueError):
    """What cannot be done with a token; ``key``: name, taken, permissions, past, gone."""

    def __init__(self, key: str, words: str) -> None:
        self.key = key
        super().__init__(words)


class Token(NamedTuple):
    """A token without what is shown; instants are UTC milliseconds."""

    id: int
    name: str
    permissions: frozenset[Permission]
    utility: str
    """Whose data; ``EVERY_UTILITY`` ("") for every one's."""
    per_minute: int
    """Requests."""
    created_at: int
    created_by: str
    expires_at: int | None
    revoked_at: int | None
    used_at: int | None

    @property
    def grants(self) -> Grants:
        """What it may do."""
        return Grants({self.utility: self.permissions})

    def is_good(self, now_ms: int) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now_ms < self.expires_at)


class NewToken(NamedTuple):
    """A token to be made."""

    name: str
    permissions: Collection[Permission]
    utility: str = EVERY_UTILITY
    per_minute: int = PER_MINUTE
    expires_at: int | None = None


def token_name(said: str) -> str:
    """A name as it is stored. Raises ``TokenError`` for one that cannot be."""
    name = said.strip().lower()
    if not _NAME.fullmatch(name):
        raise TokenError(
            "name", "a name has 1 to 40 of a-z, 0-9, dot, dash and underscore, such as billing"
        )
    return name


def add_token(connection: Connection, by: By, new: NewToken) -> str:
    """Make a token; what is to be shown of it, once. Raises ``TokenError``."""
    name = token_name(new.name)
    if not new.permissions:
        raise TokenError("permissions", "a token needs a permission, or it may do nothing")
    if new.expires_at is not None and new.expires_at <= by.now_ms:
        raise TokenError("past", "a token cannot expire before it is made")
    if connection.execute(select(api_tokens.c.id).where(api_tokens.c.name == name)).first():
        raise TokenError("taken", f"there is or was a token {name!r} already: take another name")
    secret = PREFIX + secrets.token_urlsafe(32)
    permissions = sorted(new.permissions)
    connection.execute(
        insert(api_tokens).values(
            name=name,
            token_hash=token_hash(secret),
            permissions=json.dumps(permissions),
            utility=new.utility,
            per_minute=new.per_minute,
            created_at=by.now_ms,
            created_by=by.actor.who,
            expires_at=new.expires_at,
        )
    )
    details = {"permissions": permissions, "per_minute": new.per_minute}
    entry = Entry("token.add", f"token:{name}", new.utility, details)
    by.scribe.write(connection, by.now_ms, by.actor, entry)
    return secret


def revoke_token(connection: Connection, by: By, name: str) -> None:
    """Let a token in no more. Raises ``TokenError`` (gone) where there is none to be revoked."""
    row = api_tokens.c
    revoked = connection.execute(
        update(api_tokens)
        .where(row.name == name, row.revoked_at.is_(None))
        .values(revoked_at=by.now_ms)
        .returning(row.utility)
    ).first()
    if revoked is None:
        raise TokenError("gone", f"there is no token {name!r} that could be revoked")
    entry = Entry("token.revoke", f"token:{name}", revoked.utility)
    by.scribe.write(connection, by.now_ms, by.actor, entry)


def list_tokens(connection: Connection) -> Sequence[Token]:
    """Every token by name, those that are over too."""
    return [_token(row) for row in connection.execute(_TOKEN.order_by(api_tokens.c.name))]


def find_token(connection: Connection, secret: str, now_ms: int) -> Token | None:
    """The token that somebody shows; None when it is none, or good no more."""
    wanted = _TOKEN.where(api_tokens.c.token_hash == token_hash(secret))
    row = connection.execute(wanted).first()
    found = _token(row) if row else None
    return found if found and found.is_good(now_ms) else None


def touch_token(connection: Connection, token_id: int, now_ms: int) -> None:
    """Write down that a token is in use."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(used_at=now_ms))


_TOKEN = select(*(api_tokens.c[name] for name in Token._fields))


def _token(row: Row[tuple[object, ...]]) -> Token:
    values = row._asdict()
    return Token(**{**values, "permissions": known_permissions(values["permissions"])})
