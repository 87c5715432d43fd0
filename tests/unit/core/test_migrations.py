"""The migrations make the tables that the code believes in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from core import schema
from core.database import Database, DatabaseUnavailable
from core.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(empty_url)
    yield database
    database.close()


def _differences(connection: Connection) -> list[Any]:
    # Alembic cannot tell the default '' from none at all on SQLite.
    defaults = connection.dialect.name == "postgresql"
    options = {"compare_type": True, "compare_server_default": defaults}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def test_upgrade_from_empty_equals_the_metadata(empty: Database) -> None:
    """Tables, columns, defaults, comments, constraints and indexes are those of core.tables."""
    schema.upgrade(empty)
    assert empty.transact("compare", _differences) == []


def test_partial_indexes_keep_their_condition(database: Database) -> None:
    """The outbox's waiting index covers waiting messages alone: comparison does not see this."""

    def conditions(connection: Connection) -> set[str]:
        name = connection.dialect.name
        return {
            index["name"] or ""
            for index in inspect(connection).get_indexes("outbox")
            if index.get("dialect_options", {}).get(f"{name}_where") is not None
        }

    expected = {"waiting", "sending", "smsc_id", "mobile", "subscriber_id", "run_id", "over"}
    assert database.transact("indexes", conditions) == {f"ix_outbox_{name}" for name in expected}


def test_upgrade_twice_changes_nothing(empty: Database) -> None:
    """A daemon upgrades at every start."""
    schema.upgrade(empty)
    schema.upgrade(empty)
    assert schema.is_current(empty)
    assert schema.current(empty) == schema.head()


def test_migrations_are_called_by_their_version() -> None:
    """And follow each other: the newest is known by the files' names alone."""
    scripts = ScriptDirectory.from_config(schema._config())
    revisions = [each.revision for each in scripts.walk_revisions()]
    assert scripts.get_heads() == [schema.head()]
    assert revisions == sorted(schema._versions().known, reverse=True)


def test_upgrades_at_the_same_time_wait_for_each_other(empty_url: str) -> None:
    """Several daemons started at once on a new database all find it made."""
    databases = [Database(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(schema.upgrade, databases))
    assert all(schema.is_current(database) for database in databases)
    for database in databases:
        database.close()


def test_no_tables_is_an_error_that_says_so(empty: Database) -> None:
    """A mistyped database is not taken for one that only needs an upgrade."""
    assert schema.current(empty) is None
    with pytest.raises(schema.SchemaError, match="has no tables yet"):
        schema.is_current(empty)


def test_a_newer_database_is_left_alone(database: Database) -> None:
    """Code that was rolled back refuses the tables of its successor, by version."""

    def pretend(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    database.transact("pretend", pretend)
    for act in (schema.is_current, schema.upgrade):
        with pytest.raises(schema.SchemaError, match=r"version 9999.*newer"):
            act(database)
    assert schema.current(database) == "9999"


def test_foreign_keys_hold_after_an_upgrade(sqlite_url: str) -> None:
    """The connection that migrated, and had them off, goes back to the pool with them on."""
    database = Database(sqlite_url)
    schema.upgrade(database)

    def on(connection: Connection) -> int:
        return int(connection.execute(text("PRAGMA foreign_keys")).scalar_one())

    assert database.transact("pragma", on) == 1
    database.close()


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    """It is the database's fault, in the error the daemon knows how to wait for."""
    database = Database(f"sqlite:///{tmp_path}/no/such/folder/peyk.db")
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        schema.upgrade(database)
