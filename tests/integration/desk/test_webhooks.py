"""Webhooks on the desk: added with a secret shown once, looked at, disabled, removed."""

from __future__ import annotations

import re

import pytest
import pytest_twisted
from sqlalchemy import insert, update

from core.access.permissions import Permission
from core.database import Database
from core.tables import webhook_calls, webhooks
from core.webhooks.store import PURPOSE, list_webhooks
from tests.desks import KERMAN, LORESTAN, DeskWorld

EDIT, SEE = Permission.WEBHOOK_EDIT, Permission.PERSONAL_SEE
ASKED = {
    "name": "crm", "url": "https://crm.example.ir/peyk", "utility": KERMAN,
    "topics": ["inbound", "event.*"],
}  # fmt: skip


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs by engine is tested where webhooks are."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_a_webhook_is_added_looked_at_and_removed(desk: DeskWorld) -> None:
    """By who may see personal data; another utility's is not found; each act is audited."""
    zahra = desk.person(name="zahra", permissions=[EDIT, SEE], utility=KERMAN)
    for wrong, field in (
        ({"url": "http://crm.example.ir"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"topics": []}, "topics"),
        ({"utility": LORESTAN}, "utility"),
        ({"name": "No Name"}, "name"),
    ):
        page = await desk.post("/webhooks/new", zahra, {**ASKED, **wrong})
        assert page.code == 422, wrong
        assert f'id="{field}-error"'.encode() in page.body, wrong
    blind = desk.person(name="blind", permissions=[EDIT], utility=KERMAN)
    page = await desk.post("/webhooks/new", blind, ASKED)
    assert b'id="utility-error"' in page.body
    page = await desk.post("/webhooks/new", zahra, ASKED)
    found = re.search(rb'id="secret">([\w-]{43})<', page.body)
    assert found is not None
    (stored,) = desk.database.read("webhooks", list_webhooks)
    assert desk.means.keys.unseal(PURPOSE, stored.sealed) == found[1].decode()

    call = {"id": 7, "webhook_id": stored.id, "items": 3, "body": "{}", "attempts": 2, "due_at": 1,
            "created_at": 1, "status": 502, "error": "crm answers <502>"}  # fmt: skip
    made, begun = insert(webhook_calls).values(call), update(webhooks).values(call_id=7)
    desk.database.transact("failing", lambda c: (c.execute(made), c.execute(begun)))
    shown = await desk.get("/webhooks/crm", zahra)
    assert "crm answers &lt;502&gt;" in shown.body.decode()
    assert found[1] not in shown.body
    other = desk.person(name="omid", permissions=[EDIT, SEE], utility=LORESTAN)
    assert "crm" not in (await desk.get("/webhooks", other)).text
    assert (await desk.post("/webhooks/crm/remove", other)).code == 404
    for act in ("disable", "skip", "disable", "enable"):
        assert (await desk.post(f"/webhooks/crm/{act}", zahra)).location == "/desk/webhooks/crm"
    assert (await desk.post("/webhooks/crm/remove", zahra)).location == "/desk/webhooks"
    assert desk.database.read("webhooks", list_webhooks) == []
    acts = [each.action.partition(".")[2] for each in desk.audited() if each.who == "zahra"]
    assert acts == ["add", "disable", "enable", "disable", "enable", "remove"]
