"""What this daemon counts in each minute: a ring of a day, stored every few seconds.

The batches count for themselves (``Inbound.counters``); here is only looked, now and then, by
how much they have grown. Reactor's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from core.minutes import MINUTE_MS, NOTHING, Counts, Writer
from core.outbox import State

KEPT: Final = 24 * 60
"""Minutes that are kept here."""


def counts_of(counters: Mapping[str, int]) -> Counts:
    """The counters of ``Inbound`` as they are counted in minutes."""

    def became(*states: State) -> int:
        return sum(counters.get(f"became_{state.value}", 0) for state in states)

    return Counts(
        received=counters.get("texts", 0),
        dialled=counters.get("inputs", 0),
        sent=became(State.ACCEPTED),
        delivered=became(State.DELIVERED),
        failed=became(State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.SUPPRESSED),
        put_off=became(State.WAITING),
        uncertain=became(State.UNCERTAIN),
    )


class Minutes:
    """One process's counts of the last day, by minute."""

    def __init__(
        self, writer: Writer, counters: Mapping[str, int], now_ms: Callable[[], int]
    ) -> None:
        """``counters``: those of ``Inbound``, which only grow."""
        self.writer = writer
        self._counters = counters
        self._now = now_ms
        self._seen = counts_of(counters)
        self._own: dict[int, Counts] = {}
        self._to_store: set[int] = set()

    def look(self) -> None:
        """Put what has been counted since the last look into the minute that it is now."""
        found = counts_of(self._counters)
        if found == self._seen:
            return
        more = Counts(*(new - old for new, old in zip(found, self._seen, strict=True)))
        self._seen = found
        minute = self._now() // MINUTE_MS * MINUTE_MS
        self._own[minute] = self._own.get(minute, NOTHING).plus(more)
        self._to_store.add(minute)
        while len(self._own) > KEPT:
            del self._own[next(iter(self._own))]

    @property
    def own(self) -> Mapping[int, Counts]:
        """What this process has counted, by minute."""
        return self._own

    def take(self) -> dict[int, Counts]:
        """What has changed since it was taken the last time, to be stored."""
        taken = {minute: self._own[minute] for minute in self._to_store if minute in self._own}
        self._to_store = set()
        return taken

    def take_back(self, taken: Mapping[int, Counts]) -> None:
        """It could not be stored: it is taken again."""
        self._to_store |= taken.keys()
