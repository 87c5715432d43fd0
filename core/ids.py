"""Ids that a daemon makes by itself: unique among daemons, and growing with time.

A batch needs the ids of its rows before it writes them (a message, its reply, the reply's
parts), and several daemons may write to one database. 41 bits of milliseconds, 8 bits of
node and 14 bits of sequence fit a signed 64-bit integer until the year 2095.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

EPOCH_MS = 1_735_689_600_000
"""2025-01-01 UTC: nothing is older than the project."""
NODE_BITS = 8
SEQUENCE_BITS = 14
MAX_NODES = 1 << NODE_BITS
COMMANDS_NODE = MAX_NODES - 1
"""Not a daemon's: commands that write rows of their own share it."""
MOST = 2**63 - 1
"""No id is greater: a database has no more bits for one."""
_SHIFT = NODE_BITS + SEQUENCE_BITS
_SEQUENCES = 1 << SEQUENCE_BITS


class IdMaker:
    """Makes ids for one node; each is greater than the one before, whatever the clock does."""

    def __init__(self, node: int, now_ms: Callable[[], int], begin: int = 0) -> None:
        if not 0 <= node < MAX_NODES:
            raise ValueError(f"node {node} is not between 0 and {MAX_NODES - 1}")
        self._node = node << SEQUENCE_BITS
        self._now_ms = now_ms
        self._begin = begin
        self._last_ms = -1
        self._sequence = 0
        self._lock = threading.Lock()

    def begin_after(self, row_id: int) -> None:
        """Make only ids that are greater than ``row_id``, though the clock was set back."""
        with self._lock:
            self._last_ms, self._sequence = max(self._last_ms, row_id >> _SHIFT), _SEQUENCES

    def take(self, count: int = 1) -> range:
        """``count`` ids in a row (at most 16,384), for rows that belong together."""
        if not 0 < count <= _SEQUENCES - self._begin:
            raise ValueError(f"cannot take {count} ids at once")
        with self._lock:
            now = self._now_ms() - EPOCH_MS
            if now > self._last_ms:
                self._last_ms, self._sequence = now, self._begin
            elif self._sequence + count > _SEQUENCES:
                # More than 16,384 ids in a millisecond, or a clock that went back: run ahead.
                self._last_ms, self._sequence = self._last_ms + 1, self._begin
            first = (self._last_ms << _SHIFT) | self._node | self._sequence
            self._sequence += count
            return range(first, first + count)

    def one(self) -> int:
        """One id."""
        return self.take()[0]


def ids_for_command(now_ms: Callable[[], int]) -> IdMaker:
    """Ids for a command that runs beside the daemons.

    Commands have no number to themselves, so each begins somewhere among the ids of its
    millisecond; if two meet all the same, the later transaction fails and changes nothing.
    """
    return IdMaker(COMMANDS_NODE, now_ms, begin=secrets.randbelow(_SEQUENCES // 2))


def made_at(row_id: int) -> int:
    """When an id was made: UTC milliseconds."""
    return (row_id >> _SHIFT) + EPOCH_MS


def first_id_at(at_ms: int) -> int:
    """The least id that can have been made at ``at_ms`` or later; ``MOST`` where there is none."""
    return min(max(0, at_ms - EPOCH_MS) << _SHIFT, MOST)
