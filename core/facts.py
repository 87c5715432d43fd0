"""All that the calls of one batch know and change: a set of shelves, filled and stored together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from core.calls import Call
from core.identity import Identities
from core.ids import IdMaker
from core.shelf import Asker, Shelf, Subject

S = TypeVar("S", bound=Shelf)


class Wanted(NamedTuple):
    """A call that may be run, who asks for it, and the shelves its operation needs."""

    asker: Asker
    call: Call
    needs: frozenset[type[Shelf]]


class Facts:
    """The shelves of one batch. Not shared between threads."""

    def __init__(self, ids: IdMaker) -> None:
        self._ids = ids
        self._shelves: dict[type[Shelf], Any] = {}
        self.identities = self.of(Identities)

    @classmethod
    def load(cls, connection: Connection, ids: IdMaker, wanted: Iterable[Wanted]) -> Facts:
        """Everything that these calls need; the number of statements does not grow."""
        facts = cls(ids)
        wanted = list(wanted)
        facts.identities.load(connection, [Subject(one.asker, one.call, ()) for one in wanted])
        needed: defaultdict[type[Shelf], list[Subject]] = defaultdict(list)
        for asker, call, needs in wanted:
            if needs:
                subject = Subject(asker, call, facts.identities.subscribers_of(asker, call))
                for kind in needs:
                    needed[kind].append(subject)
        for kind, subjects in needed.items():
            facts.of(kind).load(connection, subjects)
        return facts

    def of(self, kind: type[S]) -> S:
        """The shelf of this kind; an empty one if no call of the batch asked for it."""
        shelf: S | None = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = kind()
            shelf.ids = self._ids
        return shelf

    def store(self, connection: Connection) -> None:
        """Write all effects; the number of statements does not grow with them."""
        for shelf in self._shelves.values():
            shelf.store(connection)
