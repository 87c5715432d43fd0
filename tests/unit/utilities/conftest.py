"""The five shipped profiles, each on a database with its sample subscribers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from core import schema
from core.database import Database
from core.secrecy import Keys
from tests.talking import Talk


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Callable[[str], Path]:
    """Make a SQLite file with a utility's sample subscribers, once for each."""

    @cache
    def make(name: str) -> Path:
        path = tmp_path_factory.mktemp("sample") / "peyk.db"
        database = Database(f"sqlite:///{path}")
        schema.upgrade(database)
        Talk(database, keys, name)
        database.close()  # the last connection takes the write-ahead log into the file
        return path

    return make


@pytest.fixture
def talk(
    tmp_path: Path, sample: Callable[[str], Path], keys: Keys, request: pytest.FixtureRequest
) -> Callable[[str], Talk]:
    """Make a line of a utility on a database of its own."""

    def make(name: str) -> Talk:
        path = shutil.copy(sample(name), tmp_path / f"{name}.db")
        database = Database(f"sqlite:///{path}")
        request.addfinalizer(database.close)
        return Talk(database, keys, name)

    return make
