"""Campaigns on the desk: what they come to, begun by one or by two, stopped, sent again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import update

from core import demo
from core.access.permissions import Permission
from core.database import Database
from core.ids import IdMaker
from core.outbox import State
from core.secrecy import Keys
from core.tables import outbox, runs
from tests.desks import KERMAN, LORESTAN
from tests.integration.desk.test_templates import FIELDS

REPORT = {
    **FIELDS, "name": "desk-campaign", "source": "report", "report": "bills_issued",
    "parameters": "days = 4000",
}  # fmt: skip
TODAY = date(2026, 9, 1)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs between the engines is tested with the functions of the core."""
    return sqlite_database


@pytest.fixture
def filled(database: Database, keys: Keys) -> Database:
    """Subscribers of Kerman with bills."""
    demo.fill(database, keys, today=TODAY, utility=KERMAN, subscribers=12)
    return database


async def _template(desk: Any, boss: Any) -> str:
    path = (await desk.post("/templates/new", boss, REPORT)).location.removeprefix("/desk")
    assert (await desk.post(f"{path}/enable", boss)).code == 303
    return str(path.rpartition("/")[2])


@pytest.mark.usefixtures("filled")
@pytest_twisted.ensureDeferred
async def test_two_people_begin_a_campaign_where_one_may_not(desk: Any) -> None:
    """What it comes to is shown first; who asked for it cannot approve it."""
    boss = desk.person("administrator", name="boss")
    clerk = desk.person(
        name="clerk", permissions={Permission.CAMPAIGN_START, Permission.CAMPAIGN_SEE}
    )
    template = await _template(desk, boss)
    assert "desk-campaign" in (await desk.get("/campaigns/new", clerk)).text
    page = await desk.get(f"/campaigns/new?template={template}", clerk)
    assert b'name="p_days"' in page.body
    assert b'value="4000"' in page.body
    form = {"template": template, "report": "bills_issued", "p_days": "x", "do": "start"}
    assert (await desk.post("/campaigns/new", clerk, form)).code == 422
    form["p_days"] = "۴۰۰۰"
    page = await desk.post("/campaigns/new", clerk, {**form, "do": "rehearse"})
    assert page.code == 200, page.text
    assert "برآورد ارسال" in page.text
    assert "اطلاعات شخصی آنها پوشیده" in page.text
    assert desk.rows(runs) == []
    asked = await desk.post("/campaigns/new", clerk, {**form, "do": "start"})
    path = asked.location.removeprefix("/desk")
    (run,) = desk.rows(runs)
    assert (run.state, run.asked_by) == ("asked", "clerk")
    assert (await desk.post(f"{path}/approve", clerk)).code == 403
    assert "منتظر تأیید" in (await desk.get(path, boss)).text
    assert (await desk.post(f"{path}/approve", boss)).code == 303
    assert (await desk.post(f"{path}/approve", boss)).code == 409
    (run,) = desk.rows(runs)
    assert run.state == "producing"
    desk.now_ms.advance(1)
    twice = await desk.post("/campaigns/new", boss, {**form, "do": "start"})
    assert twice.code == 422
    assert "پیامش دو بار به همه می‌رسد" in twice.text
    assert b'name="again"' in twice.body
    own = await desk.post("/campaigns/new", boss, {**form, "do": "start", "again": "1"})
    assert own.code == 303
    assert [each.state for each in desk.rows(runs)] == ["producing", "producing"]
    assert [each.action for each in desk.audited() if each.action.startswith("campaign")] == [
        "campaign.ask", "campaign.approve", "campaign.start",
    ]  # fmt: skip
    listed = await desk.get("/campaigns?state=producing", boss)
    assert listed.text.count("bills_issued") == 2
    for run in desk.rows(runs):
        page = await desk.get(f"/campaigns?before={run.id}", boss)
        assert page.text.count("bills_issued") == (1 if run.asked_by == "boss" else 0)


@pytest.mark.usefixtures("filled")
@pytest_twisted.ensureDeferred
async def test_a_campaign_is_stopped_and_its_failures_are_sent_again(desk: Any) -> None:
    """Counted before; what was delivered or cancelled stays as it is."""
    boss = desk.person("administrator", name="boss")
    other = desk.person("operator", name="other", utility=LORESTAN)
    form = {"template": await _template(desk, boss), "do": "start", "p_days": "4000"}
    path = (await desk.post("/campaigns/new", boss, form)).location.removeprefix("/desk")
    run_id = int(path.rpartition("/")[2])
    assert (await desk.get(path, other)).code == 404
    assert (await desk.post(f"{path}/resend", other, {"do": "resend"})).code == 404
    ids = IdMaker(2, desk.now_ms)
    states = (State.REJECTED, State.EXPIRED, State.DELIVERED, State.CANCELLED, State.UNCERTAIN)
    desk.add(outbox, *(row(ids.one(), run_id, state) for state in states))
    page = await desk.get(f"{path}/progress", boss)
    assert "ناموفق" in page.text
    assert "<html" not in page.body.decode()
    page = await desk.post(f"{path}/resend", boss, {"do": "count"})
    assert "۲ پیام دوباره فرستاده می‌شود" in page.text
    page = await desk.post(f"{path}/resend", boss, {"do": "count", "uncertain": "1"})
    assert "۳ پیام" in page.text
    assert not [row for row in desk.rows(outbox) if row.state == "queued"]
    assert (await desk.post(f"{path}/resend", boss, {"do": "resend"})).code == 303
    assert sorted(row.state for row in desk.rows(outbox)) == [
        "cancelled", "delivered", "queued", "queued", "uncertain",
    ]  # fmt: skip
    assert (await desk.post(f"{path}/resume", boss)).code == 409
    assert (await desk.post(f"{path}/pause", boss)).code == 303
    assert (await desk.post(f"{path}/cancel", boss)).code == 303
    (run,) = desk.rows(runs)
    assert run.state == "cancelling"
    desk.database.transact("end", lambda c: c.execute(update(runs).values(state="done")))
    assert (await desk.post(f"{path}/cancel", boss)).code == 409


def row(key: int, run_id: int, state: State) -> dict[str, Any]:
    """A message of a campaign, in one part."""
    return {
        "id": key, "message_id": key, "part": 1, "parts": 1, "mobile": "989131234567",
        "line": "100034122", "text": "x", "priority": 5, "state": state.value, "attempts": 1,
        "max_attempts": 5, "resend_uncertain": False, "due_at": 1, "expires_at": 2, "created_at": 1,
        "changed_at": 1, "run_id": run_id,
    }  # fmt: skip
