"""A new message of staff: seen before it is sent, sent once, to nobody who wants none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_twisted

from core.access.permissions import Permission
from core.database import Database
from core.demo import fill
from core.secrecy import Keys
from core.tables import contacts, inbox, manual_replies, outbox, subscribers, suppressions
from tests.desks import KERMAN, LORESTAN

LINE, FOREIGN = "100034122", "100066133"
MOBILE, OTHER = "989131234567", "989131234568"


@pytest.fixture
def database(sqlite_database: Database, keys: Keys) -> Database:
    """A subscription of each of two utilities; sending once is tested on both engines."""
    made, today = sqlite_database, date(2026, 9, 21)
    for utility in (KERMAN, LORESTAN):
        fill(made, keys, subscribers=1, today=today, utility=utility, bills_each=0)
    made.transact("none", lambda c: c.execute(contacts.delete()))
    return made


def hidden(page: Any) -> dict[str, str]:
    """What the page's form carries unseen."""
    return {
        str(attrs["name"]): str(attrs["value"])
        for tag, attrs in page.tags
        if tag == "input" and attrs.get("type") == "hidden" and attrs["name"] != "next"
    }


async def write(desk: Any, who: Any, where: str = "", **fields: Any) -> Any:
    """Open the form, and have what it would do shown; the page and the fields to go on with."""
    page = await desk.get(f"/messages/new{where}", who)
    assert page.code == 200
    given = {**hidden(page), "line": LINE, "text": "قبض شما آماده است", **fields}
    page = await desk.post("/messages/new", who, {**given, "act": "send"})
    return page, {**given, **hidden(page), "act": "send"}


@pytest_twisted.ensureDeferred
async def test_a_message_is_seen_before_it_is_sent_and_sent_once(desk: Any) -> None:
    """Parts and cost first; another text is shown again; a second click sends nothing."""
    boss = desk.person("operator", name="boss")
    page, form = await write(desk, boss, mobile="۰۹۱۳۱۲۳۴۵۶۷", text="ا" * 71)
    assert page.code == 200
    assert "۷۱ حرف، ۲ بخش" in page.text
    assert desk.rows(outbox) == []
    page = await desk.post("/messages/new", boss, {**form, "text": "متن دیگر"})
    assert "۱ بخش" in page.text
    assert desk.rows(outbox) == []
    sent = await desk.post("/messages/new", boss, form)
    rows = desk.rows(outbox)
    assert (sent.code, sent.location) == (303, f"/desk/outbox/{rows[0].message_id}")
    assert [(row.mobile, row.line, row.part, row.state) for row in rows] == [
        (MOBILE, LINE, 1, "queued"),
        (MOBILE, LINE, 2, "queued"),
    ]
    again = await desk.post("/messages/new", boss, form)
    assert (again.code, again.location) == (303, sent.location)
    assert len(desk.rows(outbox)) == 2
    assert [row.by for row in desk.rows(manual_replies)] == ["boss"]
    (entry,) = desk.audited()
    assert (entry.action, entry.details["messages"]) == ("message.send", [
        f"outbox:{rows[0].message_id}"
    ])  # fmt: skip
    assert MOBILE[-7:] not in str(entry)


@pytest_twisted.ensureDeferred
async def test_a_subscriptions_mobiles_get_it_unless_they_want_none(desk: Any) -> None:
    """Opted out of everything, or of notices; who wants bills alone opted out too."""
    row = next(each for each in desk.rows(subscribers) if each.utility == KERMAN)
    for mobile in (MOBILE, OTHER):
        values = {"utility": KERMAN, "mobile": mobile, "subscriber_id": row.id}
        desk.add(contacts, {**values, "source": "import", "created_at": 1})
    no = {"utility": KERMAN, "topic": "", "reason": "asked", "note": "", "since": 1}
    desk.add(suppressions, {**no, "mobile": OTHER})
    boss = desk.person("operator", name="boss")
    for where, fields in ((f"?subscriber={row.id}", {}), ("", {"subscription": row.number})):
        page, form = await write(desk, boss, where, **fields)
        assert "۱ گیرنده نمی‌خواهد" in page.text
        assert (await desk.post("/messages/new", boss, form)).code == 303
    rows = desk.rows(outbox)
    assert [(each.mobile, each.subscriber_id) for each in rows] == [(MOBILE, row.id)] * 2
    desk.add(suppressions, {**no, "mobile": MOBILE, "topic": "notices"})
    assert (await desk.post("/messages/new", boss, {**form, "form": "x" * 22})).code == 200
    page, form = await write(desk, boss, mobile=MOBILE)
    assert "چیزی فرستاده نمی‌شود" in page.text
    assert (await desk.post("/messages/new", boss, form)).code == 409
    assert len(desk.rows(outbox)) == 2


@pytest_twisted.ensureDeferred
async def test_it_goes_out_from_ones_own_lines_alone(desk: Any) -> None:
    """Not from another utility's, not to its subscribers, nor out of its conversations."""
    rows = {each.utility: each for each in desk.rows(subscribers)}
    received = {
        "id": 77, "received_at": desk.now_ms(), "bind": "x", "profile": LORESTAN, "text": "سلام",
        "line": FOREIGN, "mobile": MOBILE, "fingerprint": 1, "state": "answered",
    }  # fmt: skip
    desk.add(inbox, received)
    kerman = desk.person("operator", name="kerman", utility=KERMAN)
    far = f"?subscriber={rows[LORESTAN].id}"
    for where in (far, "?inbox=77", "?subscriber=999999"):
        assert (await desk.get(f"/messages/new{where}", kerman)).code == 404, where
    page = await desk.get("/messages/new", kerman)
    assert FOREIGN not in page.body.decode()
    for fields, words in (
        ({"line": FOREIGN, "mobile": MOBILE}, "یکی از گزینه‌ها"),
        ({"subscription": rows[LORESTAN].number + "9"}, "همراهی برای این اشتراک"),
        ({"subscription": rows[KERMAN].number}, "همراهی برای این اشتراک"),
        ({}, "شماره همراه یا شماره اشتراک"),
        ({"mobile": MOBILE, "subscription": "1"}, "نه هر دو"),
        ({"mobile": "x"}, "شماره همراه را مانند"),
        ({"mobile": MOBILE, "text": "ا" * 1001}, "بیش از ۱۰۰۰"),
        ({"mobile": MOBILE, "text": " "}, "این خانه را پر کنید"),
    ):
        page, _ = await write(desk, kerman, **fields)
        assert page.code == 422
        assert words in page.text
    given = {"line": LINE, "text": "سلام", "mobile": MOBILE, "form": "short"}
    assert (await desk.post("/messages/new", kerman, given)).code == 400
    sender = desk.person(name="sender", permissions={Permission.MESSAGE_SEND}, utility=LORESTAN)
    assert (await desk.get(f"/messages/new{far}", sender)).code == 404  # may see no subscribers
    page, form = await write(desk, sender, line=FOREIGN, mobile=MOBILE)
    assert (await desk.post("/messages/new", sender, form)).location == "/desk/messages/new"
    assert [row.line for row in desk.rows(outbox)] == [FOREIGN]
    boss = desk.person("operator", name="boss")
    page, form = await write(desk, boss, "?inbox=77", line=FOREIGN, mobile=OTHER)
    assert (await desk.post("/messages/new", boss, form)).code == 303
    assert desk.rows(outbox)[-1].mobile == MOBILE  # of the conversation, whatever was typed
