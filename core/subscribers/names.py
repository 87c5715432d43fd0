"""Finding subscriptions by words of a name, anywhere in it, without reading all that there are.

No index is of use for a family name in the middle of a name, and one of every word would make
each import slower for what a counter does a few times an hour. So records are looked through in
pieces of ``PIECE``, the newest first, each a short transaction by the primary key, until a page is
full or ``MOST`` were read; whoever has not found theirs by then goes on where the search stopped,
or gives a number instead. The engine compares: it does so beside everything else that a process
does, where Python would hold up the messages. Letters that people write in several ways (آرش, ارش)
are any letter to it first, and are looked at only in the few names that this leaves.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from core.database import Reader, by_index_only
from core.subscribers import SHORTEST_NAME, Found, SubscriberFilter
from core.tables import subscribers
from core.text import MARK, SAME, flat

PIECE: Final = 25_000
"""Records that a statement looks through: some hundredths of a second."""
MOST: Final = 500_000
"""Records that a search looks through before it asks whether to go on."""
_HALF_SPACE: Final = "\u200c"
_ANY: Final = "_"
_ESCAPE: Final = "/"
_WILD: Final = frozenset(SAME.values())


class Named(NamedTuple):
    """What a search by name has found."""

    rows: list[Found]
    """The newest record first."""
    reached: int | None
    """The id to go on before; None where none is left to look through, or the page is full."""


def search_by_name(reader: Reader, wanted: SubscriberFilter, most: int) -> Named:
    """Subscriptions whose name has each word of ``wanted.said``; takes up to a second or so."""
    words = tuple(flat(wanted.said).replace(MARK, "").split())
    if not words or max(map(len, words)) < SHORTEST_NAME:
        return Named([], None)
    rows: list[Found] = []
    before = wanted.before
    for _ in range(max(1, most // PIECE)):
        left = wanted.limit - len(rows)
        found, before = reader.read("subscribers.by_name", _piece, wanted, words, before, left)
        rows += found
        if before is None or len(rows) >= wanted.limit:
            return Named(rows, None)
    return Named(rows, before)


def _piece(
    connection: Connection,
    wanted: SubscriberFilter,
    words: tuple[str, ...],
    before: int | None,
    limit: int,
) -> tuple[list[Found], int | None]:
    """What the next piece has, and the first id that was looked at; None: it was the last one."""
    by_index_only(connection)
    key = subscribers.c.id
    last = select(key).order_by(key.desc()).offset(PIECE - 1).limit(1)
    if before is not None:
        last = last.where(key < before)
    first = connection.scalar(last)
    # Of the two it is the primary key that is to be gone by: the utility is that of most rows.
    utility = func.coalesce(subscribers.c.utility, "")
    name = func.replace(subscribers.c.name, _HALF_SPACE, "")
    flattened: ColumnElement[str] = name
    for letter, one in SAME.items():
        flattened = func.replace(flattened, letter, one)
    query = (
        select(*(subscribers.c[column] for column in Found._fields))
        .where(utility.in_(sorted(wanted.utilities)))
        .where(*(name.like(f"%{_about(word)}%", escape=_ESCAPE) for word in words))
        .where(*(flattened.contains(word, autoescape=True) for word in words))
        .order_by(key.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(key < before)
    if first is not None:
        query = query.where(key >= first)
    return [Found._make(row) for row in connection.execute(query)], first


def _about(word: str) -> str:
    """A pattern for it, with any letter where several are the same."""
    return "".join(
        _ANY if sign in _WILD else f"{_ESCAPE}{sign}" if sign in f"%_{_ESCAPE}" else sign
        for sign in word
    )
