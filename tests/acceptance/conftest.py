"""The daemon as a process, and the simulated operator that it is bound to.

The operator lives in the test's own process, so that a test sees every PDU and chooses the
very moment at which something breaks. The daemon is the command that people start it with, in a
process of its own; nothing of it is imported here but the words of its control door.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from core import demo, schema
from core.database import Database
from core.jalali import TEHRAN
from core.secrecy import Keys
from gateway import control
from gateway.smpp.handsets import Message, SmscSettings
from gateway.smpp.smsc import SimulatedSmsc
from gateway.smpp.smsc_session import SmscSession
from tests.conftest import PostgresqlServer
from tests.ports import free_port
from tests.processes import REPOSITORY, Afresh, Peyk, call_peyk
from tests.waiting import DEADLINE, until

reactor: Any = _reactor
LINE = "100034122"
KEY = "a key that only tests have, of 32 or more bytes"
WINDOW = 50
SUBSCRIBERS = 60

SETTINGS = """
[daemon]
data = "data"
profiles = "{profiles}"
control = "{control}"
key = "{key}"
log_level = "debug"
log_file = "peyk.log"
{daemon}

[database]
url = "{url}"

[[binds]]
name = "operator"
host = "127.0.0.1"
port = {port}
system_id = "peyk"
password = "demo"
window = {window}
backoff_first = 0.05
backoff_longest = 0.2
{more}

[[lines]]
number = "{line}"
profile = "kerman-water"
binds = {binds}
"""


@dataclass
class Daemon:
    """One daemon with its data; a process only from ``start`` on."""

    config: Path
    data: Path
    control: Path
    url: str
    process: Peyk | Afresh | None = None

    def start(self, how: type[Peyk | Afresh] = Peyk) -> None:
        """Start the process; it takes a moment until it is bound."""
        said = self.data.parent / "stderr"
        self.process = how("--config", str(self.config), "run", output=said, errors=said)

    def peyk(self, *arguments: str) -> Deferred[subprocess.CompletedProcess[str]]:
        """Run the command and wait for its end."""
        return deferToThread(call_peyk, "--config", str(self.config), *arguments, seconds=DEADLINE)

    def kill(self) -> None:
        """Kill it in the midst of whatever it does."""
        assert self.process is not None
        self.process.kill()

    def end(self) -> None:
        """Kill what is still running, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(DEADLINE)

    def terminate(self) -> None:
        """Ask it to stop, as a service manager does."""
        assert self.process is not None
        self.process.terminate()

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self.process is not None and self.process.poll() is None

    def health(self) -> Deferred[dict[str, Any]]:
        """What the daemon says of itself."""
        return deferToThread(control.call, self.control, "health", timeout=DEADLINE)

    async def until_health_door(self) -> None:
        """Wait until the daemon can be asked how it is."""
        deadline = reactor.seconds() + DEADLINE
        while True:
            try:
                await self.health()  # which it answers once all of it has started
            except control.DaemonNotRunning:
                assert reactor.seconds() < deadline, f"not within {DEADLINE:g} s: it answers"
                await deferLater(reactor, 0.01)
            else:
                return

    async def until_health(self, condition: Callable[[dict[str, Any]], object], what: str) -> None:
        """Wait until the daemon says of itself what is hoped for."""
        deadline = reactor.seconds() + DEADLINE
        while not condition(found := await self.health()):
            if reactor.seconds() > deadline:
                pytest.fail(f"not within {DEADLINE:g} s: {what}; it says {found}")
            await deferLater(reactor, 0.05)

    def said(self) -> str:
        """The log, and what came on standard error."""
        files = [self.data / "peyk.log", self.data.parent / "stderr"]
        return "\n".join(file.read_text() for file in files if file.exists())

    def complaints(self) -> list[str]:
        """Events of the log that no fault from outside can explain."""
        words = ('"level": "critical"', "Traceback", "batch.poison", "batch.failed")
        return [line for line in self.said().splitlines() if any(word in line for word in words)]


