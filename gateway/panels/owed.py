"""The states that a panel still owes: which messages to ask about next, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

SLOWER: Final = 0.25
"""A message is asked about again after this share of its age, so ever more seldom …"""
LONGEST: Final = 3_600.0
"""… but at least once an hour."""


class Owed:
    """Ids of messages, in the order in which they are to be asked about. Times are seconds."""

    def __init__(self, first: float, forget: float) -> None:
        """``first``: seconds until a message is first asked about, and between askings.

        ``forget``: the age at which a panel knows no more of a message.
        """
        self._first = first
        self._forget = forget
        self._since: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, key: str) -> bool:
        return key in self._since

    def add(self, keys: Iterable[str], since: float, now: float) -> None:
        """Messages that the panel took at ``since``; those that are here already stay."""
        for key in keys:
            if key not in self._since:
                self._since[key] = since
                heappush(self._queue, (max(now, since + self._first), key))

    def settle(self, key: str) -> None:
        """Its last state has come."""
        self._since.pop(key, None)

    def due(self, most: int, now: float) -> list[str]:
        """The next to ask about; each is here again when it is time to ask once more."""
        found: list[str] = []
        while self._queue and len(found) < most and self._queue[0][0] <= now:
            _at, key = heappop(self._queue)
            since = self._since.get(key)
            if since is None:
                continue
            age = now - since
            if age >= self._forget:
                del self._since[key]
                continue
            found.append(key)
            heappush(self._queue, (now + self._pause(age), key))
        return found

    def soon(self, keys: Iterable[str], now: float) -> None:
        """Ask about these again before long: what was told of them could not be stored."""
        for key in keys:
            if key in self._since:
                heappush(self._queue, (now + self._first, key))

    def _pause(self, age: float) -> float:
        return max(self._first, min(LONGEST, age * SLOWER))
