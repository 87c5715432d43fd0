"""What the tables share: their metadata, the types of their columns, partial indexes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    MetaData,
    text,
)

# Constraint names are fixed here, so that migrations can name them on every engine.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit id; SQLite gives ids by itself only to a column it calls INTEGER."""

Instant = BigInteger
"""UTC milliseconds since 1970."""


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """A partial index; a query must repeat the condition word for word to be served by it."""
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )
