"""``peyk user`` and ``peyk audit``: the first user, roles, help back in, and who did it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from core.access.passwords import check_password
from core.database import Database
from core.tables.access import users
from tests.commands import KERMAN, Peyk

PASSWORD = "سه واژهٔ بی ربط"


@pytest.fixture
def settings() -> str:
    """With a door for browsers."""
    return KERMAN + "[web]\n"


@pytest.fixture
def home(home: Path) -> Path:
    """Passwords come from a file that the command is given."""
    (home / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return home


def test_the_first_user_lets_the_others_in(peyk: Peyk, database: Database, tmp_path: Path) -> None:
    """As administrator; who comes after has the roles that are named, and all is written down."""
    secret = ("--password-file", tmp_path / "password")
    assert peyk("user", "list").err.startswith("nobody")
    ran = peyk("user", "add", "M.Karimi", "--title", "مریم", *secret)
    assert (ran.code, ran.out) == (0, "added m.karimi: administrator\n")
    stored = database.read("hash", lambda c: c.execute(select(users.c.password_hash)).scalar_one())
    assert check_password(stored, PASSWORD)
    ran = peyk("user", "add", "ali", *secret)
    assert ran.code == 2
    assert "--role" in ran.err
    ran = peyk("user", "add", "ali", "--role", "opertor", *secret)
    assert (ran.code, "did you mean 'operator'" in ran.err) == (1, True)
    ran = peyk("user", "add", "ali", "--role", "viewer", "--utility", "kerman-water", *secret)
    assert ran.out == "added ali: viewer\n"
    assert "already" in peyk("user", "add", "ali", "--role", "viewer", *secret).err
    assert "1 to 40" in peyk("user", "add", "علی", "--role", "viewer", *secret).err
    ran = peyk(
        "user", "role", "ali", "--give", "operator", "--take", "viewer", "--utility", "kerman-water"
    )
    assert ran.out == "ali: operator (kerman-water)\n"
    found = json.loads(peyk("user", "list", "--json").out)
    assert [(each["name"], each["roles"]) for each in found] == [
        ("ali", [{"role": "operator", "utility": "kerman-water"}]),
        ("m.karimi", [{"role": "administrator", "utility": None}]),
    ]
    assert "viewer" in peyk("user", "roles").out
    rows = json.loads(peyk("audit", "list", "--form", "user", "--json").out)
    assert [(row["action"], row["object"]) for row in rows] == [
        ("user.edit", "user:ali"),
        ("user.add", "user:ali"),
        ("user.add", "user:m.karimi"),
    ]
    assert all(row["who"].startswith("command:") for row in rows)
    assert PASSWORD not in json.dumps(rows, ensure_ascii=False)


def test_help_for_who_cannot_get_in(peyk: Peyk, tmp_path: Path) -> None:
    """A new password, no second factor, no access; the last administrator stays."""
    secret = ("--password-file", tmp_path / "password")
    peyk("user", "add", "boss", *secret)
    assert peyk("user", "password", "boss", *secret).out == "boss has a new password\n"
    assert peyk("user", "reset-totp", "boss").code == 0
    ran = peyk("user", "disable", "boss")
    assert (ran.code, "nobody would be left" in ran.err) == (1, True)
    peyk("user", "add", "other", "--role", "administrator", *secret)
    assert peyk("user", "disable", "boss").code == 0
    assert "disabled" in peyk("user", "list").out
    assert peyk("user", "enable", "boss").code == 0
    assert "there is no user" in peyk("user", "disable", "nobody").err
    (tmp_path / "password").write_text("password123")
    ran = peyk("user", "password", "boss", *secret)
    assert (ran.code, "first that anybody tries" in ran.err) == (2, True)
    ran = peyk("user", "password", "boss")
    assert (ran.code, "no terminal" in ran.err) == (2, True)
    actions = {row["action"] for row in json.loads(peyk("audit", "list", "--json").out)}
    assert actions == {"user.add", "user.password", "user.totp", "user.disable", "user.enable"}
    assert peyk("audit", "list", "--who", "nobody").err == "nothing\n"
