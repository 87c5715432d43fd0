"""How much the database holds."""

from __future__ import annotations

from sqlalchemy import Connection, text


def database_bytes(connection: Connection) -> int:
    """The size of the database on the disk, without the write-ahead log."""
    if connection.dialect.name == "sqlite":
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages) * int(connection.execute(text("PRAGMA page_size")).scalar_one())
    found = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return int(found)
