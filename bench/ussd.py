"""USSD: how long a step takes while sessions keep beginning, and what many open ones weigh.

Issue 4: 500 new sessions a second of four steps each, a database read in the last, p99 of a
step under 20 ms; 100,000 sessions open at once in flat memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import TextClause, create_engine, text

from bench.databases import Engine
from bench.dial_load import KEYS, Dials
from bench.figures import Book, table, verdict
from bench.rig import BenchError, peyk_dialled

RATE: Final = 500
P99_MS: Final = 20.0
GROWN_MB: Final = 32.0
"""What four fifths of the open sessions may add: less than 0.4 kB each is none of them kept."""
FIRST_REGISTERED: Final = 989_900_000_007
"""The first of the sample subscribers' mobiles that follow from their places: every second."""
FIRST_STRANGER: Final = 989_370_000_000
_STEPS: Final = text("SELECT operation, outcome, count(*) FROM ussd_steps GROUP BY 1, 2")
_OPEN: Final = text("SELECT count(*) FROM ussd_sessions WHERE ended_at IS NULL")


@dataclass(frozen=True, slots=True)
class Weight:
    """Resident MB of the daemon's own."""

    start: float
    fifth: float
    """With a fifth of the sessions open."""
    end: float


def _key(engine: Engine) -> tuple[str, str]:
    return engine.name, f"{RATE} dials/s"


def measure(book: Book, engine: Engine, dials: Dials, subscribers: int) -> None:
    """Sessions of four steps, each of a registered mobile that has not dialled before."""
    url = engine.fresh(subscribers, "ussd")
    engine.settle()
    with peyk_dialled(url, (FIRST_REGISTERED, 2, subscribers // 2 - 4)) as daemon:
        book.add(_key(engine), daemon.run(dials))
    found = {(each[0], each[1]): each[2] for each in _ask(url, _STEPS)}
    read, others = found.pop(("balance", "done"), 0), found.pop(("", ""), 0)
    if found or others != read * (len(KEYS) - 1):
        raise BenchError(f"not every session came to its end: {read} did; {others}, {found}")


def weigh(engine: Engine, subscribers: int, sessions: int) -> Weight:
    """Open so many sessions and leave them open."""
    url = engine.fresh(subscribers, "ussd")
    engine.settle()
    with peyk_dialled(url, (FIRST_STRANGER, 1, sessions)) as daemon:
        start = daemon.memory()
        daemon.run(Dials(window=100, most=sessions // 5, steps=1, warm_up=0))
        fifth = daemon.memory()
        daemon.run(Dials(window=100, most=sessions - sessions // 5, steps=1, warm_up=0))
        weight = Weight(start, fifth, daemon.memory())
        ((open_now,),) = _ask(url, _OPEN)
    if open_now != sessions:
        raise BenchError(f"{open_now} sessions are open of {sessions}")
    return weight


def _ask(url: str, query: TextClause) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return found


def report(book: Book, engines: list[Engine], weights: dict[str, Weight], sessions: int) -> str:
    """Write the tables."""
    rows = []
    for engine in engines:
        key = _key(engine)
        worst = book.middle(key, lambda figures: figures.worst)
        rows.append(
            [", ".join(key), f"{book.rate(key):,.0f}", *book.latencies(key), f"{worst:.1f}"]
        )
    weighed = [
        [name, *(f"{mb:.0f} MB" for mb in (weight.start, weight.fifth, weight.end))]
        for name, weight in weights.items()
    ]
    head = ["", "at start", f"{sessions // 5:,} open", f"{sessions:,} open"]
    steps = table(["Dials", "steps/s", "p50 ms", "p99 ms", "worst ms"], rows)
    return f"{steps}\n{table(head, weighed)}"


def targets(
    book: Book, engine: Engine, weights: dict[str, Weight], sessions: int
) -> list[list[str]]:
    """Write the rows of the table of targets."""
    p99 = book.middle(_key(engine), lambda figures: figures.p99)
    grown = weights[engine.name].end - weights[engine.name].fifth
    return [
        [
            f"{engine.name}: p99 of a step at {RATE} dials/s",
            f"< {P99_MS:.0f} ms",
            f"{p99:.1f} ms",
            verdict(p99, P99_MS, at_least=False),
        ],
        [
            f"{engine.name}: memory from {sessions // 5:,} to {sessions:,} open sessions",
            f"≤ {GROWN_MB:.0f} MB",
            f"{grown:.0f} MB",
            verdict(grown, GROWN_MB, at_least=False),
        ],
    ]
