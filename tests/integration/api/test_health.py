"""How the daemon is, for who sends to it."""

from __future__ import annotations

import pytest
import pytest_twisted

from core.access.permissions import Permission
from core.database import Database
from tests.apis import ApiWorld


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """It asks no database."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_the_daemon_in_short(api: ApiWorld) -> None:
    """What waits, which ways to the operators are up, and what is wrong."""
    said = (await api.read("/health", api.token(Permission.DASHBOARD_SEE))).json
    assert said["status"] == "degraded"
    assert said["queues"] == {"waiting": 1250, "oldest_waiting_seconds": 42.0}
    assert [(each["name"], each["up"]) for each in said["binds"]] == [
        ("operator", False),
        ("second", True),
    ]
    assert any("operator" in each for each in said["problems"])
    assert said["now"] == "2026-09-21T14:13:20Z"
