"""Answers while ten people are at the desk, beside answers while nobody is: the same daemon.

Issue 6: a thousand messages in and out each second go on undisturbed; the answers' p99 rises by
no more than half. Both are measured one after the other in each round, first the one and then
the other, so that neither always finds a warmer machine or a smaller database.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from bench.databases import ROOT, Engine
from bench.figures import Book, table, verdict
from bench.load import Phase
from bench.rig import BenchError, Running, peyk
from core.access.roles import ids_of
from core.access.sessions import Browser, Lifetime, begin_session
from core.access.users import NewUser, add_user
from core.database import Database

RATE: Final = 1000
PEOPLE: Final = 10
MOST: Final = 1.5
"""What the p99 with people may be of that without."""
ALONE: Final = "nobody at the desk"
WITH: Final = f"{PEOPLE} people at the desk"
_SETTLE_SECONDS: Final = 2.0
_LIFETIME: Final = Lifetime(3_600_000, 3_600_000)


class Pages(NamedTuple):
    """What the people were given in one round."""

    pages: int
    events: int
    """Of the dashboards' streams."""
    p50: float
    """Milliseconds of a page."""
    p99: float


def measure(book: Book, engine: Engine, phase: Phase, subscribers: int, number: int) -> Pages:
    """One round, the odd ones with nobody first."""
    url = engine.fresh(subscribers, "desk")
    engine.settle()
    with peyk(url, subscribers) as daemon:
        cookies = _let_in(url)
        # The desk compiles its pages with the first visitor: once for each start of a daemon.
        with _people(daemon, cookies[:1], "1"):
            time.sleep(_SETTLE_SECONDS)
        for what in (ALONE, WITH) if number % 2 else (WITH, ALONE):
            if what == ALONE:
                book.add((engine.name, what), daemon.run(phase))
            else:
                with _people(daemon, cookies) as said:
                    book.add((engine.name, what), daemon.run(phase))
    if said.pop("errors"):
        raise BenchError("the desk did not answer all of them")
    pages = Pages(**said)
    if not (pages.pages and pages.events):
        raise BenchError("nobody was shown anything")
    print(f"    {pages.pages} pages, p50 {pages.p50:.0f} p99 {pages.p99:.0f} ms", flush=True)
    return pages


@contextmanager
def _people(daemon: Running, cookies: list[str], pause: str = "2") -> Iterator[dict[str, Any]]:
    """People at the desk for a while, with so many seconds between pages; what they were given."""
    settings = tomllib.loads(daemon.settings.read_text(encoding="utf-8"))
    port = settings["web"]["listen"].rpartition(":")[2]
    said: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "bench.people", port, pause],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as people:
        assert people.stdin is not None
        people.stdin.write(json.dumps(cookies) + "\n")
        people.stdin.flush()
        try:
            yield said
        finally:
            out, _ = people.communicate()
    found = json.loads(out)
    for error in found["errors"][:5]:
        print(f"    {error}", file=sys.stderr)
    said.update(found)


def _let_in(url: str) -> list[str]:
    """Ten people who are logged in; their cookies."""
    database = Database(url)
    tokens: list[str] = database.transact("people", _begin)
    database.close()
    # The settings of the bench say https, so the name is bound to the host.
    return [f"__Host-peyk_session={token}" for token in tokens]


def _begin(connection: Connection) -> list[str]:
    now = time.time_ns() // 1_000_000
    roles = [(each, "") for each in ids_of(connection, ["administrator"]).values()]
    browser = Browser("127.0.0.1", "bench")
    found = []
    for number in range(PEOPLE):
        user_id = add_user(connection, NewUser(f"p{number}", "", "none"), roles, now)
        found.append(begin_session(connection, user_id, browser, _LIFETIME, now, verified=True))
    return found


# --- what came of it ----------------------------------------------------------------


def _share(book: Book, engine: Engine) -> float:
    """The p99 with people as a share of that without: medians of the rounds."""
    one, other = (
        book.middle((engine.name, what), lambda figures: figures.p99) for what in (WITH, ALONE)
    )
    return one / other


def report(book: Book, engines: list[Engine], pages: dict[str, list[Pages]]) -> str:
    """Write the tables."""
    rows = []
    for engine in engines:
        for what in (ALONE, WITH):
            key = (engine.name, what)
            worst = book.middle(key, lambda figures: figures.worst)
            rows.append(
                [", ".join(key), f"{book.rate(key):,.0f}", *book.latencies(key), f"{worst:.1f}"]
            )
    shown = [[name, str(len(each)), *_of_pages(each)] for name, each in pages.items()]
    answers = table([f"{RATE}/s", "answers/s", "p50 ms", "p99 ms", "worst ms"], rows)
    head = ["What people were shown", "rounds", "pages", "events", "p50 ms", "worst p99 ms"]
    return f"{answers}\n{table(head, shown)}"


def _of_pages(rounds: list[Pages]) -> list[str]:
    p50 = sorted(each.p50 for each in rounds)[len(rounds) // 2]
    return [
        f"{sum(each.pages for each in rounds):,}",
        f"{sum(each.events for each in rounds):,}",
        f"{p50:.0f}",
        f"{max(each.p99 for each in rounds):.0f}",
    ]


def target(book: Book, engine: Engine) -> list[str]:
    """Write the row of the table of targets."""
    measured = _share(book, engine)
    return [
        f"{engine.name}: p99 with {PEOPLE} people at the desk ÷ without, at {RATE}/s",
        f"≤ {MOST:.1f}",
        f"{measured:.2f}",
        verdict(measured, MOST, at_least=False),
    ]
