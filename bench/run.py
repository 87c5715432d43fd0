"""``make bench``: the whole matrix, in rounds, with medians. ``--quick`` for a minute's look.

Every round goes through all measurements, so that a machine which is slower for a while
is slower for all of them. ``bench/README.md`` says what each one is.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from bench import codec
from bench.databases import HOME, Engine, Sqlite, alone, postgresql
from bench.figures import Book, machine, table, verdict
from bench.load import Phase
from bench.rig import peyk

WINDOWS: Final = (1, 50, 200)
RATES: Final = (500, 1000, 2000)
WIDEST: Final = 200
TARGETS: Final = {"SQLite": 1 / 2, "PostgreSQL": 1 / 3}
"""Least share of the rate of smpplib alone, at window 200 (issue 1)."""
P99_MS: Final = 20.0
P99_AT: Final = 1000
DEAREST: Final = 0.15
"""Most that a million subscribers may cost of the rate."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done."""

    rounds: int = 3
    seconds: float = 4.0
    warm_up: float = 1.0
    few: int = 1_000
    many: int = 1_000_000
    messages: int = 200_000
    """After so many the memory is read."""


QUICK: Final = Plan(rounds=1, seconds=1.0, warm_up=0.3, many=20_000, messages=10_000)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MB of the daemon's own, at its start and in the end."""

    start: float
    end: float


class Bench:
    """One run of the bench on some engines."""

    def __init__(self, plan: Plan, engines: list[Engine]) -> None:
        self.plan = plan
        self.engines = engines
        self.book = Book()
        self.memory: dict[str, Memory] = {}
        self._urls: dict[tuple[str, str, int], str] = {}

    def run(self) -> None:
        """Measure everything."""
        self._prepare()
        for number in range(1, self.plan.rounds + 1):
            print(f"round {number} of {self.plan.rounds}", flush=True)
            self.book.add_codec(codec.rate())
            for engine in self.engines:
                self._matrix(engine)
                self._populations(engine)
                self._receipts(engine)
        for engine in self.engines:
            self._memory(engine)
        self.book.add_codec(codec.rate())

    def _prepare(self) -> None:
        few, many = self.plan.few, self.plan.many
        for engine in self.engines:
            for use, size in (("load", few), ("pair", few), ("pair", many), ("memory", few)):
                self._urls[engine.name, use, size] = engine.fresh(size, use)

    def _phase(self, *, window: int = 0, rate: float = 0) -> Phase:
        return Phase(self.plan.seconds, window=window, rate=rate, warm_up=self.plan.warm_up)

    def _matrix(self, engine: Engine) -> None:
        engine.settle()
        with peyk(self._urls[engine.name, "load", self.plan.few], self.plan.few) as daemon:
            for window in WINDOWS:
                figures = daemon.run(self._phase(window=window))
                self.book.add((engine.name, f"window {window}"), figures)
            for rate in RATES:
                self.book.add((engine.name, f"{rate}/s"), daemon.run(self._phase(rate=rate)))

    def _populations(self, engine: Engine) -> None:
        """Both on databases of the same age: nothing but the pair was ever done on them."""
        for size in (self.plan.few, self.plan.many):
            engine.settle()
            with peyk(self._urls[engine.name, "pair", size], size) as daemon:
                figures = daemon.run(self._phase(window=WIDEST))
                self.book.add((engine.name, f"{size:,} subscribers"), figures)

    def _receipts(self, engine: Engine) -> None:
        engine.settle()
        url = self._urls[engine.name, "load", self.plan.few]
        with peyk(url, self.plan.few, receipts=True) as daemon:
            figures = daemon.run(replace(self._phase(window=WIDEST), receipts=True))
            self.book.add((engine.name, "with receipts"), figures)

    def _memory(self, engine: Engine) -> None:
        engine.settle()
        with peyk(self._urls[engine.name, "memory", self.plan.few], self.plan.few) as daemon:
            start = daemon.memory()
            daemon.run(Phase(window=WIDEST, most=self.plan.messages, warm_up=0))
            self.memory[engine.name] = Memory(start, daemon.memory())


# --- what came of it ----------------------------------------------------------------


