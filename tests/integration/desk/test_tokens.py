"""Tokens of the API on the desk: shown once, never more than their maker may, revoked."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from core.access.permissions import Permission
from core.access.tokens import YEAR_MS, find_token
from core.database import Database
from tests.desks import KERMAN, LORESTAN, DeskWorld

EDIT, SEND = Permission.TOKEN_EDIT, Permission.MESSAGE_SEND


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs by engine is tested where the API is."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_a_token_is_made_shown_once_and_revoked(desk: DeskWorld) -> None:
    """For the data and permissions of its maker at the most; all of it is audited."""
    zahra = desk.person(name="zahra", permissions=[EDIT, SEND], utility=KERMAN)
    asked = {"name": "billing", "utility": KERMAN, "per_minute": "۶۰", "permissions": [SEND.value]}
    for wrong, field in (
        ({"permissions": [Permission.OUTBOX_SEE.value]}, "permissions"),
        ({"permissions": []}, "permissions"),
        ({"utility": LORESTAN}, "utility"),
        ({"utility": ""}, "utility"),
        ({"name": "صورت حساب"}, "name"),
        ({"per_minute": "0"}, "per_minute"),
        ({"expires": "1400/01/01"}, "expires"),
    ):
        page = await desk.post("/tokens/new", zahra, {**asked, **wrong})
        assert page.code == 422, wrong
        assert f'id="{field}-error"'.encode() in page.body, wrong
    page = await desk.post("/tokens/new", zahra, asked)
    assert page.code == 200
    assert page.header("cache-control") == "no-store"
    found = re.search(rb"peyk_[\w-]{43}", page.body)
    assert found is not None
    secret, now = found[0].decode(), desk.now_ms()
    token = desk.database.read("token", find_token, secret, now)
    assert token is not None
    assert (token.name, token.utility, token.permissions) == ("billing", KERMAN, frozenset([SEND]))
    assert (token.per_minute, token.expires_at) == (60, now + YEAR_MS)
    page = await desk.get("/tokens", zahra)
    assert secret not in page.body.decode()
    assert "billing" in page.text
    other = desk.person(name="omid", permissions=[EDIT], utility=LORESTAN)
    assert "billing" not in (await desk.get("/tokens", other)).text
    assert (await desk.post("/tokens/billing/revoke", other)).code == 404
    assert (await desk.post("/tokens/billing/revoke", zahra)).location == "/desk/tokens"
    assert desk.database.read("token", find_token, secret, now) is None
    done = [(each.who, each.action, each.utility) for each in desk.audited()]
    assert done == [("zahra", "token.add", KERMAN), ("zahra", "token.revoke", KERMAN)]


@pytest_twisted.ensureDeferred
async def test_a_token_of_every_utility(desk: DeskWorld) -> None:
    """Only by who may do so everywhere; without an end, where that is ticked."""
    boss = desk.person("administrator")
    asked = {"name": "crm", "utility": "", "per_minute": "600", "permissions": [SEND.value]}
    page = await desk.post("/tokens/new", boss, {**asked, "never": "1"})
    found = re.search(rb"peyk_[\w-]{43}", page.body)
    assert found is not None
    token = desk.database.read("token", find_token, found[0].decode(), desk.now_ms())
    assert token is not None
    assert (token.utility, token.expires_at) == ("", None)
    page = await desk.post("/tokens/new", boss, asked)
    assert b'id="name-error"' in page.body
