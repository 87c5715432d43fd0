"""``make bench-peers``: the same load through Kannel and through Peyk, in turn.

Peyk looks the subscriber up and commits each text and its answer before it acknowledges;
Kannel answers all with one fixed text (``bench/kannel.py`` says how it is set).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from bench import kannel
from bench.databases import HOME, Engine, Sqlite, alone, postgresql
from bench.figures import Book, machine, table
from bench.link import Figures
from bench.load import Phase
from bench.rig import peyk

WINDOWS: Final = (50, 200, 500)
SUBSCRIBERS: Final = 1_000
KANNEL: Final = "Kannel"
FORGETFUL: Final = "Kannel without a store"
MISSING: Final = """\
bench-peers needs Kannel, and these programs of it are not installed: {names}.
On Debian or Ubuntu:  apt-get install kannel
(It need not run as a service: the bench starts its own, on 127.0.0.1 only.)"""


class Peer(Protocol):
    """Something that is bound to a load."""

    def run(self, phase: Phase) -> Figures:
        """Run one phase."""


Start = Callable[[], AbstractContextManager[Peer]]


def measure(book: Book, peers: dict[str, Start], *, rounds: int, seconds: float) -> None:
    """Let every peer have its turn in every round."""
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}", flush=True)
        for name, start in peers.items():
            with start() as peer:
                for window in WINDOWS:
                    figures = peer.run(Phase(seconds, window=window))
                    book.add((name, f"window {window}"), figures)


def report(book: Book, peers: dict[str, Start]) -> str:
    """Write the medians, and how many answers each gives for one of Kannel's."""
    rows = []
    for window in WINDOWS:
        for name in peers:
            key = (name, f"window {window}")
            rate = book.rate(key)
            p99 = book.middle(key, lambda figures: figures.p99)
            ratios = [rate / book.rate((other, key[1])) for other in (KANNEL, FORGETFUL)]
            rows.append([", ".join(key), f"{rate:,.0f}", book.spread(key), f"{p99:.1f}"])
            rows[-1] += [f"{ratio:.2f}" for ratio in ratios]
    return table(["", "answers/s", "rounds", "p99 ms", "÷ Kannel", "÷ without store"], rows)


def _peyk(engine: Engine) -> Start:
    url = engine.fresh(SUBSCRIBERS, "peers")

    def start() -> AbstractContextManager[Peer]:
        engine.settle()
        return peyk(url, SUBSCRIBERS)

    return start


def main() -> None:
    """``python -m bench.peers [--quick]``."""
    parser = argparse.ArgumentParser(description="Measure Peyk beside Kannel.")
    parser.add_argument("--quick", action="store_true", help="a short look: figures mean little")
    quick = parser.parse_args().quick
    if names := kannel.missing():
        sys.exit(MISSING.format(names=", ".join(names)))
    began = time.monotonic()
    book = Book()
    with alone(), postgresql() as server:
        peers: dict[str, Start] = {
            KANNEL: lambda: kannel.kannel(SUBSCRIBERS, stored=True),
            FORGETFUL: lambda: kannel.kannel(SUBSCRIBERS, stored=False),
        }
        peers |= {f"Peyk on {engine.name}": _peyk(engine) for engine in (Sqlite(), server)}
        measure(book, peers, rounds=1 if quick else 3, seconds=1.5 if quick else 5.0)
        about = f"{machine(server.version())}; Kannel {kannel.version()}"
    text = f"{about}.\n\n{report(book, peers)}"
    (HOME / "peers.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nTook {(time.monotonic() - began) / 60:.1f} minutes.")


if __name__ == "__main__":
    main()
