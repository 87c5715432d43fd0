"""What the service manager hears, and when it hears nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gateway.watchdog import Manager, Watchdog

UNIT = Path(__file__).parents[2] / "config" / "ops" / "peyk.service"


class Heard:
    """The manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.door.bind(str(path))

    def take(self) -> list[str]:
        """The first line of what was said since the last time."""
        found: list[str] = []
        while True:
            try:
                found.append(self.door.recv(4096).decode().splitlines()[0])
            except BlockingIOError:
                return found


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    """A manager that listens."""
    made = Heard(tmp_path / "notify")
    yield made
    made.door.close()


def test_the_daemon_says_that_it_lives_only_while_work_goes_through(heard: Heard) -> None:
    """A thread that hangs in the database is silence, and silence is a restart."""
    waiting: list[tuple[Deferred[Any], Callable[[], object]]] = []

    def in_writer(function: Callable[[], object]) -> Deferred[Any]:
        waiting.append((Deferred(), function))
        return waiting[-1][0]

    def work() -> None:
        done, function = waiting.pop()
        done.callback(function())

    clock = Clock()
    manager = Manager({"NOTIFY_SOCKET": str(heard.path), "WATCHDOG_USEC": "30000000"})
    watchdog = Watchdog(manager, in_writer, clock)
    watchdog.startService()
    assert heard.take() == ["READY=1"]
    work()
    assert heard.take() == ["WATCHDOG=1"]
    clock.advance(10)
    work()
    assert heard.take() == ["WATCHDOG=1"]
    clock.pump([10] * 6)
    assert (heard.take(), len(waiting)) == ([], 1)
    work()
    assert heard.take() == ["WATCHDOG=1"]
    clock.advance(10)
    watchdog.stopService()
    work()
    assert heard.take() == ["STOPPING=1"]
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": "HERE"},
        {"NOTIFY_SOCKET": "HERE", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
def test_who_does_not_ask_is_not_told(heard: Heard, environment: dict[str, str]) -> None:
    """Without a manager, or with one that watches another process, nothing goes round."""
    if environment.get("NOTIFY_SOCKET"):
        environment = {**environment, "NOTIFY_SOCKET": str(heard.path)}
    clock = Clock()
    Watchdog(Manager(environment), lambda _work: Deferred(), clock).startService()
    assert not clock.getDelayedCalls()
    assert heard.take() == (["READY=1"] if "NOTIFY_SOCKET" in environment else [])


def test_a_manager_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    """The daemon goes on without it."""
    Manager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY="1")


def test_the_unit_waits_longer_than_the_daemon_does() -> None:
    """A stop that is cut short leaves messages of which nobody knows whether they went out."""
    said = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert said["Type"] == "notify"
    assert int(said["TimeoutStopSec"]) >= 2 * 10 + 10
    assert int(said["WatchdogSec"]) > 3 * 25
    assert said["StartLimitIntervalSec"] == "0", "it waits for its database, however long"
    assert said["RestartPreventExitStatus"] == "2", "and not for settings to mend themselves"
