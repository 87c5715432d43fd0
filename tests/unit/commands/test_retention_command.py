"""``peyk retention run``: counts before it puts away, and what it did stands in the audit log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select, text

import cli
from core.database import Database
from core.tables import audit, code_failures


def test_what_is_counted_is_put_away(
    tmp_path: Path, sqlite_database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wrong codes of last year; with nothing set there is nothing to do."""
    file = tmp_path / "peyk.toml"
    url = sqlite_database.url.render_as_string(hide_password=False)
    head = f'[daemon]\nkey = "{"k" * 32}"\n[database]\nurl = "{url}"\n'
    with sqlite_database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO code_failures (utility, number, mobile, at) VALUES ('u', '1', 'm', 5)"
            )
        )

    def run(table: str, *arguments: str) -> tuple[str, str]:
        file.write_text(head + table)
        command = ["--config", str(file), "retention", "run", *arguments]
        assert cli._run(command) == 0
        said = capfd.readouterr()
        return said.out, said.err

    assert "kept for ever" in run("")[1]
    file.write_text(head + "[retention]\ntexts = 3\n")
    assert cli._run(["--config", str(file), "retention", "run"]) == 2
    assert "retention.texts: is too short: 7 or more" in capfd.readouterr().err
    table = "[retention]\nwrong_codes = 30\n"
    assert json.loads(run(table, "--dry-run", "--json")[0]) == {"wrong_codes.rows": 1}
    with sqlite_database.engine.connect() as connection:
        assert len(connection.execute(select(code_failures)).all()) == 1
    assert "put away" in run(table)[0]
    with sqlite_database.engine.connect() as connection:
        assert not connection.execute(select(code_failures)).all()
        [line] = connection.execute(select(audit)).all()
    assert (line.action, json.loads(line.details)) == ("retention.run", {"wrong_codes.rows": 1})
