"""The API over HTTP on loopback, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from core.database import Database
from core.secrecy import Keys
from tests.apis import ApiWorld
from tests.conftest import Clock


@pytest_twisted.async_yield_fixture
async def api(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[ApiWorld]:
    """Every resource, on both engines."""
    made = ApiWorld(database, keys, now_ms)
    port = made.open()
    yield made
    await port.stopListening()
