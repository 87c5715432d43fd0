"""A copy of the database that is made while the daemon works, and going on with it elsewhere."""

from __future__ import annotations

import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from twisted.internet.task import Clock

from core.backing_up import PAGES, BackupError, back_up
from core.database import Database
from core.schema import is_current
from core.secrecy import Keys
from core.tables import code_failures, outbox, suspects
from tests.conftest import NOW_MS, PostgresqlServer
from tests.integration.conftest import FaultyDatabase, World, Worlds

Copied = Callable[[], str]


@pytest.fixture
def copied(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Copied]:
    """Back the database up and restore it elsewhere, as docs/operating.md has it; its new URL."""
    made: list[str] = []

    def sqlite() -> str:
        back_up(database, tmp_path / "copy.db")
        return f"sqlite:///{tmp_path / 'copy.db'}"

    def postgresql() -> str:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        made.append(server.create())
        old, new = (
            url.set(drivername="postgresql").render_as_string(hide_password=False)
            for url in (database.url, Database(made[0]).url)
        )
        file = str(tmp_path / "copy.dump")
        # Those of the server itself: an older pg_dump would refuse.
        asked = text("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        tools = Path(database.read("test", lambda connection: connection.scalar(asked)))
        subprocess.run([tools / "pg_dump", "--format=custom", f"--file={file}", old], check=True)
        subprocess.run(
            [tools / "pg_restore", "--exit-on-error", f"--dbname={new}", file], check=True
        )
        return made[0]

    yield sqlite if database.is_sqlite else postgresql
    for url in made:
        request.getfixturevalue("postgresql_server").drop(url)


def test_what_is_restored_goes_on(worlds: Worlds, keys: Keys, copied: Copied) -> None:
    """Ids go on growing, what was in flight goes out, and nothing is answered twice."""
    old = worlds()
    first = old.bind()
    old.deliver(first, "010")
    old.respond(first)
    old.deliver(first, "110")
    assert len(first.unanswered) == 1
    database = FaultyDatabase(copied())
    assert is_current(database)
    assert database.transact("test", lambda c: c.scalar(select(func.count(outbox.c.id)))) == 2

    clock = Clock()
    clock.rightNow = NOW_MS / 1000 + 120
    new = World(database, keys, clock=clock)
    assert new.recovered == (1, 1), "an arrival that may come again, a message in flight"
    connection = new.bind()
    (again,) = new.deliver(connection, "110")
    assert connection.answers == {again: 0}
    assert [row.state for row in new.rows(outbox)] == ["accepted", "sending"]
    assert len(connection.submitted) == 1, "what was in flight goes again, and nothing else"
    new.deliver(connection, "010")
    ids = [row.id for row in new.rows(outbox)]
    assert len(ids) == 3
    assert ids[2] > max(ids[:2])
    new.respond(connection)
    new.inbound.flush()
    assert not new.rows(suspects)
    database.close()


def test_a_copy_is_of_one_moment(sqlite_database: Database, tmp_path: Path) -> None:
    """Somebody writes pairs all the while: the copy has only whole ones, and holds nobody up."""
    row = {"utility": "u", "number": "1" * 2000, "mobile": "m", "at": 1}

    def write(connection: Any) -> None:
        connection.execute(insert(code_failures), [row, row])

    for _ in range(30):
        sqlite_database.transact(
            "test", lambda connection: connection.execute(insert(code_failures), [row] * 400)
        )
    ended, wrote = threading.Event(), [0]

    def keep_writing() -> None:
        while not ended.is_set():
            sqlite_database.transact("test", write)
            wrote[0] += 1

    thread = threading.Thread(target=keep_writing)
    thread.start()
    said: list[tuple[int, int]] = []
    during: list[int] = []

    def on_pages(copied: int, of: int) -> None:
        before = wrote[0]
        while wrote[0] < before + 3:
            assert thread.is_alive()
            ended.wait(0.001)
        during.append(wrote[0])
        said.append((copied, of))

    try:
        size = back_up(sqlite_database, tmp_path / "copy.db", on_pages)
    finally:
        ended.set()
        thread.join()
    assert len(said) >= 2, f"more than {PAGES} pages are copied in steps"
    assert said[-1][0] == said[-1][1]
    assert during[-1] > during[0]
    file = tmp_path / "copy.db"
    assert size == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    copy = Database(f"sqlite:///{file}")
    count = copy.read("test", lambda c: c.scalar(select(func.count(code_failures.c.id)))) or 0
    assert count >= 12_000
    assert count % 2 == 0
    copy.close()


def test_nothing_is_written_over(sqlite_database: Database, tmp_path: Path) -> None:
    """Neither a copy of yesterday nor one that is being made; and a failure leaves nothing."""
    file = tmp_path / "there.db"
    file.write_text("yesterday")
    with pytest.raises(BackupError, match="is there already"):
        back_up(sqlite_database, file)
    assert file.read_text() == "yesterday"
    (tmp_path / "new.db.part").touch()
    with pytest.raises(BackupError, match="is another backup running"):
        back_up(sqlite_database, tmp_path / "new.db")
    (tmp_path / "new.db.part").unlink()

    def stop(_copied: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(sqlite_database, tmp_path / "new.db", stop)
    assert not list(tmp_path.glob("new.db*"))
