"""The version of a database's tables: read it, and bring it to what this code needs.

Looking is for every command, and so it is done without Alembic, which takes long to be imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import InterfaceError, OperationalError

from core.database import Database, DatabaseUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 0x7065796B
"""PostgreSQL's advisory lock of whoever migrates: "peyk" in ASCII."""


class SchemaError(Exception):
    """The tables are not the ones that this version of Peyk works with; says what to do."""


def current(database: Database) -> str | None:
    """Read the version of the database's tables: ``None`` when it has none of ours.

    Raises ``DatabaseUnavailable``.
    """
    return database.read("schema.current", _version)


def head() -> str:
    """Name the version that this code works with."""
    return _versions().head


def is_current(database: Database) -> bool:
    """Whether the tables are the ones this code needs; false when they must be upgraded.

    Raises ``SchemaError`` when the database has no tables yet, or was made by a newer
    Peyk, and ``DatabaseUnavailable``.
    """
    version = current(database)
    if version is None:
        raise SchemaError(f"{database.name} has no tables yet; run `peyk init`")
    _refuse_newer(database, version)
    return version == head()


def upgrade(database: Database) -> None:
    """Bring the tables to this code's version; an empty database gets all of them.

    All or nothing, and safe when several start at once: the others wait, then find it
    done. Raises ``SchemaError`` when the database is newer than the code, and
    ``DatabaseUnavailable``.
    """
    with _alone(database) as connection:
        version = _version(connection)
        if version is not None:
            _refuse_newer(database, version)
        if version != head():
            from alembic import command  # noqa: PLC0415 - once for each version

            command.upgrade(_config(connection), "head")


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """One transaction in which nobody else migrates."""
    try:
        with database.engine.connect() as connection:
            if database.is_sqlite:
                with _foreign_keys_off(connection), connection.begin():
                    yield connection  # it began IMMEDIATE, so it is the only writer
            else:
                with connection.begin():
                    connection.execute(text("SELECT pg_advisory_xact_lock(:it)"), {"it": _LOCK})
                    yield connection
    except (OperationalError, InterfaceError) as error:
        raise DatabaseUnavailable(str(error.orig)) from error


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Let SQLite rebuild a table (drop and rename) without dropping what refers to it.

    The pragma does nothing inside a transaction, so it goes straight to the driver.
    """
    raw = connection.connection.cursor()
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.close()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _refuse_newer(database: Database, version: str) -> None:
    if version not in _versions().known:
        raise SchemaError(
            f"{database.name} has tables of version {version}, which this Peyk does not know "
            f"(its own is {head()}): it was upgraded by a newer one; install that"
        )


class _Versions(NamedTuple):
    head: str
    known: frozenset[str]


@cache
def _versions() -> _Versions:
    """Those of this installation, as their files are called: to read them all takes a while."""
    found = {file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py")}
    if not found:
        raise SchemaError("this installation of Peyk lacks its migrations; install it again")
    return _Versions(max(found), frozenset(found))


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # ConfigParser reads % as the start of a substitution.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