def report(bench: Bench, version: str) -> str:
    """Write everything as the tables of ``bench/README.md``."""
    alone_rate = median(bench.book.codec)
    around = f"{min(bench.book.codec):,.0f} to {max(bench.book.codec):,.0f}"
    parts = [
        f"{machine(version)}. Medians of {bench.plan.rounds} rounds.\n",
        f"smpplib alone: {alone_rate:,.0f} exchanges/s ({around}).\n",
        _closed(bench, alone_rate),
        _open(bench),
        _costs(bench),
        _targets(bench, alone_rate),
    ]
    return "\n".join(parts)


def _closed(bench: Bench, alone_rate: float) -> str:
    book, rows = bench.book, []
    for engine in bench.engines:
        for what in (*(f"window {window}" for window in WINDOWS), "with receipts"):
            key = (engine.name, what)
            rate, share = book.rate(key), book.rate(key) / alone_rate
            figures = [f"{rate:,.0f}", book.spread(key), f"{share:.2f}", *_latencies(book, key)]
            rows.append([", ".join(key), *figures])
    return table(["Closed loop", "answers/s", "rounds", "÷ smpplib", "p50 ms", "p99 ms"], rows)


def _latencies(book: Book, key: tuple[str, ...]) -> tuple[str, str]:
    p50 = book.middle(key, lambda figures: figures.p50)
    return f"{p50:.1f}", f"{book.middle(key, lambda figures: figures.p99):.1f}"


def _open(bench: Bench) -> str:
    rows = []
    for engine in bench.engines:
        for rate in RATES:
            key = (engine.name, f"{rate}/s")
            worst = bench.book.middle(key, lambda figures: figures.worst)
            rows.append([", ".join(key), *_latencies(bench.book, key), f"{worst:.1f}"])
    return table(["Open loop", "p50 ms", "p99 ms", "worst ms"], rows)


def _costs(bench: Bench) -> str:
    few, many = bench.plan.few, bench.plan.many
    rows = []
    for engine in bench.engines:
        memory = bench.memory[engine.name]
        rows.append([
            engine.name,
            *(f"{bench.book.rate((engine.name, f'{size:,} subscribers')):,.0f}/s"
              for size in (few, many)),
            f"{memory.start:.0f} MB",
            f"{memory.end:.0f} MB",
        ])  # fmt: skip
    head = [f"{few:,} subscribers", f"{many:,} subscribers", "memory at start"]
    return table(["", *head, f"after {bench.plan.messages:,} messages"], rows)


def _targets(bench: Bench, alone_rate: float) -> str:
    book, rows = bench.book, []
    few, many = bench.plan.few, bench.plan.many
    for engine in bench.engines:
        name = engine.name
        share = book.rate((name, f"window {WIDEST}")) / alone_rate
        p99 = book.middle((name, f"{P99_AT}/s"), lambda figures: figures.p99)
        small, large = (book.rate((name, f"{size:,} subscribers")) for size in (few, many))
        cost = 1 - large / small
        least = TARGETS[name]
        rows += [
            [f"{name}: share of smpplib's rate at window {WIDEST}", f"≥ {least:.2f}",
             f"{share:.2f}", verdict(share, least, at_least=True)],
            [f"{name}: p99 at {P99_AT}/s", f"< {P99_MS:.0f} ms",
             f"{p99:.1f} ms", verdict(p99, P99_MS, at_least=False)],
            [f"{name}: cost of {many:,} subscribers", f"≤ {DEAREST:.0%}",
             f"{cost:.0%}", verdict(cost, DEAREST, at_least=False)],
        ]  # fmt: skip
    return table(["Target", "bound", "measured", ""], rows)


def main() -> None:
    """``python -m bench.run [--quick]``."""
    parser = argparse.ArgumentParser(description="Measure Peyk; see bench/README.md.")
    parser.add_argument("--quick", action="store_true", help="a short look: figures mean little")
    plan = QUICK if parser.parse_args().quick else Plan()
    began = time.monotonic()
    with alone(), postgresql() as server:
        bench = Bench(plan, [Sqlite(), server])
        bench.run()
        text = report(bench, server.version())
    (HOME / "results.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nTook {(time.monotonic() - began) / 60:.1f} minutes.")


if __name__ == "__main__":
    main()
