"""Which acknowledgements of a connection the SMSC has surely read, and which it may not have.

An arrival that is committed and acknowledged stays in its connection's ledger until a later
response of the SMSC shows that it read the acknowledgement (``Connection.confirmed``). What
is still there when the connection is lost may be delivered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.suspects import Arrived, Unconfirmed
from gateway.messages import Connection


class _Entry(NamedTuple):
    ordinal: int
    """Which acknowledgement of its connection it was, from 1."""
    stored_as: int
    """The arrival's id, or that of the suspect that it repeats."""
    fingerprint: int
    since: int
    repeats: bool


@dataclass(slots=True)
class Confirmed:
    """What has become sure since one last asked."""

    mark: int = 0
    """The last new arrival whose acknowledgement was read; 0 for none."""
    suspects: list[int] = field(default_factory=list)
    """Suspects whose redelivery's acknowledgement was read."""


class Ledger:
    """The unconfirmed acknowledgements of one connection, in the order they were written."""

    def __init__(self, link: int, bind: str, connection: Connection) -> None:
        self.link = link
        """An id of the connection that no other process has: for the database."""
        self.bind = bind
        self.connection = connection
        self._entries: deque[_Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def acknowledge(
        self, stored: Sequence[tuple[int, Arrived]], redelivered: dict[int, int]
    ) -> list[Unconfirmed]:
        """Acknowledge committed arrivals (sequence, arrival) in one write.

        Returns those whose acknowledgement cannot get out: the connection is closed.
        """
        if not self.connection.is_open:
            return [as_unconfirmed(self.bind, arrival, redelivered) for _, arrival in stored]
        ordinal = self.connection.acknowledged
        self.connection.acknowledge([sequence for sequence, _ in stored])
        for _, arrival in stored:
            ordinal += 1
            stored_as = redelivered.get(arrival.id, arrival.id)
            self._entries.append(
                _Entry(
                    ordinal,
                    stored_as,
                    arrival.fingerprint,
                    arrival.received_at,
                    stored_as != arrival.id,
                )
            )
        return []

    def take_confirmed(self, confirmed: Confirmed) -> None:
        """Move what is confirmed by now out of the ledger and into ``confirmed``."""
        read = self.connection.confirmed
        while self._entries and self._entries[0].ordinal <= read:
            entry = self._entries.popleft()
            if entry.repeats:
                confirmed.suspects.append(entry.stored_as)
            else:
                confirmed.mark = max(confirmed.mark, entry.stored_as)

    @property
    def repeated(self) -> list[int]:
        """Suspects whose redelivery was acknowledged here and is not confirmed yet."""
        return [entry.stored_as for entry in self._entries if entry.repeats]

    def take_lost(self) -> list[Unconfirmed]:
        """What is left once the connection has ended."""
        lost = [
            Unconfirmed(entry.stored_as, self.bind, entry.fingerprint, entry.since)
            for entry in self._entries
        ]
        self._entries.clear()
        return lost


def as_unconfirmed(bind: str, arrival: Arrived, redelivered: dict[int, int]) -> Unconfirmed:
    """An arrival as the core suspects it."""
    stored_as = redelivered.get(arrival.id, arrival.id)
    return Unconfirmed(stored_as, bind, arrival.fingerprint, arrival.received_at)
