"""Reports on the desk: tables and files, with nobody to be known and nothing to be run."""

from __future__ import annotations

import json
import time
from datetime import date
from io import BytesIO
from typing import Any

import pytest
import pytest_twisted
from openpyxl import load_workbook

from core import demo
from core.access.permissions import Permission
from core.database import Database
from core.ids import IdMaker
from core.outbox import State
from core.secrecy import Keys
from core.tables import outbox
from gateway.web.desk import report_pages
from gateway.web.desk.patience import Impatient, Patience
from tests.desks import KERMAN, LORESTAN
from tests.integration.desk.test_campaigns import row

MOBILE = "989131234567"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs between the engines is tested with the reports themselves."""
    return sqlite_database


def _sent(desk: Any, count: int = 1) -> None:
    ids = IdMaker(2, desk.now_ms)
    desk.add(
        outbox,
        *(
            {**row(ids.one(), 7, State.REJECTED), "mobile": MOBILE, "error": "=1+1"}
            for _ in range(count)
        ),
    )


@pytest_twisted.ensureDeferred
async def test_messages_are_reported_in_pages_and_files(desk: Any, monkeypatch: Any) -> None:
    """Mobiles masked but for who may see them, and that is written down; formulas are texts."""
    monkeypatch.setattr(report_pages, "ROWS", 2)
    boss = desk.person("administrator", name="boss")
    viewer = desk.person("viewer", name="viewer", permissions={Permission.REPORT_DOWNLOAD})
    _sent(desk, 3)
    page = await desk.get("/reports/messages", viewer)
    assert page.code == 200
    assert page.text.count("=1+1") == 2
    assert MOBILE[2:] not in page.text
    (after,) = [each for each in page.links if "page=2" in each]
    page = await desk.get(after.removeprefix("/desk"), viewer)
    assert page.text.count("=1+1") == 1
    assert "صفحهٔ ۲" in page.text
    assert (await desk.get("/reports/messages?since=1405/13/01", viewer)).code == 422
    days = await desk.get("/reports/days", viewer)
    assert "۳" in days.text
    file = await desk.get("/reports/messages/file?format=csv", viewer)
    assert file.header("content-disposition").startswith('attachment; filename="messages.csv"')
    assert file.body.decode().count("'=1+1") == 3
    assert MOBILE not in file.body.decode()
    assert (await desk.get("/reports/messages/file?format=csv&full=1", viewer)).code == 403
    whole = await desk.get("/reports/messages/file?format=json&full=1", boss)
    assert {each["mobile"] for each in json.loads(whole.body)} == {MOBILE}
    book = await desk.get("/reports/days/file?format=xlsx", boss)
    sheet: Any = load_workbook(BytesIO(book.body)).active
    assert sheet["A2"].value
    assert (await desk.get("/reports/nothing", boss)).code == 404
    assert (await desk.get("/reports/messages/file?format=exe", boss)).code == 400
    assert [(each.who, each.action, each.object) for each in desk.audited()] == [
        ("viewer", "report.download", "report:messages"),
        ("boss", "report.full", "report:messages"),
        ("boss", "report.download", "report:days"),
    ]
    monkeypatch.setattr(report_pages, "MOST_ROWS", 2)
    assert (await desk.get("/reports/messages/file?format=csv", boss)).code == 409


@pytest_twisted.ensureDeferred
async def test_each_utility_sees_its_own(desk: Any, keys: Keys) -> None:
    """Neither the messages of another's lines nor its subscribers."""
    demo.fill(desk.database, keys, today=date(2026, 9, 1), utility=KERMAN, subscribers=12)
    _sent(desk)
    kerman = desk.person("administrator", name="kerman", utility=KERMAN)
    other = desk.person("operator", name="other", utility=LORESTAN)
    assert "=1+1" in (await desk.get("/reports/messages", kerman)).text
    for asked in ("", f"?mobile={MOBILE}", "?run=7", "?line=100034122"):
        page = await desk.get(f"/reports/messages{asked}", other)
        assert page.code == 200
        assert "=1+1" not in page.text
    assert (await desk.get(f"/reports/messages?utility={KERMAN}", other)).code == 422
    own = f"/reports/own/{KERMAN}/bills_issued"
    assert own in "".join((await desk.get("/reports", kerman)).links)
    page = await desk.get(own, kerman)
    assert b'name="p_days"' in page.body
    page = await desk.get(f"{own}?do=show&p_days=4000", kerman)
    assert page.code == 200
    assert "bill id" not in page.text
    assert "bill_id" in page.text
    assert (await desk.get(f"{own}?do=show&p_days=x", kerman)).code == 422
    assert (await desk.get(f"{own}/file?do=show&p_days=4000&format=csv", kerman)).code == 200
    for path in (own, f"{own}/file?format=csv"):
        assert (await desk.get(path, other)).code == 404


@pytest_twisted.ensureDeferred
async def test_a_report_that_takes_too_long_is_given_up(desk: Any, monkeypatch: Any) -> None:
    """It says what to do instead; so does nobody have it go on who has gone."""
    boss = desk.person("administrator")
    monkeypatch.setattr(Patience.__init__, "__defaults__", (-1.0, time.monotonic))
    page = await desk.get("/reports/days", boss)
    assert page.code == 409
    assert "بیش از یک دقیقه" in page.text
    waiting = Patience(desk.database, 60)
    assert waiting.read("names", lambda _connection: 5) == 5
    waiting.give_up()
    with pytest.raises(Impatient):
        waiting.read("names", lambda _connection: 5)
