"""The inbox: searched, read, answered by hand, looked after."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from core.database import Database
from core.demo import code_of
from core.tables import outbox
from core.tables.access import inbox_handling, manual_replies
from tests.arriving import LINE, OWN_NUMBER, OWNER, STRANGER, receive, subscribers
from tests.desks import LORESTAN

SCRIPT = "<script>alert('x')</script>\u202egnp.exe شکایت دارم 10000001"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: statements are tested on both where they are."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_what_came_is_found_and_shows_nothing_of_whom(desk: Any) -> None:
    """Lists stay masked; what people wrote is shown, and never run."""
    subscribers(desk)
    _first, evil = receive(desk, (OWNER, "010"), (STRANGER, SCRIPT))
    boss = desk.person("operator")
    page = await desk.get("/inbox", boss)
    assert "مانده بدهی" in page.text
    assert b"<script>" not in page.body
    assert b"&lt;script&gt;alert(" in page.body
    assert "\u202e" not in page.text
    for secret in ("9131111111", OWN_NUMBER, "10000001", "۹۱۳۱۱۱۱۱۱۱"):
        assert secret not in page.text
    for query, count in (
        ("text=%D8%B4%DA%A9%D8%A7%D9%8A%D8%AA", 1),  # with the ی of another keyboard
        ("mobile=09131111111", 1),
        (f"subscription={OWN_NUMBER}", 1),
        ("operation=balance&outcome=done", 1),
        ("operation=misread", 1),
        ("state=set_aside", 0),
        ("line=100034122&handled=open", 2),
        ("since=1405/07/01&until=1405/07/30", 0),
    ):
        page = await desk.get(f"/inbox?{query}", boss)
        found = [each for each in page.links if each.startswith("/desk/inbox/")]
        assert len(found) == count, query
    assert (await desk.get("/inbox?since=1405/07/30&until=1405/07/01", boss)).code == 422
    assert desk.audited() == []
    page = await desk.get(f"/inbox/{evil}", boss)
    assert b"<script>" not in page.body
    assert "\u202e" not in page.text
    assert "۰۹۱۳۱۲۳۴۵۶۷" in page.text
    assert [(row.action, row.object) for row in desk.audited()] == [("inbox.see", f"inbox:{evil}")]


@pytest_twisted.ensureDeferred
async def test_who_may_not_see_personal_data_sees_what_was_done(desk: Any) -> None:
    """And nobody of another utility finds the message at all."""
    subscribers(desk)
    (first,) = receive(desk, (OWNER, f"010*{OWN_NUMBER}*{code_of(int(OWN_NUMBER))}"))
    viewer = desk.person("viewer")
    page = await desk.get(f"/inbox/{first}", viewer)
    assert "مانده بدهی" in page.text
    for secret in (OWN_NUMBER, "۰۹۱۳۱۱۱۱۱۱۱", "9131111111"):
        assert secret not in page.text
    assert desk.audited() == []
    assert (await desk.post(f"/inbox/{first}/reply", viewer, {"text": "x"})).code == 403
    other = desk.person("operator", name="lorestan", utility=LORESTAN)
    assert (
        "مانده"
        not in (await desk.get("/inbox?operation=balance", other))
        .body.decode()
        .partition("<table")[2]
    )
    for path in (f"/inbox/{first}", f"/inbox/{first}/redo", "/inbox/7"):
        assert (await desk.get(path, other)).code == 404
    for act in ("reply", "close", "assign", "redo", "reopen"):
        page = await desk.post(f"/inbox/{first}/{act}", other, {"text": "x", "answers": "0"})
        assert page.code == 404


@pytest_twisted.ensureDeferred
async def test_an_answer_by_hand_goes_out_once_from_the_line_that_was_texted(desk: Any) -> None:
    """Counted first; a second click sends nothing; who wrote it is known."""
    subscribers(desk)
    (first,) = receive(desk, (OWNER, "آب قطع است"))
    boss = desk.person("operator", name="boss")
    long = "همکاران ما در راه هستند. " * 4
    path, form = f"/inbox/{first}/reply", {"text": long, "answers": "0", "act": "count"}
    page = await desk.post(path, boss, form)
    assert "۲ بخش" in page.text
    assert len(desk.rows(outbox)) == 1
    assert (await desk.post(path, boss, {**form, "text": " "})).code == 422
    form |= {"act": "send", "close": "1"}
    assert (await desk.post(path, boss, form)).code == 303
    assert desk.queued == 1
    assert (await desk.post(path, boss, form)).code == 409
    parts = [row for row in desk.rows(outbox) if row.text in long and row.inbox_id == first]
    assert "".join(row.text for row in parts) == long.strip()
    assert {(row.mobile, row.line, row.state, row.priority) for row in parts} == {
        (OWNER, LINE, "queued", 0)
    }
    (kept,) = desk.rows(manual_replies)
    assert (kept.outbox_id, kept.inbox_id, kept.by) == (parts[0].id, first, "boss")
    (handled,) = desk.rows(inbox_handling)
    assert handled.closed_by == "boss"
    assert [row.action for row in desk.audited() if row.action != "inbox.see"] == ["inbox.reply"]
    page = await desk.get(f"/inbox/{first}", boss)
    assert "پاسخ دستی boss" in page.text
    assert "همکاران ما" in page.text
    assert (await desk.get("/inbox?handled=open", boss)).links.count(f"/desk/inbox/{first}") == 0


@pytest_twisted.ensureDeferred
async def test_messages_are_looked_after(desk: Any) -> None:
    """Assigned to who may see them, with a note; closed and opened again."""
    subscribers(desk)
    (first,) = receive(desk, (OWNER, "سلام"))
    boss, helper = desk.person("operator", name="boss"), desk.person("viewer", name="helper")
    stranger = desk.person("viewer", name="far", utility=LORESTAN)
    path = f"/inbox/{first}/assign"
    wrong = await desk.post(path, boss, {"assigned": str(stranger.user.id)})
    assert wrong.code == 422
    form = {"assigned": str(helper.user.id), "note": "<b>زنگ بزنید</b>"}
    assert (await desk.post(path, boss, form)).code == 303
    for who, is_theirs in ((helper, True), (boss, False)):
        page = await desk.get("/inbox?handled=mine", who)
        assert (f"/desk/inbox/{first}" in page.links) is is_theirs
    assert b"&lt;b&gt;" in (await desk.get(f"/inbox/{first}", helper)).body
    for act in ("close", "reopen"):
        assert (await desk.post(f"/inbox/{first}/{act}", boss)).code == 303
    (row,) = desk.rows(inbox_handling)
    assert (row.assigned_to, row.closed_at) == (helper.user.id, None)
    done = [each.action for each in desk.audited() if each.action != "inbox.see"]
    assert done == ["inbox.assign", "inbox.note", "inbox.close", "inbox.reopen"]
