"""A campaign over the bills of a million subscribers, while others text and are answered.

Two daemons follow each other on one database. The first has a bind of 100 messages a second
and makes the messages; then it is left alone for a minute and what it sends is counted. The
second has no rate and sends what the first has left. All the while texts come in.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import create_engine, text

from bench.databases import ROOT, Engine
from bench.figures import table, verdict
from bench.link import Figures
from bench.load import Phase
from bench.plan import Plan
from bench.rig import BenchError, Bind, Running, peyk
from core.database import Database
from core.demo.making import KERMAN
from core.templates.store import Draft, add
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnReport,
    Receivers,
    SendPolicy,
    Uncertain,
)

WINDOW: Final = 200
RATE: Final = 100
TEXTS: Final = 20
"""Texts a second that come in meanwhile."""
LEAST_ROWS: Final = 20_000
LEAST_SUBMITTED: Final = 5_000
P99_MS: Final = 50.0
RATE_WITHIN: Final = 0.01
_TEMPLATE: Final = "bills"
_BODY: Final = (
    "اشتراک {{ number }}: قبض {{ period }}، {{ payable|rial }} ریال، مهلت {{ due|jalali }}"
)
_PATIENCE: Final = 600.0
_CONTACTS: Final = text("""\
INSERT INTO contacts (utility, mobile, subscriber_id, source, created_at)
SELECT s.utility, '9899' || s.number, s.id, 'import', 0 FROM subscribers AS s
 WHERE NOT EXISTS (SELECT 1 FROM contacts AS c WHERE c.subscriber_id = s.id)""")


@dataclass(frozen=True, slots=True)
class Campaign:
    """What came of it on one engine."""

    rows: int
    messages: int
    rows_rate: float
    """Rows made into messages, a second …"""
    producing: Figures
    """… and the answers meanwhile."""
    paced: Figures
    """At the bind's rate."""
    sending: Figures
    """As fast as it goes."""
    memory: tuple[float, float, float, float]
    """MB: before and after producing, before and after sending."""


def measure(engine: Engine, plan: Plan) -> Campaign:
    """Make and send a campaign."""
    url = engine.fresh(plan.many, "campaign")
    period = _prepare(url)
    engine.settle()
    with peyk(url, plan.many, bind=Bind(WINDOW, RATE)) as daemon:
        before = daemon.memory()
        daemon.begin(Phase(rate=TEXTS, bulk=True))
        run = _start(daemon, period)
        _wait(url, run)
        producing = daemon.end()
        told = _command(daemon, "show", run)
        made = daemon.memory()
        paced = daemon.run(Phase(plan.minute, rate=TEXTS / 4, warm_up=plan.warm_up, bulk=True))
    engine.settle()
    with peyk(url, plan.many, bind=Bind(WINDOW)) as daemon:
        start = daemon.memory()
        sending = daemon.run(Phase(plan.sending, rate=TEXTS, warm_up=plan.warm_up, bulk=True))
        memory = (before, made, start, daemon.memory())
    seconds = _seconds(url, run)
    rows = int(told["rows_read"])
    return Campaign(rows, int(told["made"]), rows / seconds, producing, paced, sending, memory)


def _prepare(url: str) -> str:
    """Give everybody a mobile, and the utility a template; returns the period that is billed."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(_CONTACTS)
        period = connection.execute(text("SELECT max(period) FROM bills")).scalar_one()
    engine.dispose()
    database = Database(url)
    line = "100034122"
    policy = SendPolicy((60,), 0, (), frozenset())
    definition = Definition(
        line, Audience.SERVICE, "bills", False, "fa",  # noqa: FBT003 - named in the class
        OnReport("bills_of_period", {"period": str(period)}), Receivers.CONTACTS, None, Missed.ONCE,
        None, None, 3, 172_800, 5, Uncertain.LEAVE, policy,
    )  # fmt: skip
    draft = Draft(KERMAN, _TEMPLATE, definition, _BODY, "bench", 0)
    database.transact("template", lambda connection: add(connection, draft, enabled=True))
    database.close()
    return str(period)


def _command(daemon: Running, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli", "--config", str(daemon.settings), "campaign"]
    done = subprocess.run(
        [*command, *arguments, "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"peyk campaign: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _start(daemon: Running, period: str) -> str:
    return str(_command(daemon, "start", _TEMPLATE, "--param", f"period={period}")["id"])


def _wait(url: str, run: str) -> None:
    """Wait until every message is made, looking at nothing but the run's own row."""
    engine = create_engine(url)
    statement = text("SELECT state FROM runs WHERE id = :run")
    deadline = time.monotonic() + _PATIENCE
    state = "producing"
    while state == "producing":
        if time.monotonic() > deadline:
            raise BenchError(f"the campaign is still {state} after {_PATIENCE:.0f} s")
        time.sleep(1)
        with engine.connect() as connection:
            state = connection.execute(statement, {"run": int(run)}).scalar_one()
    engine.dispose()


def _seconds(url: str, run: str) -> float:
    """From when it was asked for until its last message was made."""
    engine = create_engine(url)
    statement = text("SELECT produced_at - created_at FROM runs WHERE id = :run")
    with engine.connect() as connection:
        took = connection.execute(statement, {"run": int(run)}).scalar_one()
    engine.dispose()
    return float(took) / 1000


# --- what came of it ------------------------------------------------------------------


def report(found: dict[str, Campaign]) -> str:
    """Write the table."""
    rows = []
    for name, each in found.items():
        paced, sending = each.paced, each.sending
        rows.append([
            f"{name}, {each.rows:,} rows",
            f"{each.rows_rate:,.0f}",
            f"{sending.submitted / sending.seconds:,.0f}",
            f"{paced.submitted / paced.seconds:.2f}",
            f"{each.producing.p99:.1f}",
            f"{sending.p99:.1f}",
            " → ".join(f"{memory:.0f}" for memory in each.memory),
        ])  # fmt: skip
    head = [
        "Campaign", "rows/s", "submit_sm/s", "rate 100", "p99 ms, producing", "p99 ms, sending",
        "memory MB",
    ]  # fmt: skip
    return table(head, rows)


def targets(name: str, found: Campaign) -> Iterator[list[str]]:
    """Write the rows of the table of targets."""
    submitted = found.sending.submitted / found.sending.seconds
    if name == "SQLite":
        holds = verdict(found.rows_rate, LEAST_ROWS, at_least=True)
        yield [
            f"{name}: rows made, a second",
            f"≥ {LEAST_ROWS:,}",
            f"{found.rows_rate:,.0f}",
            holds,
        ]
        holds = verdict(submitted, LEAST_SUBMITTED, at_least=True)
        yield [f"{name}: submit_sm a second", f"≥ {LEAST_SUBMITTED:,}", f"{submitted:,.0f}", holds]
    p99 = max(found.producing.p99, found.sending.p99)
    holds = verdict(p99, P99_MS, at_least=False)
    yield [f"{name}: p99 of an answer meanwhile", f"< {P99_MS:.0f} ms", f"{p99:.1f} ms", holds]
    off = abs(found.paced.submitted / found.paced.seconds / RATE - 1)
    holds = verdict(off, RATE_WITHIN, at_least=False)
    yield [f"{name}: off the rate of {RATE}", f"≤ {RATE_WITHIN:.0%}", f"{off:.2%}", holds]
