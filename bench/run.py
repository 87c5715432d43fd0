"""``make bench``: the whole matrix, in rounds, with medians. ``--quick`` for a minute's look.

Every round goes through all measurements, so that a machine which is slower for a while
is slower for all of them. ``bench/README.md`` says what each one is.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

from bench import campaign, codec, desk, mix, ussd
from bench import plan as plans
from bench.databases import HOME, Engine, Sqlite, alone, postgresql
from bench.dial_load import Dials
from bench.load import Phase
from bench.plan import RATES, WIDEST, WINDOWS, Plan
from bench.report import Memory, Results, report
from bench.rig import peyk
from bench.texts import ALONE, MIX


class Bench:
    """One run of the bench on some engines."""

    def __init__(self, plan: Plan, engines: list[Engine]) -> None:
        self.plan = plan
        self.engines = engines
        self.results = Results(plan, engines)
        self.book = self.results.book
        self._urls: dict[tuple[str, str, int], str] = {}

    def run(self) -> None:
        """Measure everything that is planned."""
        self._prepare()
        for number in range(1, self.plan.rounds + 1):
            print(f"round {number} of {self.plan.rounds}", flush=True)
            self.book.add_codec(codec.rate())
            for engine in self.engines:
                self._round(engine, number)
        for engine in self.engines:
            if plans.MEMORY in self.plan.only:
                self._memory(engine)
            if plans.USSD in self.plan.only:
                weight = ussd.weigh(engine, self.plan.dialling, self.plan.sessions)
                self.results.weights[engine.name] = weight
            if plans.CAMPAIGN in self.plan.only:
                self.results.campaigns[engine.name] = campaign.measure(engine, self.plan)
        self.book.add_codec(codec.rate())

    def _round(self, engine: Engine, number: int) -> None:
        if plans.MATRIX in self.plan.only:
            self._matrix(engine)
        if plans.PAIR in self.plan.only:
            self._populations(engine)
        if plans.RECEIPTS in self.plan.only:
            self._receipts(engine)
        if plans.MIXED in self.plan.only:
            self._mix(engine, number)
        if plans.USSD in self.plan.only:
            dials = Dials(ussd.RATE, seconds=self.plan.seconds, warm_up=self.plan.warm_up)
            ussd.measure(self.book, engine, dials, self.plan.dialling)
        if plans.DESK in self.plan.only:
            phase = replace(self._phase(rate=desk.RATE), seconds=self.plan.at_desk)
            shown = desk.measure(self.book, engine, phase, self.plan.few, number)
            self.results.pages.setdefault(engine.name, []).append(shown)

    def _prepare(self) -> None:
        few, many, only = self.plan.few, self.plan.many, self.plan.only
        wanted = [("load", few)] if only & {plans.MATRIX, plans.RECEIPTS} else []
        wanted += [("pair", few), ("pair", many)] if plans.PAIR in only else []
        wanted += [("memory", few)] if plans.MEMORY in only else []
        for engine in self.engines:
            for use, size in wanted:
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

    def _mix(self, engine: Engine, number: int) -> None:
        """One before the other in turn, so that neither always finds the machine warmer."""
        order = (ALONE, MIX) if number % 2 else (MIX, ALONE)
        mix.measure(self.book, engine, self._phase(window=WIDEST), self.plan.mixed, order)

    def _memory(self, engine: Engine) -> None:
        engine.settle()
        with peyk(self._urls[engine.name, "memory", self.plan.few], self.plan.few) as daemon:
            start = daemon.memory()
            daemon.run(Phase(window=WIDEST, most=self.plan.messages, warm_up=0))
            self.results.memory[engine.name] = Memory(start, daemon.memory())


def _plan() -> Plan:
    parser = argparse.ArgumentParser(description="Measure Peyk; see bench/README.md.")
    parser.add_argument("--quick", action="store_true", help="a short look: figures mean little")
    parser.add_argument(
        "--only",
        action="append",
        choices=plans.MEASUREMENTS,
        help="just this measurement (may be repeated); results.md stays as it is",
    )
    parser.add_argument(
        "--engine", choices=("SQLite", "PostgreSQL"), help="on this database only; results.md stays"
    )
    parser.add_argument(
        "--many", type=int, help="subscribers of the large database; results.md stays"
    )
    given = parser.parse_args()
    plan = plans.QUICK if given.quick else Plan()
    plan = replace(plan, only=frozenset(given.only)) if given.only else plan
    plan = replace(plan, engine=given.engine) if given.engine else plan
    return replace(plan, many=given.many) if given.many else plan


def main() -> None:
    """``python -m bench.run [--quick] [--only MEASUREMENT]``."""
    plan = _plan()
    began = time.monotonic()
    with alone(), postgresql() as server:
        engines: list[Engine] = [Sqlite(), server]
        bench = Bench(plan, [each for each in engines if plan.engine in ("", each.name)])
        bench.run()
        text = report(bench.results, server.version())
    if plan == Plan():
        (HOME / "results.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nTook {(time.monotonic() - began) / 60:.1f} minutes.")


if __name__ == "__main__":
    main()
