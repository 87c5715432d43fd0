"""Up to when everything is committed: who reads by position must not run ahead of that.

Ids and times of changes are made a moment before the transaction that stores them commits.
A reader that has passed an id would never see a smaller one that is committed after it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

LAG_MS: Final = 2_000
"""So long before its transaction begins may an id be made, or a change be dated; and by so much
may the clocks of daemons differ."""
MOST_MS: Final = 60_000
"""A transaction that lasts for longer (a report's) is not waited for."""
_OLDEST: Final = text(
    "SELECT CAST(extract(epoch FROM min(xact_start)) * 1000 AS BIGINT) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)


def horizon(connection: Connection, asked_at: int) -> int:
    """What was made before this (UTC milliseconds) is committed, or never will be.

    For a transaction that writes, on the thread that does, and asked for at ``asked_at``: with
    SQLite nobody else is writing then, and all that this daemon began before has ended.
    """
    if connection.dialect.name != "postgresql":
        return asked_at - LAG_MS
    oldest = connection.execute(_OLDEST).scalar()
    begun = asked_at if oldest is None else max(oldest, asked_at - MOST_MS)
    return min(asked_at, begun) - LAG_MS
