"""Transactions, and which failures are the database's."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from twisted.internet.task import Clock

from core import database as module
from core.database import PLANS_SECONDS, Database, DatabaseUnavailable, checked_url
from core.tables import bind_marks

if TYPE_CHECKING:
    from tests.conftest import PostgresqlServer

ROW = {"node": 1, "bind": "main", "confirmed_id": 7}


def _write(connection: Connection) -> str:
    connection.execute(insert(bind_marks), ROW)
    return "written"


def _read(connection: Connection) -> list[int]:
    return list(connection.execute(select(bind_marks.c.confirmed_id)).scalars())


def test_a_transaction_is_committed_and_hands_back_its_result(database: Database) -> None:
    """What the function returned comes out and what it wrote stays."""
    assert database.transact("write", _write) == "written"
    assert database.transact("read", _read) == [7]


def test_a_function_that_raises_leaves_nothing(database: Database) -> None:
    """Its own exception comes out as it is, and its writes are undone."""

    def fail(connection: Connection) -> None:
        _write(connection)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        database.transact("fail", fail)
    assert database.transact("read", _read) == []


def test_a_broken_constraint_is_not_the_databases_fault(database: Database) -> None:
    """A poisonous row is not taken for an outage, which would be retried forever."""
    database.transact("write", _write)
    with pytest.raises(IntegrityError):
        database.transact("again", _write)
    assert database.transact("read", _read) == [7]


def test_a_value_over_postgresqls_limits_is_not_the_databases_fault(
    postgresql_database: Database,
) -> None:
    """What no index can hold will fail each time: it is set aside, and not taken for an outage."""

    def write(connection: Connection) -> None:
        signs = range(0x4E00, 0x9FFF)
        noise = "".join(map(chr, Random(7).choices(signs, k=20_000)))  # noqa: S311 - no secret
        connection.execute(insert(bind_marks), {**ROW, "bind": noise})

    with pytest.raises(OperationalError, match="index row"):
        postgresql_database.transact("write", write)


def test_foreign_keys_are_enforced(database: Database) -> None:
    """On SQLite too, where they are off unless asked for."""
    statement = text(
        "INSERT INTO contacts (utility, mobile, subscriber_id, source, created_at)"
        " VALUES ('u', 'm', 999, 'import', 0)"
    )
    with pytest.raises(IntegrityError):
        database.transact("orphan", lambda connection: connection.execute(statement))


def test_a_server_that_drops_its_connections(
    postgresql_server: PostgresqlServer, postgresql_database: Database
) -> None:
    """The transaction in hand fails as unavailable; the next one gets a new connection."""
    name = postgresql_database.url.database

    def cut(connection: Connection) -> None:
        _write(connection)
        postgresql_server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - made by the fixture
        )
        connection.execute(select(1))

    with pytest.raises(DatabaseUnavailable):
        postgresql_database.transact("cut", cut)
    assert postgresql_database.transact("read", _read) == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """A daemon that starts before its database waits for it instead of failing."""
    database = Database(f"postgresql://peyk@/peyk?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable, match="No such file"):
        database.transact("read", _read)
    database.close()


def test_a_sqlite_that_another_process_holds(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the busy time it is unavailable, and nothing was half done."""
    monkeypatch.setattr(module, "BUSY_MS", 1)
    other = Database(sqlite_database.name)

    def hold(connection: Connection) -> None:
        _write(connection)
        with pytest.raises(DatabaseUnavailable, match="locked"):
            other.transact("write", _write)

    sqlite_database.transact("hold", hold)
    assert other.transact("read", _read) == [7]
    other.close()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite"),
        ("postgresql://u@h/n", "postgresql+psycopg"),
        ("postgresql+psycopg2://u@h/n", "postgresql+psycopg"),
    ],
)
def test_urls_get_our_drivers(url: str, driver: str) -> None:
    """An operator need not know which driver is installed."""
    assert checked_url(url).drivername == driver


@pytest.mark.parametrize(
    ("url", "message"),
    [("mysql://h/n", "'mysql' is not supported"), ("nonsense", "write sqlite:///FILE")],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=message):
        checked_url(url)


def test_a_refused_url_does_not_show_its_password() -> None:
    """Errors end up in logs and tickets."""
    with pytest.raises(ValueError, match="not supported") as caught:
        checked_url("mysql://user:hunter2@host/name")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in Database("postgresql://user:hunter2@host/name").name


def test_whoever_writes_to_sqlite_keeps_a_connection(sqlite_database: Database) -> None:
    """Readers have others; what fails is undone and leaves one that works."""

    def which(connection: Connection) -> int:
        return id(connection.connection.dbapi_connection)

    def fail(connection: Connection) -> None:
        _write(connection)
        raise LookupError("mine")

    mine = sqlite_database.transact("write", which)
    assert sqlite_database.read("read", which) != mine
    assert sqlite_database.transact("write", which) == mine
    with pytest.raises(LookupError, match="mine"):
        sqlite_database.transact("fail", fail)
    assert sqlite_database.transact("read", _read) == []
    with pytest.raises(LookupError, match="mine"):
        # One within the other, as when another thread writes meanwhile.
        sqlite_database.read("read", lambda _c: sqlite_database.transact("fail", fail))
    assert sqlite_database.transact("write", _write) == "written"


def test_what_is_in_sqlites_log_is_put_back_beside_who_reads_and_writes(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """It waits for nobody, and what it has to leave is put back the next time."""
    file = Path(str(sqlite_database.url.database))

    def in_the_file_alone() -> list[int]:
        copy = tmp_path / f"copy{len(list(tmp_path.iterdir()))}.db"
        shutil.copyfile(file, copy)
        other = Database(f"sqlite:///{copy}")
        try:
            return other.read("read", _read)
        finally:
            other.close()

    def beside_a_writer(connection: Connection) -> None:
        _write(connection)
        sqlite_database.put_back()

    def beside_a_reader(connection: Connection) -> list[int]:
        before = _read(connection)
        sqlite_database.transact("write", beside_a_writer)
        sqlite_database.put_back()
        assert in_the_file_alone() == before == []
        return before

    sqlite_database.put_back()
    sqlite_database.read("read", beside_a_reader)
    assert sqlite_database.read("read", _read) == [7]
    sqlite_database.put_back()
    assert in_the_file_alone() == [7]


def test_a_log_that_cannot_be_put_back_is_the_databases_fault(tmp_path: Path) -> None:
    """As for any other work; a server's is none of ours."""
    gone = Database(f"sqlite:///{tmp_path / 'nowhere' / 'peyk.db'}")
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        gone.put_back()
    Database("postgresql://nobody@127.0.0.1:1/nowhere").put_back()


def test_throwing_plans_away_begins_no_transaction(postgresql_database: Database) -> None:
    """Locks of daemons are held outside of transactions, on connections as they come."""
    clock = Clock()
    url = postgresql_database.url.render_as_string(hide_password=False)
    daemon = Database(url, clock.seconds)
    daemon.read("opens", lambda connection: connection.execute(text("SELECT 1")))
    clock.advance(PLANS_SECONDS)
    with daemon.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        assert connection.scalar(text("SELECT 1")) == 1
    daemon.close()
