"""``peyk token``: shown once, kept as a hash, listed, revoked, and who did it."""

from __future__ import annotations

import time

from core.access.permissions import Permission
from core.access.tokens import find_token
from core.database import Database
from core.tables.access import api_tokens
from tests.commands import Peyk

SEND = ("--may", "message.send")


def test_a_token_is_made_shown_once_and_revoked(peyk: Peyk, database: Database) -> None:
    """Whoever has it may do what was said, until it is taken back."""
    ran = peyk("token", "add", "Billing", "--utility", "kerman-water", *SEND, "--per-minute", "9")
    assert ran.code == 0, ran.err
    secret = ran.out.strip()
    now = time.time_ns() // 1_000_000
    found = database.read("token", find_token, secret, now)
    assert found is not None
    assert (found.name, found.utility, found.per_minute) == ("billing", "kerman-water", 9)
    assert found.permissions == {Permission.MESSAGE_SEND}
    assert 364 < ((found.expires_at or 0) - now) / 86_400_000 <= 365
    stored = database.read("all", lambda c: str(c.execute(api_tokens.select()).all()))
    assert secret not in stored
    assert secret not in peyk("token", "list").out
    listed = peyk("token", "list", "--json").json
    assert [(each["name"], each["state"]) for each in listed] == [("billing", "good")]
    assert peyk("token", "revoke", "billing").code == 0
    assert database.read("token", find_token, secret, now) is None
    assert peyk("token", "list", "--json").json[0]["state"] == "revoked"
    ran = peyk("token", "revoke", "billing")
    assert (ran.code, "peyk token list" in ran.err) == (1, True)
    done = peyk("audit", "list", "--form", "token", "--json").json
    assert [(row["action"], row["object"], row["utility"]) for row in done] == [
        ("token.revoke", "token:billing", "kerman-water"),
        ("token.add", "token:billing", "kerman-water"),
    ]
    assert done[0]["who"].startswith("command:")


def test_what_is_wrong_is_said(peyk: Peyk) -> None:
    """Before anything is made."""
    for arguments, code, words in (
        (("x",), 2, "--may"),
        (("x", "--may", "mesage.send"), 2, "did you mean 'message.send'"),
        (("x", *SEND, "--expires", "1400/01/01"), 2, "is over"),
        (("x", *SEND, "--expires", "soon"), 2, "is not a date"),
        (("x", *SEND, "--utility", "nobody"), 1, "no line serves"),
        (("-", *SEND), 2, "1 to 40"),
    ):
        ran = peyk("token", "add", *arguments)
        assert (ran.code, words in ran.err) == (code, True), ran.err
    assert peyk("token", "add", "x", *SEND, "--expires", "never").code == 0
    assert "already" in peyk("token", "add", "x", *SEND).err
    assert "message.send" in peyk("token", "permissions").out
