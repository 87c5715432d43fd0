"""What sub-commands work with: the settings, the database, and how a failure is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from core import schema
from core.database import Database, DatabaseUnavailable, checked_url
from core.secrecy import Keys
from gateway.configuration import read_toml
from gateway.secrets import create_key
from gateway.settings import Settings, SmscSettings, data_folder, load_settings


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class CommandError(Exception):
    """A command that failed, in one line that says what to do; exit code 1."""


class Context:
    """One call of ``peyk``: everything is read when it is first needed."""

    def __init__(self, config: Path) -> None:
        self.config = config

    @cached_property
    def settings(self) -> Settings:
        """The settings file. Raises ``ConfigError``."""
        return load_settings(self.config)

    @property
    def smsc(self) -> SmscSettings:
        """The simulated operator's settings; raises ``CommandError`` when there are none."""
        if self.settings.smsc is None:
            raise CommandError(f"{self.config} has no [smsc] table: no simulated operator is set")
        return self.settings.smsc

    @property
    def keys(self) -> Keys:
        """The keys of all keyed hashes."""
        return Keys(self.settings.daemon.key_bytes)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database, with the tables that this version needs."""
        with self._opened() as database:
            if not _exists(database):
                raise CommandError(f"there is no database {database.name} yet; run `peyk init`")
            if not schema.is_current(database):
                raise CommandError(
                    f"the tables of {database.name} are of an older version; run `peyk init`"
                )
            yield database

    @contextmanager
    def new_database(self) -> Iterator[Database]:
        """The database, made or upgraded where it has to be."""
        with self._opened() as database:
            if database.is_sqlite and database.url.database:
                Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
            schema.upgrade(database)
            yield database

    @contextmanager
    def _opened(self) -> Iterator[Database]:
        database = Database(self.settings.database_url)
        try:
            with self.words_for_database():
                yield database
        finally:
            database.close()

    @contextmanager
    def words_for_database(self) -> Iterator[None]:
        """Say which database it was when one cannot be used; raises ``CommandError``."""
        try:
            yield
        except DatabaseUnavailable as error:
            name = checked_url(self.settings.database_url).render_as_string(hide_password=True)
            raise CommandError(f"the database {name} cannot be used: {error}") from error

    def prepare(self) -> Path | None:
        """Make the data folder and the key, where they are missing; returns a new key's file."""
        tables = read_toml(self.config)
        data = data_folder(self.config, tables)
        # What is kept there is about people: no other user of the machine looks in.
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return create_key(tables, data)


def _exists(database: Database) -> bool:
    # SQLite would make an empty file of whatever it is asked to open.
    return not database.is_sqlite or Path(database.url.database or "").exists()
