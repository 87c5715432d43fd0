"""The watch: people are told once, whatever the database and the ways to them do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from core.alerts import Alert, AlertFilter, list_alerts, open_alerts, store_alerts
from core.database import Database, DatabaseUnavailable
from core.ids import IdMaker
from gateway.alerts.book import Book
from gateway.alerts.telling import FIRST_PAUSE, NotTold, Telling
from gateway.alerts.watch import Watch
from gateway.database_doors import Doors
from gateway.health import Snapshot
from gateway.settings.alerts import AlertSettings
from tests.unit.alerts.test_troubles import QUIET
from tests.unit.test_health import BIND, DATABASE, LOST, NOW


class ListWay:
    """Implements ``Way``: keeps what is told, or fails."""

    name = "list"

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.fails = 0

    def tell(self, telling: Telling) -> Deferred[None]:
        """Keep it."""
        if self.fails:
            self.fails -= 1
            return fail(NotTold("nobody listens"))
        self.told.append((telling.alert.trouble, telling.is_end))
        return succeed(None)


class Daemon:
    """A daemon that is only how it is; its database may be away."""

    def __init__(self, database: Database, ways: Sequence[ListWay], node: int = 0) -> None:
        self.database = database
        self.clock = Clock()
        self.clock.advance(NOW / 1000)
        self.reads = self.writes = True
        self.binds_down = False
        settings = AlertSettings(bind_down=1, calm=10, database_down=15)
        doors = Doors(database, self._reader, self._writer, self._writer)
        book = Book(node, IdMaker(node, self.now).one, settings.calm)
        self.watch = Watch(settings, self.look, doors, book, ways=ways, clock=self.clock)

    def now(self) -> int:
        """UTC milliseconds."""
        return int(self.clock.seconds() * 1000)

    def _reader(self, function: Any, *arguments: Any) -> Deferred[Any]:
        return self._run(function, *arguments, works=self.reads)

    def _writer(self, function: Any, *arguments: Any) -> Deferred[Any]:
        return self._run(function, *arguments, works=self.reads and self.writes)

    def _run(self, function: Any, *arguments: Any, works: bool) -> Deferred[Any]:
        return succeed(function(*arguments)) if works else fail(DatabaseUnavailable("gone"))

    def look(self) -> Deferred[Snapshot]:
        """How it is."""
        now = self.now()
        bind = replace(LOST, down_since=now - 60_000) if self.binds_down else BIND
        database = replace(DATABASE, reachable=self.reads, last_error="" if self.reads else "gone")
        return succeed(
            replace(QUIET, now=now, scheduler=None, binds=(BIND, bind), database=database)
        )

    def pass_time(self, seconds: float) -> None:
        """Look every five seconds."""
        for _ in range(round(seconds / 5)):
            self.clock.advance(5)
            self.watch.tick()

    def stored(self, *, is_open: bool = False) -> list[Alert]:
        """What the database has, the newest first."""
        return self.database.read("test", list_alerts, AlertFilter(is_open=is_open))


@pytest.fixture
def way() -> ListWay:
    """A way that keeps what is told."""
    return ListWay()


DOWN, UP = ("bind_down:irancell", False), ("bind_down:irancell", True)


def test_people_are_told_once_and_once_that_it_is_over(
    sqlite_database: Database, way: ListWay
) -> None:
    """And the database remembers when."""
    daemon = Daemon(sqlite_database, [way])
    daemon.pass_time(60)
    assert way.told == []
    daemon.binds_down = True
    daemon.pass_time(60)
    assert way.told == [DOWN]
    daemon.binds_down = False
    daemon.pass_time(60)
    assert way.told == [DOWN, UP]
    (alert,) = daemon.stored()
    assert None not in alert
    assert alert.since < (alert.ended_at or 0)


def test_after_a_restart_nobody_is_told_again(sqlite_database: Database, way: ListWay) -> None:
    """Of what is open still; that it is over is told by the next daemon, too."""
    daemon = Daemon(sqlite_database, [way])
    daemon.binds_down = True
    daemon.pass_time(20)
    again = Daemon(sqlite_database, [way])
    again.binds_down = True
    again.pass_time(60)
    assert way.told == [DOWN]
    again.binds_down = False
    again.pass_time(60)
    assert way.told == [DOWN, UP]


def test_what_nobody_was_told_before_a_restart_is_told_after_it(
    sqlite_database: Database, way: ListWay
) -> None:
    """The beginning, and the end."""
    for is_down in (True, False):
        way.fails = 1000
        daemon = Daemon(sqlite_database, [way])
        daemon.binds_down = is_down
        daemon.pass_time(30)
        way.fails = 0
        again = Daemon(sqlite_database, [way])
        again.clock.advance(daemon.clock.seconds() - again.clock.seconds())
        again.binds_down = is_down
        again.pass_time(10)
    assert way.told == [DOWN, UP]


def test_while_the_database_is_away_people_are_told_all_the_same(
    sqlite_database: Database, way: ListWay
) -> None:
    """Of it as well; what was told then is stored when it is back."""
    daemon = Daemon(sqlite_database, [way])
    daemon.pass_time(5)
    daemon.reads = False
    daemon.binds_down = True
    daemon.pass_time(60)
    assert way.told == [DOWN, ("database", False)]
    daemon.reads = True
    daemon.pass_time(60)
    assert way.told == [DOWN, ("database", False), ("database", True)]
    stored = {each.trouble: each for each in daemon.stored()}
    assert stored["database"].ended_at is not None
    assert stored["bind_down:irancell"].told_at is not None


def test_a_database_that_takes_nothing_is_trouble(sqlite_database: Database, way: ListWay) -> None:
    """It can be read, and nothing can be stored: a full disk."""
    daemon = Daemon(sqlite_database, [way])
    daemon.writes = False
    daemon.binds_down = True
    daemon.pass_time(60)
    assert way.told == [DOWN, ("database", False)]
    daemon.writes = True
    daemon.pass_time(60)
    assert way.told[2:] == [("database", True)]


def test_a_way_that_fails_is_tried_again_and_holds_up_no_other(sqlite_database: Database) -> None:
    """In order, with growing pauses."""
    good, bad = ListWay(), ListWay()
    bad.fails = 2
    daemon = Daemon(sqlite_database, [bad, good])
    daemon.binds_down = True
    daemon.pass_time(5)
    assert (good.told, bad.told) == ([DOWN], [])
    daemon.clock.advance(FIRST_PAUSE)
    assert bad.told == []
    daemon.clock.advance(FIRST_PAUSE * 2)
    assert bad.told == [DOWN]
    assert daemon.watch.tellers[0].waiting == 0


def test_of_two_daemons_one_tells_what_concerns_both(database: Database) -> None:
    """Whoever stores it first; the other's is not stored."""
    first = Alert(1, "queue_old", "old", "کهنه", 1, None, None, None)
    second = first._replace(id=2)
    database.transact("store", store_alerts, [first])
    (found,) = database.transact("store", store_alerts, [second])
    assert found == first
    told = first._replace(told_at=5, ended_at=9)
    again = first._replace(id=3)
    (left,) = database.transact("store", store_alerts, [told, again])
    assert left == again
    # Who knows less undoes nothing.
    database.transact("store", store_alerts, [first])
    assert database.read("open", open_alerts) == [again]
    wanted = AlertFilter(trouble="queue", limit=10)
    assert database.read("list", list_alerts, wanted) == [again, told]
