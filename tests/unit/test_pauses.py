"""What people pause: kept in the database, kept to by whatever runs."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from core.database import Database, DatabaseUnavailable
from core.outbox import Sent
from core.services import Paused, ServicePaused, find_paused, pause, paused_now, resume
from gateway.database_doors import Doors
from gateway.outbound import Sender, SenderSettings
from gateway.pauses import SETTLE_SECONDS, BindSwitch, Pauses
from tests.unit.test_outbound import Line, row

ONE = Paused("bind:main", 1_790_000_000_000, "reza", "work on the line")


class Switch:
    """Remembers what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def off(self) -> None:
        """Remember."""
        self.done.append("off")

    def on(self) -> None:
        """Remember."""
        self.done.append("on")


def test_a_pause_stays_whose_it_was_until_it_is_resumed(database: Database) -> None:
    """Who pauses second changes nothing, and is told who was first."""
    assert database.transact("pause", pause, ONE) is None
    assert database.transact("pause", pause, ONE._replace(by="sara", note="")) == ONE
    assert database.read("paused", paused_now) == {"bind:main": ONE}
    assert "reza (work on the line); `peyk service resume bind:main`" in str(ServicePaused(ONE))
    assert database.transact("resume", resume, "bind:main") == ONE
    assert database.transact("resume", resume, "bind:main") is None
    assert database.read("paused", find_paused, "bind:main") is None


def test_a_daemon_begins_and_goes_on_as_the_database_says(sqlite_database: Database) -> None:
    """What was paused before it started stays off; later changes are seen; also by others."""
    broken = False

    def in_thread(function: Any, *arguments: Any) -> Deferred[Any]:
        return succeed(function(*arguments))

    def in_reader(function: Any, *arguments: Any) -> Deferred[Any]:
        if broken:
            failed: Deferred[Any] = Deferred()
            failed.errback(DatabaseUnavailable("away"))
            return failed
        return in_thread(function, *arguments)

    main, spare = Switch(), Switch()
    switches = {"bind:main": main, "bind:spare": spare}
    doors = Doors(sqlite_database, in_reader, in_thread, in_thread)
    sqlite_database.transact("pause", pause, ONE)
    pauses = Pauses(doors, switches, sqlite_database.read("paused", paused_now))
    pauses.start()
    assert (main.done, spare.done) == ([], ["on"])
    sqlite_database.transact("pause", pause, ONE._replace(name="bind:spare"))
    sqlite_database.transact("pause", pause, ONE._replace(name="campaigns"))
    pauses.tick()
    pauses.tick()
    assert spare.done == ["on", "off"]
    sqlite_database.transact("resume", resume, "bind:main")
    broken = True
    pauses.tick()
    assert "bind:main" in pauses.paused
    broken = False
    pauses.tick()
    assert main.done == ["on"]
    assert pauses.paused.keys() == {"bind:spare", "campaigns"}


class Bind:
    """A bind that only knows whether it runs."""

    runs = False

    def startService(self) -> None:
        """Connect."""
        self.runs = True

    def stopService(self) -> None:
        """Unbind."""
        self.runs = False


@pytest.mark.parametrize("answers", [True, False])
def test_a_bind_that_is_paused_hands_back_its_queue_and_then_unbinds(*, answers: bool) -> None:
    """What is under way may be answered; what never was sent is somebody else's at once."""
    clock, back = Clock(), list[Sent]()
    settings = SenderSettings("mci", "mci", 1, 0, receipts=True)
    sender = Sender(settings, clock, lambda _bind, sent: back.extend(sent))
    bind: Any = Bind()
    switch = BindSwitch(bind, sender, clock)
    switch.on()
    sender.bound(Line())
    sender.hand_over([row(1), row(2)])
    sender.pump()
    switch.off()
    assert ([sent.row.id for sent in back], sender.is_up, bind.runs) == ([2], False, True)
    sender.committed(1)
    if answers:
        sender._in_flight.clear()
    else:
        clock.advance(SETTLE_SECONDS)
    clock.advance(0.1)
    assert not bind.runs
    switch.off()
    switch.on()
    clock.advance(SETTLE_SECONDS * 2)
    assert (bind.runs, sender.is_up) == (True, True)
