"""The outbox: found, told with its attempts, sent again and given up, one by one and by filter."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from core.database import Database
from core.tables import outbox
from tests.desks import LORESTAN

LINE, FOREIGN = "100034122", "100066133"
MOBILE = "989131234567"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What is done to the rows is tested on both engines where it is."""
    return sqlite_database


def sent(desk: Any, state: str, line: str = LINE, **more: Any) -> int:
    """A message of one part in this state."""
    row_id: int = desk.means.ids.one()
    now = desk.now_ms()
    row = {
        "id": row_id, "message_id": row_id, "part": 1, "parts": 1, "mobile": MOBILE, "line": line,
        "text": "شناسه قبض 1000000104616 <script>", "priority": 1, "state": state, "attempts": 1,
        "max_attempts": 3, "resend_uncertain": True, "created_at": now, "due_at": now,
        "changed_at": now, **more,
    }  # fmt: skip
    desk.add(outbox, row)
    return row_id


def states(desk: Any) -> dict[int, str]:
    """By id."""
    return {row.id: row.state for row in desk.rows(outbox)}


@pytest_twisted.ensureDeferred
async def test_a_message_is_told_with_its_attempts_and_sent_again(desk: Any) -> None:
    """Whoever may not see personal data sees neither the mobile nor the figures."""
    refused: dict[str, Any] = {
        "smsc": "mci",
        "smsc_id": "77",
        "code": 0,
        "error": "001",
        "accepted_at": 1,
    }
    failed = sent(desk, "undeliverable", **refused)
    boss, viewer = desk.person("operator", name="boss"), desk.person("viewer")
    page = await desk.get("/outbox?state=failed&mobile=09131234567", boss)
    assert f"/desk/outbox/{failed}" in page.links
    assert b"<script>" not in page.body
    assert "1000000104616" not in page.text
    for who, is_seen in ((boss, True), (viewer, False)):
        page = await desk.get(f"/outbox/{failed}", who)
        assert ("1000000104616" in page.text) is is_seen
        assert ("۰۹۱۳۱۲۳۴۵۶۷" in page.text) is is_seen
        assert "اپراتور پذیرفت" in page.text
        assert "به گوشی نرسید" in page.text
        assert (f"/desk/outbox/{failed}/resend" in page.body.decode()) is is_seen
    assert (await desk.post(f"/outbox/{failed}/resend", viewer)).code == 403
    assert (await desk.post(f"/outbox/{failed}/cancel", boss)).code == 409
    assert (await desk.post(f"/outbox/{failed}/resend", boss)).code == 303
    assert states(desk) == {failed: "queued"}
    assert desk.queued == 1
    assert (await desk.post(f"/outbox/{failed}/resend", boss)).code == 409
    assert (await desk.post(f"/outbox/{failed}/cancel", boss)).code == 303
    assert states(desk) == {failed: "cancelled"}
    assert [row.action for row in desk.audited()] == [
        "outbox.see", "outbox.resend", "outbox.cancel"
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_all_that_a_filter_finds_is_counted_before_it_is_done(desk: Any) -> None:
    """And nothing of a utility that one has nothing to do with."""
    failed = [sent(desk, "rejected") for _ in range(260)]
    other, fine = sent(desk, "rejected", FOREIGN), sent(desk, "delivered")
    kerman = desk.person("operator", name="kerman", utility="kerman-water")
    page = await desk.get("/outbox/resend?state=failed", kerman)
    assert "۲۶۰ پیام دوباره در صف" in page.text
    assert set(states(desk).values()) == {"rejected", "delivered"}
    page = await desk.post("/outbox/resend?state=failed", kerman)
    assert page.code == 303
    found = states(desk)
    assert {found[each] for each in failed} == {"queued"}
    assert (found[other], found[fine]) == ("rejected", "delivered")
    (row,) = desk.audited()
    assert (row.action, row.details) == ("outbox.resend", {"state": "failed", "count": 260})
    assert (await desk.get(f"/outbox/{other}", kerman)).code == 404
    assert (await desk.post(f"/outbox/{other}/resend", kerman)).code == 404
    page = await desk.get("/outbox", desk.person("viewer", name="far", utility=LORESTAN))
    assert all(f"/outbox/{each}" not in page.body.decode() for each in (failed[0], fine))
