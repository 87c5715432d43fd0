"""``peyk subscriber``: what is handed over, asked before it is erased, and written down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

import cli
from core.database import Database
from core.demo import fill
from core.secrecy import Keys
from core.tables import audit, subscribers

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
Peyk = Callable[..., tuple[int, str, str]]


@pytest.fixture
def peyk(
    tmp_path: Path, sqlite_database: Database, keys: Keys, capfd: pytest.CaptureFixture[str]
) -> Peyk:
    """Call ``peyk subscriber`` on sample subscribers of one utility."""
    fill(sqlite_database, keys, today=date(2026, 9, 21), subscribers=3)
    shutil.copytree(PROFILES / "kerman-water", tmp_path / "profiles" / "kerman-water")
    file = tmp_path / "peyk.toml"
    url = sqlite_database.url.render_as_string(hide_password=False)
    file.write_text(
        f'[daemon]\nkey = "{"k" * 32}"\n[database]\nurl = "{url}"\n'
        '[[binds]]\nname = "mci"\nhost = "127.0.0.1"\nport = 1\nsystem_id = "peyk"\n'
        '[[lines]]\nnumber = "100034122"\nprofile = "kerman-water"\nbinds = ["mci"]\n'
    )

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli._run(["--config", str(file), "subscriber", *arguments])
        return (code, *capfd.readouterr())

    return call


def test_it_is_exported_and_erased_once_somebody_agreed(
    peyk: Peyk, sqlite_database: Database
) -> None:
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
    with sqlite_database.engine.connect() as connection:
        assert connection.scalar(
            select(subscribers.c.name).where(subscribers.c.number == "10000001")
        ) == ""  # fmt: skip
        log = connection.execute(select(audit.c.action, audit.c.details)).all()
    assert [row.action for row in log] == ["subscriber.export"] * 3 + ["subscriber.erase"]
    assert not any("10000001" in row.details for row in log)
    code, _out, err = peyk("export", "77")
    assert (code, "kerman-water has no subscription 77" in err) == (1, True)
