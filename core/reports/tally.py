"""Counts by key, however many keys there are: a million mobiles fit as well as three lines.

What does not fit into a fixed share of memory goes to a temporary file, which SQLite makes and
which is gone with the process, however it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

KEPT: Final = 50_000
"""Keys in memory."""

Key = int | str


class Tally:
    """``width`` counters for each key; the keys of one tally are of one type."""

    def __init__(self, width: int, kept: int = KEPT) -> None:
        self._width = width
        self._kept = kept
        self._counts: dict[Key, list[int]] = {}
        self._file: sqlite3.Connection | None = None

    def of(self, key: Key) -> list[int]:
        """The counters of ``key``, to be added to at once: later they may not count."""
        counts = self._counts.get(key)
        if counts is None:
            if len(self._counts) >= self._kept:
                self._spill()
            counts = self._counts[key] = [0] * self._width
        return counts

    def items(self) -> Iterator[tuple[Key, list[int]]]:
        """Every key with its counters, in the order of the keys."""
        if self._file is None:
            yield from sorted(self._counts.items(), key=lambda item: item[0])
            return
        self._spill()
        for key, *counts in self._file.execute("SELECT * FROM counts ORDER BY key"):
            yield key, counts

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self) -> None:
        names = [f"c{place}" for place in range(self._width)]
        if self._file is None:
            # An empty name is a private file that nobody else sees.
            self._file = sqlite3.connect("", check_same_thread=False)
            self._file.execute(
                f"CREATE TABLE counts (key PRIMARY KEY, {', '.join(names)}) WITHOUT ROWID"
            )
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in names)
        places = ", ".join("?" * (self._width + 1))
        self._file.executemany(
            f"INSERT INTO counts VALUES ({places}) ON CONFLICT (key) DO UPDATE SET {added}",  # noqa: S608 - names of our own
            [(key, *counts) for key, counts in self._counts.items()],
        )
        self._counts.clear()
