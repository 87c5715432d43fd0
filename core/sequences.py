"""Numbers that are given out one by one, and that people read to each other: tracking numbers."""

from __future__ import annotations

from sqlalchemy import Connection, insert, update

from core.tables import sequences


def take(connection: Connection, name: str, count: int, first: int = 1) -> range:
    """The next ``count`` numbers of a sequence, which begins with ``first``.

    Two statements at the most, whatever the count. Whoever else wants some of the same
    sequence waits until this transaction ends; what it does not use is lost.
    """
    taken = connection.execute(
        update(sequences)
        .where(sequences.c.name == name)
        .values(next=sequences.c.next + count)
        .returning(sequences.c.next)
    ).scalar_one_or_none()
    if taken is None:
        connection.execute(insert(sequences).values(name=name, next=first + count))
        return range(first, first + count)
    return range(taken - count, taken)
