"""The engine, and one way to use it: a named transaction around a function.

``transact`` gives a function a connection inside one transaction and hands back what it
returns. No live database object leaves it. Work is named, so that a slow or failing
transaction says in the log what it was.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from core.statements import command

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)

SLOW_SECONDS = 1.0
_PLANS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # A plan for the values at hand would use the partial index of what is being sent, and
    # go through all of it for each row of the batch.
    "plan_cache_mode": "force_generic_plan",
    # Whatever it believes of a table's size, a row that is looked at costs more than a lookup:
    # so it goes from the rows of the batch to those of the table, and never the other way round.
    "random_page_cost": "0",
    "cpu_tuple_cost": "1",
}
PLANS_SECONDS = 5.0
"""For so long a connection to PostgreSQL uses the plans that it has made. See ``_postgresql``."""
FIRST_PLANS_SECONDS = 0.5
"""As long at first, then twice as long each time: tables are smallest when a daemon begins."""
_PLANNED_AT = "planned_at"
_PLANNED_FOR = "planned_for"
_BY_INDEX_ONLY = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)" for name, value in _PLANS.items()
)
BUSY_MS = 10_000
"""How long SQLite waits for another process that writes."""
_LOG_PAGES = 8_192
"""SQLite: pages (of 4 KiB) in the write-ahead log at which whoever commits puts back what is
left of them. At the usual 1,000 a batch did so many times a second when much is written, and
those who wait for an answer waited for that too. See ``Database.put_back``."""


class DatabaseUnavailable(Exception):
    """The database cannot be reached, or cannot take writes for now.

    Nothing was wrong with the work itself: it may be tried again later. After a commit
    that failed in this way, whether it took effect is not known.
    """


class Reader(Protocol):
    """What reads, a transaction after the other: a ``Database``, or what stands before one."""

    def read(
        self,
        name: str,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """As ``Database.read``."""


def by_index_only(connection: Connection) -> None:
    """Have PostgreSQL plan this transaction's statements as lookups, never as table scans.

    A batch looks up a handful of rows in tables of any size. PostgreSQL keeps the plan it
    made when a table was small, and that plan reads the whole table: what took 0.1 ms takes
    4 ms a hundred thousand messages later.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_BY_INDEX_ONLY)


def checked_url(url: str) -> URL:
    """The URL with our driver for its engine. Raises ``ValueError`` for what is not supported."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "is not a database URL; write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"the engine {backend!r} is not supported; use sqlite or postgresql")


class Database:
    """One engine. Thread-safe: each transaction takes a connection of its own."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds since whenever."""
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url, clock)
        self._reading = self.engine.execution_options(read_only=True)
        self._kept: list[Connection] = []
        """SQLite: what has been written with. See ``_kept_begin``."""

    @property
    def name(self) -> str:
        """What an operator may see of the URL: no password."""
        return self.url.render_as_string(hide_password=True)

    def transact(
        self,
        name: str,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run ``function(connection, …)`` in one transaction and commit it.

        Raises ``DatabaseUnavailable`` when the database is at fault, and whatever
        ``function`` raises otherwise; in both cases nothing was committed, but for a
        connection that broke during the commit itself.
        """
        begin = self._kept_begin if self.is_sqlite else self.engine.begin
        return self._run(begin, name, function, *args, **kwargs)

    def read(
        self,
        name: str,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """As ``transact``, for a function that only reads.

        It neither waits for whoever writes to SQLite nor makes them wait.
        """
        return self._run(self._reading.begin, name, function, *args, **kwargs)

    def _run(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        name: str,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        started = time.monotonic()
        try:
            with begin() as connection:
                return function(connection, *args, **kwargs)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if _is_too_much(error):
                raise
            raise DatabaseUnavailable(_words(error)) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailable(_words(error)) from error
            raise
        finally:
            took = time.monotonic() - started
            if took > SLOW_SECONDS:
                log.warning("database.slow", transaction=name, seconds=round(took, 3))

    @contextmanager
    def _kept_begin(self) -> Iterator[Connection]:
        """Begin on the connection that has written last, which nobody else is lent.

        A connection of SQLite forgets all pages that it has in memory, and maps the file anew,
        when another one has written. Those of a pool go round, so each would, for each batch.
        """
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            connection.close()
            raise
        self._kept.append(connection)

    def put_back(self) -> None:
        """SQLite: copy what the write-ahead log holds into the database, beside who writes.

        Nobody waits for it; what it leaves, because it was written or is read meanwhile, is
        left for the next time. Raises ``DatabaseUnavailable``. Nothing on PostgreSQL.
        """
        if not self.is_sqlite:
            return
        try:
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                connection.close()
        except (sqlite3.OperationalError, OperationalError, PoolTimeout) as error:
            raise DatabaseUnavailable(_words(error)) from error

    def close(self) -> None:
        """Close every connection."""
        while self._kept:
            self._kept.pop().close()
        self.engine.dispose()


def _is_too_much(error: Exception) -> bool:
    """Whether PostgreSQL cannot ever take this: its class 54, program limit exceeded.

    psycopg counts it as operational, and what is tried again for ever holds up the rest.
    """
    return str(getattr(getattr(error, "orig", None), "sqlstate", None)).startswith("54")


def _words(error: Exception) -> str:
    """The driver's own first line: SQLAlchemy's message carries the statement's values."""
    cause: BaseException = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins late and never for SELECT;
        # SQLAlchemy's begin event below does it instead.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in (
            "synchronous = FULL",  # acknowledged means on the disk
            f"wal_autocheckpoint = {_LOG_PAGES}",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            # In KiB. What is not of the log is read from the mapped file; more than this
            # is held for nothing by a connection that is kept.
            "cache_size = -16384",
            "mmap_size = 1073741824",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that will write never fails half-way for a lock.
        read_only = connection.get_execution_options().get("read_only")
        command(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a file to write-ahead logging, which SQLite does not wait to be free to do."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql(url: URL, clock: Callable[[], float]) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # an error's text goes to the log, a subscriber's must not
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        # Statements are prepared and planned for each connection: rather few that know them.
        pool_use_lifo=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            # A server whose machine has gone says nothing: noticed within half a minute …
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 25_000,
            # The session's zone must not decide what a date means. A page of a report is read
            # in a few milliseconds: starting workers for each takes longer, and the cores are
            # for those who wait for an answer.
            "options": "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 "
            # … and so does the server of a daemon whose machine has: its locks are let go of.
            "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
            "-c tcp_user_timeout=25000",
        },
    )

    @event.listens_for(engine, "connect")
    def on_connect(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info.update({_PLANNED_AT: clock(), _PLANNED_FOR: FIRST_PLANS_SECONDS})

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # A plan is kept until the table is analysed, which the server does once a minute at
        # most. One made while the outbox was empty begins with all of the outbox: harmless
        # then, 70 ms for each batch when a campaign has put 200,000 messages into it.
        info, now = record.info, clock()
        if now - info[_PLANNED_AT] >= info[_PLANNED_FOR]:
            longer = min(PLANS_SECONDS, 2 * info[_PLANNED_FOR])
            info.update({_PLANNED_AT: now, _PLANNED_FOR: longer})
            connection.execute("DISCARD PLANS", prepare=False)
            # Or a transaction would have begun before anybody could say of what kind.
            connection.commit()

    return engine
