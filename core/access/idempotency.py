"""Requests that are done once, however often they come: by a key that their sender makes.

The key's row is written in the transaction that does the work. So there is an answer to be
given again if, and only if, the work was done.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from core.database import by_index_only
from core.tables.access import idempotency_keys


class Key(NamedTuple):
    """What a request is known by."""

    token_id: int
    key: str
    fingerprint: str
    """Equal for requests that ask for the same."""


class Kept(NamedTuple):
    """What was answered."""

    status: int
    body: str
    """As it was handed to ``keep``."""


class InProgress(Exception):
    """Another daemon is working on a request with this key right now."""


class OtherRequest(Exception):
    """The key was used for something else."""


def begin(connection: Connection, key: Key) -> Kept | None:
    """What was answered to the request; None for one that is new.

    Until the transaction ends nobody else begins with this key. Raises ``InProgress`` and
    ``OtherRequest``.
    """
    by_index_only(connection)
    # SQLite has one writer, whose transaction this is.
    if connection.dialect.name == "postgresql":
        name = blake2b(f"{key.token_id} {key.key}".encode(), digest_size=8).digest()
        lock = select(func.pg_try_advisory_xact_lock(int.from_bytes(name, "big", signed=True)))
        if not connection.execute(lock).scalar_one():
            raise InProgress
    row = idempotency_keys.c
    found = connection.execute(
        select(row.fingerprint, row.status, row.body).where(
            row.token_id == key.token_id, row.key == key.key
        )
    ).first()
    if found is None:
        return None
    if found.fingerprint != key.fingerprint:
        raise OtherRequest
    return Kept(found.status, found.body)


def keep(connection: Connection, key: Key, answer: Kept, now_ms: int) -> None:
    """Keep what is answered, to be given again."""
    connection.execute(
        insert(idempotency_keys).values(**key._asdict(), **answer._asdict(), at=now_ms)
    )
