"""The tables of ``make bench``: those of what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench import campaign, desk, mix, ussd
from bench.campaign import Campaign
from bench.databases import Engine
from bench.figures import Book, machine, table, verdict
from bench.plan import (
    DEAREST,
    DESK,
    MATRIX,
    MEMORY,
    MIXED,
    P99_AT,
    P99_MS,
    PAIR,
    RATES,
    RECEIPTS,
    TARGETS,
    USSD,
    WIDEST,
    WINDOWS,
    Plan,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MB of the daemon's own, at its start and in the end."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a run of the bench."""

    plan: Plan
    engines: list[Engine]
    book: Book = field(default_factory=Book)
    memory: dict[str, Memory] = field(default_factory=dict)
    weights: dict[str, ussd.Weight] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    pages: dict[str, list[desk.Pages]] = field(default_factory=dict)
    """What people at the desk were shown, round by round."""


def report(results: Results, version: str) -> str:
    """Write everything as the tables of ``bench/README.md``."""
    book, plan = results.book, results.plan
    alone_rate = median(book.codec)
    around = f"{min(book.codec):,.0f} to {max(book.codec):,.0f}"
    parts = [
        f"{machine(version)}. Medians of {plan.rounds} rounds.\n",
        f"smpplib alone: {alone_rate:,.0f} exchanges/s ({around}).\n",
    ]
    if plan.only & {MATRIX, RECEIPTS}:
        parts.append(_closed(results, alone_rate))
    if MATRIX in plan.only:
        parts.append(_open(results))
    if MIXED in plan.only:
        parts.append(mix.report(book, results.engines))
    if USSD in plan.only:
        parts.append(ussd.report(book, results.engines, results.weights, plan.sessions))
    if PAIR in plan.only:
        parts.append(_pair(results))
    if MEMORY in plan.only:
        parts.append(_memory(results))
    if results.campaigns:
        parts.append(campaign.report(results.campaigns))
    if DESK in plan.only:
        parts.append(desk.report(book, results.engines, results.pages))
    parts.append(table(["Target", "bound", "measured", ""], _targets(results, alone_rate)))
    return "\n".join(parts)


def _closed(results: Results, alone_rate: float) -> str:
    book, rows = results.book, []
    measured = [f"window {window}" for window in WINDOWS] if MATRIX in results.plan.only else []
    measured += ["with receipts"] if RECEIPTS in results.plan.only else []
    for engine in results.engines:
        for what in measured:
            key = (engine.name, what)
            rate, share = book.rate(key), book.rate(key) / alone_rate
            figures = [f"{rate:,.0f}", book.spread(key), f"{share:.2f}", *book.latencies(key)]
            rows.append([", ".join(key), *figures])
    return table(["Closed loop", "answers/s", "rounds", "÷ smpplib", "p50 ms", "p99 ms"], rows)


def _open(results: Results) -> str:
    book, rows = results.book, []
    for engine in results.engines:
        for rate in RATES:
            key = (engine.name, f"{rate}/s")
            worst = book.middle(key, lambda figures: figures.worst)
            rows.append([", ".join(key), *book.latencies(key), f"{worst:.1f}"])
    return table(["Open loop", "p50 ms", "p99 ms", "worst ms"], rows)


def _pair(results: Results) -> str:
    sizes = [f"{size:,} subscribers" for size in (results.plan.few, results.plan.many)]
    rows = [
        [engine.name, *(f"{results.book.rate((engine.name, size)):,.0f}/s" for size in sizes)]
        for engine in results.engines
    ]
    return table(["", *sizes], rows)


def _memory(results: Results) -> str:
    rows = [
        [name, f"{memory.start:.0f} MB", f"{memory.end:.0f} MB"]
        for name, memory in results.memory.items()
    ]
    return table(["", "memory at start", f"after {results.plan.messages:,} messages"], rows)


def _targets(results: Results, alone_rate: float) -> Iterator[list[str]]:
    for engine in results.engines:
        if MATRIX in results.plan.only:
            yield from _of_matrix(results.book, engine.name, alone_rate)
        if PAIR in results.plan.only:
            yield _of_pair(results, engine.name)
        if MIXED in results.plan.only:
            yield mix.target(results.book, engine)
        if USSD in results.plan.only:
            yield from ussd.targets(results.book, engine, results.weights, results.plan.sessions)
        if DESK in results.plan.only:
            yield desk.target(results.book, engine)
        if engine.name in results.campaigns:
            yield from campaign.targets(engine.name, results.campaigns[engine.name])


def _of_matrix(book: Book, name: str, alone_rate: float) -> Iterator[list[str]]:
    share, least = book.rate((name, f"window {WIDEST}")) / alone_rate, TARGETS[name]
    yield [
        f"{name}: share of smpplib's rate at window {WIDEST}",
        f"≥ {least:.2f}",
        f"{share:.2f}",
        verdict(share, least, at_least=True),
    ]
    p99 = book.middle((name, f"{P99_AT}/s"), lambda figures: figures.p99)
    yield [
        f"{name}: p99 at {P99_AT}/s",
        f"< {P99_MS:.0f} ms",
        f"{p99:.1f} ms",
        verdict(p99, P99_MS, at_least=False),
    ]


def _of_pair(results: Results, name: str) -> list[str]:
    few, many = results.plan.few, results.plan.many
    small, large = (results.book.rate((name, f"{size:,} subscribers")) for size in (few, many))
    cost = 1 - large / small
    holds = verdict(cost, DEAREST, at_least=False)
    return [f"{name}: cost of {many:,} subscribers", f"≤ {DEAREST:.0%}", f"{cost:.0%}", holds]
