"""Figures of several rounds: kept by what they are of, and written as tables."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from bench.link import Figures

Key = tuple[str, ...]


class Book:
    """Every round's figures of every measurement."""

    def __init__(self) -> None:
        self._rounds: dict[Key, list[Figures]] = defaultdict(list)
        self.codec: list[float] = []
        """Exchanges a second of smpplib alone."""

    def add(self, key: Key, figures: Figures) -> None:
        """Keep one round's figures, and say them."""
        self._rounds[key].append(figures)
        print(
            f"  {' '.join(key):<44} {figures.rate:8,.0f}/s  p50 {figures.p50:6.2f}"
            f"  p99 {figures.p99:6.2f}  worst {figures.worst:6.1f} ms"
            f"  parts {figures.parts / figures.seconds:8,.0f}/s",
            flush=True,
        )

    def add_codec(self, rate: float) -> None:
        """Keep one round of smpplib alone."""
        self.codec.append(rate)
        print(f"  {'smpplib alone':<44} {rate:8,.0f}/s", flush=True)

    def middle(self, key: Key, what: Callable[[Figures], float]) -> float:
        """The median of the rounds."""
        return median(what(figures) for figures in self._rounds[key])

    def rate(self, key: Key) -> float:
        """The median rate, answers a second."""
        return self.middle(key, lambda figures: figures.rate)

    def latencies(self, key: Key) -> tuple[str, str]:
        """The median p50 and p99, in milliseconds."""
        p50 = self.middle(key, lambda figures: figures.p50)
        return f"{p50:.1f}", f"{self.middle(key, lambda figures: figures.p99):.1f}"

    def spread(self, key: Key) -> str:
        """The lowest and the highest rate."""
        rates = [figures.rate for figures in self._rounds[key]]
        return f"{min(rates):,.0f} to {max(rates):,.0f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown; all columns but the first stand to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def verdict(figure: float, bound: float, *, at_least: bool) -> str:
    """Say whether a figure is within its bound."""
    return "holds" if (figure >= bound if at_least else figure <= bound) else "FALLS SHORT"


def machine(postgresql: str) -> str:
    """Say what it ran on, in general words."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {postgresql}"
    )