class Operator(SimulatedSmsc):
    """The simulated operator on a port that stays its own."""

    def __init__(self, settings: SmscSettings) -> None:
        super().__init__(settings)
        self.port = free_port()
        self.endings: list[str] = []

    def on_ended(self, session: SmscSession, reason: str) -> None:
        """Remember why a session ended in an orderly way."""
        self.endings.append(reason)
        super().on_ended(session, reason)

    async def open(self) -> None:
        """Listen, each time on the same port."""
        await self.listen(port=self.port)

    def ask(self, mobile: str, text: str, line: str = LINE) -> Deferred[str]:
        """Text a line; the Deferred fires with the answer."""
        answered: Deferred[str] = Deferred()

        def came(message: Message) -> None:
            self.unwatch(mobile, line, came)
            answered.callback(message.text)

        self.watch(mobile, line, came)
        self.send_text(mobile, line, text)
        return answered.addTimeout(DEADLINE, reactor)

    def answers_to(self, mobile: str) -> list[str]:
        """Every whole message that this mobile has got."""
        return [message.text for message in self.messages if message.mobile == mobile]


@pytest_twisted.async_yield_fixture
async def operator() -> AsyncIterator[Operator]:
    """An operator that listens."""
    made = Operator(operator_settings())
    await made.open()
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def second_operator() -> AsyncIterator[Operator]:
    """Another operator that listens."""
    made = Operator(operator_settings())
    await made.open()
    yield made
    await made.stop()


def operator_settings(**values: Any) -> SmscSettings:
    """An operator that remembers everything and is quick to deliver again."""
    said = {
        "system_id": "peyk",
        "password": "demo",
        "window": WINDOW,
        "receipt_delay": 0.05,
        "redeliver_after": 0.5,
        "record": 1_000_000,
    }
    return SmscSettings(**{**said, **values})


# --- databases with sample subscribers ----------------------------------------------


def fill(url: str) -> None:
    """Make the tables and the sample subscribers."""
    database = Database(url)
    schema.upgrade(database)
    today = datetime.now(TEHRAN).date()
    demo.fill(database, Keys(KEY.encode()), today=today, subscribers=SUBSCRIBERS)
    database.close()


@pytest.fixture(scope="session")
def sqlite_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with sample subscribers, to be copied."""
    path = tmp_path_factory.mktemp("sample") / "peyk.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_sample(postgresql_server: PostgresqlServer) -> str:
    """A PostgreSQL database with sample subscribers, to be copied."""
    url = postgresql_server.create()
    fill(url)
    return url


@pytest.fixture
def postgresql_filled(postgresql_server: PostgresqlServer, postgresql_sample: str) -> Iterator[str]:
    """The URL of a new PostgreSQL database with sample subscribers."""
    url = postgresql_server.create(postgresql_sample)
    yield url
    postgresql_server.drop(url)


# --- daemons ------------------------------------------------------------------------

Daemons = Callable[..., Daemon]


@pytest.fixture
def daemons(
    tmp_path: Path, sqlite_sample: Path, request: pytest.FixtureRequest
) -> Iterator[Daemons]:
    """Make daemons: ``daemons(port, url=…, daemon=…, more=…)``; on a SQLite of their own if not."""
    # Not below pytest's folder: the path of a socket must be short.
    sockets = Path(tempfile.mkdtemp(prefix="peyk-"))
    made: list[Daemon] = []

    def make(
        port: int,
        *,
        url: str = "",
        daemon: str = "",
        more: str = "",
        binds: Sequence[str] = ("operator",),
    ) -> Daemon:
        home = tmp_path / f"daemon{len(made)}"
        data = home / "data"
        data.mkdir(parents=True)
        if not url:
            shutil.copy(sqlite_sample, data / "peyk.db")
            url = f"sqlite:///{data / 'peyk.db'}"
        config = home / "peyk.toml"
        door = sockets / f"{len(made)}.sock"
        config.write_text(
            SETTINGS.format(
                profiles=REPOSITORY / "config" / "profiles",
                control=door,
                key=KEY,
                url=url,
                port=port,
                window=WINDOW,
                line=LINE,
                daemon=daemon,
                more=more,
                binds=json.dumps(binds),
            )
        )
        made.append(Daemon(config, data, door, url))
        return made[-1]

    yield make
    for each in made:
        each.end()
        # pytest shows it with a test that failed, and with no other.
        print(f"--- {each.config}\n{each.said()[-8000:]}")  # noqa: T201
    shutil.rmtree(sockets, ignore_errors=True)


@pytest_twisted.async_yield_fixture
async def daemon(operator: Operator, daemons: Daemons) -> AsyncIterator[Daemon]:
    """A daemon on SQLite that is bound to ``operator``."""
    made = daemons(operator.port)
    made.start()
    await until(lambda: operator.bound, "the daemon is bound")
    yield made
    complaints = made.complaints()
    assert not complaints, complaints
