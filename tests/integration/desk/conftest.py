"""The desk over HTTP on loopback, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from core.database import Database
from core.secrecy import Keys
from tests.conftest import Clock
from tests.desks import DeskWorld


@pytest_twisted.async_yield_fixture
async def desk(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[DeskWorld]:
    """Every page, on both engines; a file whose pages differ by none overrides ``database``."""
    made = DeskWorld(database, keys, now_ms)
    port = made.open()
    yield made
    await port.stopListening()
