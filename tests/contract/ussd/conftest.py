"""Each test of the suite runs on every network."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from core.secrecy import Keys
from tests.contract.ussd.daemons import fill
from tests.contract.ussd.drivers import Menu, Network
from tests.contract.ussd.networks import NETWORKS


@pytest.fixture
def menu() -> Menu:
    """Our end."""
    return Menu()


@pytest_twisted.async_yield_fixture(params=NETWORKS)
async def network(request: pytest.FixtureRequest, menu: Menu) -> AsyncIterator[Network]:
    """A network of each dialect, with the menu at our end."""
    made = NETWORKS[request.param](menu)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="session")
def samples(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A SQLite file with sample subscribers of every utility that has a menu."""
    path = tmp_path_factory.mktemp("samples") / "peyk.db"
    shutil.copy(_sqlite_template, path)
    fill(path, keys)
    return path
