"""A reading declared over HTTP, whatever is lost on the way: the same screens, booked once.

Real requests of each dialect, the shipped menu, and a database; only TCP is left out, so that
a test chooses the moment at which a gateway hangs up or the daemon is killed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import demo
from core.database import Database
from core.secrecy import Keys
from core.tables import readings, ussd_sessions, ussd_steps
from gateway.settings.doors import HttpDialect
from gateway.ussd.http.door import Door
from gateway.ussd.http.page import DIALECTS
from tests.contract.ussd.drivers import CODE, Seen
from tests.contract.ussd.over_http import SIDES
from tests.integration.conftest import FaultyDatabase, World
from tests.talking import TODAY
from tests.walks import talker_of

PROFILE = "lorestan-water"
MOBILE = "989161234567"
DEADLINE = 5.0
MISHAPS = ("none", "asked twice", "hung up", "killed", "database away", "commit not heard of")


class Line:
    """A gateway and a daemon that is started anew on the same data when it was killed."""

    def __init__(self, file: Path, keys: Keys, dialect: HttpDialect) -> None:
        self._file = file
        self._keys = keys
        self.side = SIDES[dialect]()
        self._dialect = DIALECTS[dialect]
        self.start()

    def start(self) -> None:
        """Begin, after a kill with what is stored."""
        database = FaultyDatabase(f"sqlite:///{self._file}")
        self.world = World(database, self._keys)
        talkers: Any = self.world.desk.talkers
        talkers[CODE] = talker_of(PROFILE)
        self.door = Door("hub", self._dialect, self.world.inbound, self.world.clock, DEADLINE)
        self.door.open()

    def post(self, body: str) -> tuple[int, list[tuple[int, bytes]]]:
        """Post; the request's number, and where its answer appears."""
        answers: list[tuple[int, bytes]] = []
        asked = self._dialect.read(body.encode())
        return self.door.take(asked, lambda *answer: answers.append(answer)), answers

    def seen(self, body: str) -> Seen:
        """Post; what is shown."""
        _, [(status, answer)] = self.post(body)
        assert status == 200
        return self.side.seen(answer)

    def ask(self, body: str, mishap: str) -> Seen:
        """Post while something happens, and again until there is an answer."""
        world = self.world
        match mishap:
            case "asked twice":
                self.seen(body)
            case "hung up":
                world.hold()
                number, _ = self.post(body)
                self.door.gone(number)
                world.release()
            case "killed":
                self.post(body)
                world.database.close()
                self.start()
            case "database away":
                world.database.fails_before = True
                assert self.post(body)[1] == [(503, b"")]
                world.database.fails_before = False
                world.clock.advance(1.5)
            case "commit not heard of":
                world.database.fails_after = 1
                assert self.post(body)[1] == [(503, b"")]
                world.clock.advance(1.5)
        return self.seen(body)


@pytest.fixture(scope="module")
def sample(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A database with two subscribers."""
    path = tmp_path_factory.mktemp("sample") / "peyk.db"
    shutil.copy(_sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    demo.fill(database, keys, today=TODAY, utility=PROFILE, subscribers=2)
    database.close()
    return path


@settings(
    max_examples=9,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    dialect=st.sampled_from(HttpDialect),
    mishaps=st.lists(st.sampled_from(MISHAPS), min_size=7, max_size=7),
)
def test_whatever_is_lost_is_asked_again_and_counts_once(
    sample: Path, tmp_path: Path, keys: Keys, dialect: HttpDialect, mishaps: list[str]
) -> None:
    """Each input is answered as if nothing had happened."""
    file = tmp_path / "peyk.db"
    shutil.copy(sample, file)
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    line = Line(file, keys, dialect)
    before = line.world.rows(readings)
    number = demo.number_of(1, PROFILE)
    reading = str(max(row.reading for row in before) + 3)
    typed = ["3", "2", number, demo.code_of(int(number), PROFILE), reading, "1"]
    seen = [line.ask(line.side.dialled(MOBILE, CODE), mishaps[0])]
    for answer, mishap in zip(typed, mishaps[1:], strict=True):
        assert seen[-1].asks
        seen.append(line.ask(line.side.typed(answer), mishap))
    assert len(set(seen)) == len(seen), seen
    (booked,) = line.world.rows(readings)[len(before) :]
    assert (str(booked.reading), booked.source, booked.mobile) == (reading, "ussd", MOBILE)
    assert len(line.world.rows(ussd_steps)) == len(seen)
    assert len(line.world.rows(ussd_sessions)) == 1
    line.world.database.close()
