"""A folder with settings, a key and a database, and the command called on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Database
from tests.commands import KERMAN, Peyk, caller, furnish


@pytest.fixture
def settings() -> str:
    """Of Kerman water's line; a file of tests may have others."""
    return KERMAN


@pytest.fixture
def home(tmp_path: Path, sqlite_database: Database, settings: str) -> Path:
    """Settings, with a database that has its tables."""
    furnish(tmp_path, settings, sqlite_database)
    return tmp_path


@pytest.fixture
def peyk(home: Path, capfd: pytest.CaptureFixture[str]) -> Peyk:
    """Call the command with the settings of ``home``."""
    return caller(home / "peyk.toml", capfd)


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    """The database that the command uses."""
    opened = Database(f"sqlite:///{home / 'var' / 'peyk.db'}")
    yield opened
    opened.close()
