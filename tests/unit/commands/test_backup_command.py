"""``peyk backup``: where the copy goes, and what is said to who asks for the impossible."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import cli
from core.database import Database


def _settings(tmp_path: Path, database: Database) -> Path:
    file = tmp_path / "peyk.toml"
    url = database.url.set(drivername=database.url.get_backend_name())
    file.write_text(f'[daemon]\nkey = "{"k" * 32}"\n[database]\n'
                    f'url = "{url.render_as_string(hide_password=False)}"\n')  # fmt: skip
    return file


@pytest.fixture
def settings(tmp_path: Path, sqlite_database: Database) -> Path:
    """Settings with a database of their own."""
    return _settings(tmp_path, sqlite_database)


def test_a_folder_gets_a_file_that_is_named_after_the_moment(
    settings: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it prints is where the copy is; a second one of the same name is refused."""
    folder = tmp_path / "backup"
    folder.mkdir()
    assert cli._run(["--config", str(settings), "backup", str(folder), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    [made] = folder.iterdir()
    assert re.fullmatch(r"peyk-1[45]\d{6}-\d{6}\.db", made.name), "in Jalali"
    assert told == {"file": str(made), "bytes": made.stat().st_size}
    assert cli._run(["--config", str(settings), "backup", str(made)]) == 1
    assert "is there already" in capfd.readouterr().err
    assert cli._run(["--config", str(settings), "backup", str(tmp_path / "no" / "x.db")]) == 1
    assert f"there is no folder {tmp_path / 'no'}" in capfd.readouterr().err
    assert cli._run(["--config", str(settings), "backup", f"{tmp_path / 'no'}/"]) == 1
    assert f"there is no folder {tmp_path / 'no'}" in capfd.readouterr().err


def test_postgresql_has_its_own(
    tmp_path: Path, postgresql_database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command that does it is named."""
    file = _settings(tmp_path, postgresql_database)
    assert cli._run(["--config", str(file), "backup", str(tmp_path)]) == 1
    assert "pg_dump --format=custom" in capfd.readouterr().err
    assert list(tmp_path.glob("peyk-*")) == []
