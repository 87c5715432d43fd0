"""Numbers that are given out one by one, and that people read to each other: tracking numbers."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from core.tables import sequences


def take(connection: Connection, name: str, count: int, first: int = 1) -> range:
    """The next ``count`` numbers of a sequence, which begins with ``first``.

    One statement, whatever the count. Whoever else wants some of the same sequence waits
    until this transaction ends; what it does not use is lost.
    """
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = make(sequences).values(name=name, next=first + count)
    end = connection.execute(
        new.on_conflict_do_update(
            index_elements=[sequences.c.name], set_={"next": sequences.c.next + count}
        ).returning(sequences.c.next)
    ).scalar_one()
    return range(end - count, end)
