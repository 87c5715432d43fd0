"""The daemon's scheduler: told of what happens, and looking by itself; one daemon leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from core.database import Database, DatabaseUnavailable
from core.ids import IdMaker
from core.nodes.leader import Leadership
from core.schedules.words import parse_schedule
from gateway.database_doors import Doors
from gateway.scheduler import Scheduler
from tests.conftest import Clock
from tests.happening import ON_BILLS, bill, every, happen, in_use, press, texts


class Threads:
    """Threads that work when a test says so, or at once."""

    def __init__(self) -> None:
        self.waits = False
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Call it."""
        done: Deferred[Any] = Deferred()

        def work() -> None:
            maybeDeferred(function, *arguments).chainDeferred(done)

        self.waiting.append(work)
        if not self.waits:
            self.go_on()
        return done

    def go_on(self) -> None:
        """Do what waits."""
        while self.waiting:
            self.waiting.pop(0)()


class Rig:
    """A scheduler, and what it tells the daemon."""

    def __init__(self, database: Database, now_ms: Clock) -> None:
        self.database, self.threads = database, Threads()
        self.told: list[str] = []
        self.is_away = False
        self.scheduler = Scheduler(
            Doors(database, self.threads, self.threads, self.threads),
            Leadership(database),
            press(now_ms),
            now_ms=now_ms,
            on_queued=lambda: self.told.append("queued"),
            on_begun=lambda: self.told.append("begun"),
            is_away=lambda: self.is_away,
        )


@pytest.fixture
def rig(sqlite_database: Database, now_ms: Clock) -> Rig:
    """One that works at once."""
    return Rig(sqlite_database, now_ms)


def test_what_happens_is_told_and_what_happens_meanwhile_as_well(rig: Rig, now_ms: Clock) -> None:
    """One transaction at a time; nothing while the database is away, and all of it after."""
    ids = IdMaker(1, now_ms)
    in_use(rig.database)
    rig.threads.waits = True
    happen(rig.database, ids, bill("1", now_ms()))
    rig.scheduler.happened()
    rig.scheduler.happened()
    assert len(rig.threads.waiting) == 1
    rig.threads.go_on()
    assert rig.told == ["queued"]
    rig.threads.waits = False
    happen(rig.database, ids, bill("2", now_ms()))
    rig.is_away = True
    rig.scheduler.look_for_events()
    rig.scheduler.happened()
    assert len(texts(rig.database)) == 1
    rig.is_away = False
    rig.scheduler.look_for_events()
    assert len(texts(rig.database)) == 2
    assert rig.scheduler.status.counted.events == 2


def test_a_round_begins_what_is_due(rig: Rig, now_ms: Clock) -> None:
    """Runs and messages that were put off; the daemon is told of both, and how it went is kept."""
    in_use(rig.database, every("every day 08:00"), "bills", since=now_ms())
    later = parse_schedule("every day 08:00")
    in_use(rig.database, replace(ON_BILLS, produce=later), "later")
    happen(rig.database, IdMaker(1, now_ms), bill("1", now_ms()))
    rig.scheduler.happened()
    rig.scheduler.tick()
    assert rig.told == []
    assert [each.template for each in rig.scheduler.status.round.planned] == ["bills"]
    now_ms.advance(86_400)
    rig.scheduler.tick()
    assert sorted(rig.told) == ["begun", "queued"]
    assert (rig.scheduler.status.leads, rig.scheduler.status.last_round) == (True, now_ms())


def test_a_fault_ends_one_round_and_not_the_next(
    rig: Rig, now_ms: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for a moment, or something is wrong with us."""
    in_use(rig.database, every("every day 08:00"), "bills", since=now_ms())
    now_ms.advance(86_400)
    for fault in (DatabaseUnavailable("away"), RuntimeError("a mistake")):
        with monkeypatch.context() as patch:
            patch.setattr(rig.database, "transact", _raiser(fault))
            rig.scheduler.tick()
    assert rig.told == []
    rig.scheduler.tick()
    assert rig.told == ["begun"]


def test_of_two_daemons_one_goes_round(postgresql_database: Database, now_ms: Clock) -> None:
    """The other one takes over when the first has stopped."""
    database = postgresql_database
    in_use(database, every("every day 08:00"), "bills", since=now_ms())
    first, second = Rig(database, now_ms), Rig(database, now_ms)
    now_ms.advance(86_400)
    first.scheduler.tick()
    second.scheduler.tick()
    assert (first.told, second.told) == (["begun"], [])
    assert (first.scheduler.status.leads, second.scheduler.status.leads) == (True, False)
    stopped = first.scheduler.stop()
    assert not isinstance(stopped.result, Failure)
    first.scheduler.tick()
    first.scheduler.release()
    now_ms.advance(86_400)
    second.scheduler.tick()
    assert (second.told, second.scheduler.status.leads) == (["begun"], True)
    second.scheduler.release()


def _raiser(fault: Exception) -> Callable[..., Any]:
    def fail(*_arguments: object) -> None:
        raise fault

    return fail
