"""Numbers that are given out one by one, and that people read to each other: tracking numbers."""

from __future__ import annotations

from functools import cache

from sqlalchemy import BigInteger, Connection, Executable, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from core.statements import fetch
from core.tables import sequences


def take(connection: Connection, name: str, count: int, first: int = 1) -> range:
    """The next ``count`` numbers of a sequence, which begins with ``first``.

    One statement, whatever the count. Whoever else wants some of the same sequence waits
    until this transaction ends; what it does not use is lost.
    """
    wanted = {"sequence": name, "begun": first + count, "count": count}
    end = fetch(connection, _taking(connection.dialect.name), wanted)[0][0]
    return range(end - count, end)


@cache
def _taking(dialect: str) -> Executable:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new = make(sequences).values(name=bindparam("sequence"), next=bindparam("begun"))
    count = bindparam("count", type_=BigInteger)
    return new.on_conflict_do_update(
        index_elements=[sequences.c.name], set_={"next": sequences.c.next + count}
    ).returning(sequences.c.next)
