"""``peyk subscriber``: what is handed over, asked before it is erased, and written down."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from core.database import Database
from core.demo import fill
from core.secrecy import Keys
from core.tables import audit, subscribers
from tests.commands import KERMAN, Peyk, caller


@pytest.fixture
def settings(sqlite_database: Database, keys: Keys) -> str:
    """Of Kerman's line, with sample subscribers."""
    fill(sqlite_database, keys, today=date(2026, 9, 21), subscribers=3)
    return KERMAN


@pytest.fixture
def peyk(home: Path, capfd: pytest.CaptureFixture[str]) -> Peyk:
    """Call ``peyk subscriber``."""
    return caller(home / "peyk.toml", capfd, "subscriber")


def test_it_is_exported_and_erased_once_somebody_agreed(peyk: Peyk, database: Database) -> None:
    """A dry run erases nothing, nor does a script that does not say so; each act is in the log."""
    code, out, _err = peyk("export", "10000001", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["subscriber"]["number"] == "10000001"
    name = told["subscriber"]["name"]
    assert name
    assert name in peyk("export", "10000001")[1]
    assert "without a person" in peyk("erase", "10000001", "--dry-run")[1]
    code, _out, err = peyk("erase", "10000001")
    assert (code, "say --yes" in err) == (1, True)
    assert name in peyk("export", "10000001")[1]
    code, out, _err = peyk("erase", "۱۰۰۰۰۰۰۱", "--yes")
    assert (code, "is erased" in out) == (0, True)
    with database.engine.connect() as connection:
        assert connection.scalar(
            select(subscribers.c.name).where(subscribers.c.number == "10000001")
        ) == ""  # fmt: skip
        log = connection.execute(select(audit.c.action, audit.c.details)).all()
    assert [row.action for row in log] == ["subscriber.export"] * 3 + ["subscriber.erase"]
    assert not any("10000001" in row.details for row in log)
    code, _out, err = peyk("export", "77")
    assert (code, "kerman-water has no subscription 77" in err) == (1, True)
