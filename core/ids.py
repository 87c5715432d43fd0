"""Ids that a daemon makes by itself: unique among daemons, and growing with time.

A batch needs the ids of its rows before it writes them (a message, its reply, the reply's
parts), and several daemons may write to one database. 41 bits of milliseconds, 8 bits of
node and 14 bits of sequence fit a signed 64-bit integer until the year 2095.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

EPOCH_MS = 1_735_689_600_000
"""2025-01-01 UTC: nothing is older than the project."""
NODE_BITS = 8
SEQUENCE_BITS = 14
MAX_NODES = 1 << NODE_BITS
_SHIFT = NODE_BITS + SEQUENCE_BITS
_SEQUENCES = 1 << SEQUENCE_BITS


class IdMaker:
    """Makes ids for one node; each is greater than the one before, whatever the clock does."""

    def __init__(self, node: int, now_ms: Callable[[], int]) -> None:
        if not 0 <= node < MAX_NODES:
            raise ValueError(f"node {node} is not between 0 and {MAX_NODES - 1}")
        self._node = node << SEQUENCE_BITS
        self._now_ms = now_ms
        self._last_ms = -1
        self._sequence = 0
        self._lock = threading.Lock()

    def begin_after(self, row_id: int) -> None:
        """Make only ids that are greater than ``row_id``, though the clock was set back."""
        with self._lock:
            self._last_ms, self._sequence = max(self._last_ms, row_id >> _SHIFT), _SEQUENCES

    def take(self, count: int = 1) -> range:
        """``count`` ids in a row (at most 16,384), for rows that belong together."""
        if not 0 < count <= _SEQUENCES:
            raise ValueError(f"cannot take {count} ids at once")
        with self._lock:
            now = self._now_ms() - EPOCH_MS
            if now > self._last_ms:
                self._last_ms, self._sequence = now, 0
            elif self._sequence + count > _SEQUENCES:
                # More than 16,384 ids in a millisecond, or a clock that went back: run ahead.
                self._last_ms, self._sequence = self._last_ms + 1, 0
            first = (self._last_ms << _SHIFT) | self._node | self._sequence
            self._sequence += count
            return range(first, first + count)

    def one(self) -> int:
        """One id."""
        return self.take()[0]


def made_at(row_id: int) -> int:
    """When an id was made: UTC milliseconds."""
    return (row_id >> _SHIFT) + EPOCH_MS


def first_id_at(at_ms: int) -> int:
    """The least id that can have been made at ``at_ms`` or later."""
    return max(0, at_ms - EPOCH_MS) << _SHIFT
