"""The pulse: one look for all who ask at once; counts that could not be stored are kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from core.database import DatabaseUnavailable
from core.minutes import MINUTE_MS, Counts, Writer
from gateway.health import DatabaseHealth, QueueHealth, Snapshot
from gateway.minutes import Minutes
from gateway.pulse import FRESH_MS, Pulse

NOW = 1_790_000_000_000 // MINUTE_MS * MINUTE_MS + 15_000
WRITER = Writer(1, 1)


class World:
    """A daemon whose database comes and goes."""

    def __init__(self) -> None:
        self.now = NOW
        self.looks: list[Deferred[Snapshot]] = []
        self.stored: list[Any] = []
        self.is_away = False
        self.others = {NOW - 15_000: Counts(received=100)}
        self.counters: Counter[str] = Counter()
        vitals: Any = self
        doors: Any = self
        minutes = Minutes(WRITER, self.counters, self.clock)
        self.pulse = Pulse(
            vitals, minutes, doors, oldest_waiting=60, open_alerts=list, now_ms=self.clock
        )

    def clock(self) -> int:
        """UTC milliseconds."""
        return self.now

    def snapshot(self) -> Deferred[Snapshot]:
        """Fires when the test says so."""
        self.looks.append(Deferred())
        return self.looks[-1]

    def see(self) -> None:
        """Have the last look see something."""
        self.looks[-1].callback(
            Snapshot(
                version="1",
                now=self.now,
                started_at=0,
                lines=(),
                binds=(),
                queues=QueueHealth(
                    arrivals=0,
                    reading_paused=False,
                    waiting=0,
                    sending=0,
                    oldest_waiting_seconds=None,
                ),
                database=DatabaseHealth(name="x", reachable=not self.is_away, schema_current=True),
            )
        )

    def read(self, _name: str, _function: Any, *_arguments: Any) -> Deferred[Any]:
        """What other processes have counted."""
        return fail(DatabaseUnavailable("away")) if self.is_away else succeed(self.others)

    def transact(self, _name: str, _function: Any, *arguments: Any) -> Deferred[Any]:
        """Store counts."""
        if self.is_away:
            return fail(DatabaseUnavailable("away"))
        self.stored.append(arguments)
        return succeed(None)


@pytest.fixture
def world() -> World:
    """One daemon."""
    return World()


def test_whoever_asks_at_once_is_told_the_same(world: World) -> None:
    """A look is good for two seconds, unless something was changed."""
    told: list[Any] = []
    for _ in range(3):
        world.pulse.feel().addCallback(told.append)
    assert len(world.looks) == 1
    world.see()
    assert len(told) == 3
    assert told[0] is told[2]
    world.now += FRESH_MS - 1
    world.pulse.feel().addCallback(told.append)
    assert told[-1] is told[0]
    world.pulse.forget()
    world.pulse.feel()
    assert len(world.looks) == 2


def test_ours_and_others_add_up(world: World) -> None:
    """Also while the database is away: then what was known of the others is shown."""
    told: list[Any] = []
    world.counters.update(texts=5, became_accepted=3)
    world.pulse.feel().addCallback(told.append)
    world.see()
    assert told[0].last_hour == Counts(received=105, sent=3)
    assert told[0].last_day == told[0].last_hour
    world.now += 12_000
    world.is_away = True
    world.counters.update(texts=1)
    world.pulse.feel().addCallback(told.append)
    world.see()
    assert told[1].last_hour == Counts(received=106, sent=3)


def test_the_last_whole_minute_fades_out(world: World) -> None:
    """A quarter of a minute on, three quarters of the one before still count."""
    told: list[Any] = []
    minute = NOW - 15_000
    world.others = {minute: Counts(received=10), minute - MINUTE_MS: Counts(received=100)}
    world.pulse.feel().addCallback(told.append)
    world.see()
    assert told[0].a_minute("received") == 85


def test_counts_outlast_an_outage(world: World) -> None:
    """What could not be stored is stored with the next."""
    world.counters.update(texts=2)
    world.is_away = True
    world.pulse.store()
    world.is_away = False
    world.pulse.store()
    world.pulse.store()
    assert world.stored == [(WRITER, {NOW - 15_000: Counts(received=2)})]
