"""The daemons beside this one, and what one that dies has not acknowledged.

An SMSC delivers that again at once, over the bind of another daemon. So each batch that has
arrivals looks first whether a daemon has died: its number is a lock that PostgreSQL lets go
of with its process. What it stored and may not have acknowledged is suspected from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, Integer, SmallInteger, func, literal, select

from core.bulk import as_rows, unfolded
from core.nodes.number import LOCK_SPACE
from core.suspects import recover_suspects


class Beside:
    """The other daemons on the same database that lived a moment ago.

    Written by one thread and read by another: each change is one assignment.
    """

    def __init__(self) -> None:
        self.nodes: tuple[int, ...] = ()
        self._dead: frozenset[tuple[int, int]] = frozenset()
        self._living: Mapping[int, int] = {}

    def set(self, living: Mapping[int, int]) -> None:
        """These live: node → when it was started."""
        self._living = living
        self.nodes = tuple(node for node, at in living.items() if (node, at) not in self._dead)

    def forget(self, nodes: Collection[int]) -> None:
        """These have died, and that is dealt with."""
        if nodes:
            living = self._living
            self._dead |= {(node, living[node]) for node in nodes if node in living}
            self.set(living)


def suspect_the_dead(connection: Connection, beside: Beside, since: int) -> list[int]:
    """Suspect what daemons have left unacknowledged that have died; returns their nodes.

    Arrivals from before ``since`` are past suspicion.
    """
    nodes = beside.nodes
    if not nodes:
        return []
    # Whose lock can be had for a moment does not hold it.
    dead = list(connection.scalars(_UNLOCKED, as_rows((node,) for node in nodes)))
    for node in dead:
        recover_suspects(connection, node, since)
    return dead


_asked = unfolded({"node": SmallInteger()}, "asked")
_SPACE: Final = literal(LOCK_SPACE, Integer())
_UNLOCKED = select(_asked.c.node).where(
    func.pg_try_advisory_xact_lock_shared(_SPACE, _asked.c.node.cast(Integer))
)
