"""What tests of the commands share: settings, and a call of ``peyk`` with what it came to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import cli
from core.database import Database

PROFILES = Path(__file__).parents[1] / "config" / "profiles"
DAEMON = '[daemon]\ndata = "var"\nkey = { file = "key" }\n'
"""Settings that do for what needs no line."""


class Ran(NamedTuple):
    """What a call of the command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Peyk = Callable[..., Ran]


def settings_of(profile: str, line: str, *, profiles: Path | None = PROFILES) -> str:
    """One line of one utility; ``profiles`` None: those beside the settings."""
    folder = f'profiles = "{profiles}"\n' if profiles else ""
    return (
        f'{DAEMON}{folder}[[binds]]\nname = "mci"\nhost = "127.0.0.1"\nsystem_id = "peyk"\n'
        f'[[lines]]\nnumber = "{line}"\nprofile = "{profile}"\nbinds = ["mci"]\n'
    )


KERMAN = settings_of("kerman-water", "100034122")


def furnish(folder: Path, settings: str, database: Database | None = None) -> None:
    """Write settings and a key there, with a copy of the database if there is one."""
    (folder / "peyk.toml").write_text(settings)
    (folder / "var").mkdir()
    (folder / "var" / "key").write_text("k" * 32)
    if database is not None:
        database.close()  # the last connection takes the write-ahead log into the file
        shutil.copy(str(database.url.database), folder / "var" / "peyk.db")


def caller(file: Path, capfd: pytest.CaptureFixture[str], *first: str) -> Peyk:
    """Make a call of the command with the settings in ``file``, and arguments before the rest."""

    def call(*arguments: object) -> Ran:
        try:
            code = cli._run(["--config", str(file), *first, *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capfd.readouterr())

    return call
