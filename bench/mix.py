"""What seed 001 offers, in turn, beside ``010`` alone: on equal databases, in the same rounds.

Issue 3 allows the mix to be slower by a third. An answer counts once however many parts it
has, though each part is a ``submit_sm``, a commit of its result and a row of the outbox.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import create_engine, text

from bench.databases import MIX_BILLS, Engine
from bench.figures import Book, table, verdict
from bench.load import Phase
from bench.rig import BenchError, peyk
from bench.texts import ALONE, KINDS, MIX, MIXED

LEAST: Final = 2 / 3
"""Of the rate of ``010`` alone (issue 3)."""
_TITLES: Final = {ALONE: "010 alone", MIX: "mix of ten"}
_OUTCOMES: Final = text("SELECT operation, outcome, count(*) FROM inbox GROUP BY 1, 2")


def measure(
    book: Book, engine: Engine, phase: Phase, subscribers: int, order: tuple[str, ...]
) -> None:
    """Measure both in that order, each on a database that nothing else was done on."""
    for what in order:
        url = engine.fresh(subscribers, "mix", bills=MIX_BILLS)
        engine.settle()
        with peyk(url, subscribers, what=what) as daemon:
            # No text of the mix is sent twice, even if that ends it sooner.
            figures = daemon.run(replace(phase, most=MIXED) if what == MIX else phase)
        book.add(_key(engine, what), figures)
        _check(url, set(KINDS) if what == MIX else {what})


def _key(engine: Engine, what: str) -> tuple[str, str]:
    return engine.name, _TITLES[what]


def _check(url: str, operations: set[str]) -> None:
    """Raise ``BenchError`` unless these operations were done, all of them and nothing else."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(_OUTCOMES)]
    engine.dispose()
    if {(operation, outcome) for operation, outcome, _ in found} != {
        (operation, "done") for operation in operations
    }:
        raise BenchError(f"not everything was done: {sorted(found)}")


# --- what came of it ----------------------------------------------------------------


def share(book: Book, engine: Engine) -> float:
    """The rate of the mix, as a share of that of ``010`` alone."""
    return book.rate(_key(engine, MIX)) / book.rate(_key(engine, ALONE))


def _parts(book: Book, key: tuple[str, str]) -> float:
    return book.middle(key, lambda figures: figures.parts / figures.seconds)


def _row(book: Book, engine: Engine, what: str) -> list[str]:
    key, alone = _key(engine, what), _key(engine, ALONE)
    return [
        ", ".join(key),
        f"{book.rate(key):,.0f}",
        book.spread(key),
        f"{share(book, engine):.2f}" if what == MIX else "",
        f"{_parts(book, key):,.0f}",
        f"{_parts(book, key) / _parts(book, alone):.2f}" if what == MIX else "",
        *book.latencies(key),
    ]


def report(book: Book, engines: list[Engine]) -> str:
    """Write the table."""
    rows = [_row(book, engine, what) for engine in engines for what in (ALONE, MIX)]
    head = [
        "Window 200", "answers/s", "rounds", "÷ 010", "parts/s", "÷ 010", "p50 ms", "p99 ms",
    ]  # fmt: skip
    return table(head, rows)


def target(book: Book, engine: Engine) -> list[str]:
    """Write the row of the table of targets."""
    measured = share(book, engine)
    holds = verdict(measured, LEAST, at_least=True)
    name = f"{engine.name}: mix of ten operations, share of 010 alone"
    return [name, f"≥ {LEAST:.2f}", f"{measured:.2f}", holds]
