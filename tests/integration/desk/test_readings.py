"""Readings on the desk: examined with their bill, decided once, told, and taken out as a file."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
import pytest_twisted
from openpyxl import load_workbook
from sqlalchemy import select

from core.access.permissions import Permission
from core.database import Database
from core.demo import fill
from core.secrecy import Keys
from core.tables import bills, outbox, readings, subscribers
from tests.desks import KERMAN, LORESTAN

MOBILE = "989131234567"
DAY = 86_400_000


@pytest.fixture
def database(sqlite_database: Database, keys: Keys) -> Database:
    """What is decided is tested on both engines where it is."""
    fill(sqlite_database, keys, subscribers=3, today=date(2026, 9, 21), utility=KERMAN)
    return sqlite_database


def doubtful(desk: Any, figure: int = 99_000, **more: Any) -> int:
    """A reading of the first subscription that somebody is to decide on; its id."""
    query = select(subscribers).where(subscribers.c.utility == KERMAN).order_by(subscribers.c.id)
    whose = desk.database.read("one", lambda c: c.execute(query).first())
    key: int = desk.means.ids.one()
    row = {
        "id": key, "subscriber_id": whose.id, "reading": figure, "read_at": desk.now_ms() - DAY,
        "source": "sms", "state": "doubtful", "mobile": MOBILE, **more,
    }  # fmt: skip
    desk.add(readings, row)
    return key


def state_of(desk: Any, key: int) -> str:
    """Of a reading."""
    return next(str(row.state) for row in desk.rows(readings) if row.id == key)


@pytest_twisted.ensureDeferred
async def test_a_doubtful_reading_is_examined_and_accepted_once(desk: Any) -> None:
    """What the checks found, the bill line by line, and the very words that go out."""
    key = doubtful(desk)
    boss = desk.person("operator", name="boss")
    page = await desk.get("/readings", boss)
    assert f"/desk/readings/{key}" in page.links
    assert "قرائت‌ها ۱ در انتظار تصمیم" in page.text
    assert "۹۱۳۱۲۳۴۵۶۷" not in page.text
    page = await desk.get(f"/readings/{key}", boss)
    for words in (
        "مصرف بسیار بیش از آخرین قبض",
        "برابر معمول",
        "آب‌بها در ظرفیت قراردادی",
        "مالیات",
    ):
        assert words in page.text
    assert "۰۹۱۳۱۲۳۴۵۶۷" in page.text
    assert (await desk.post(f"/readings/{key}/decide", boss, {"act": "accept"})).code == 303
    assert state_of(desk, key) == "accepted"
    told = desk.rows(outbox)
    assert {row.mobile for row in told} == {MOBILE}
    assert " ".join("".join(row.text for row in told).split()) in page.text
    assert desk.queued == 1
    page = await desk.post(f"/readings/{key}/decide", boss, {"act": "accept"})
    assert page.code == 409
    assert "تصمیم دیگری" in page.text
    assert [row.action for row in desk.audited()] == ["reading.see", "reading.decide"]
    assert desk.audited()[1].details == {"verdict": "accepted", "was": "doubtful"}


@pytest_twisted.ensureDeferred
async def test_the_reason_of_a_rejection_is_seen_as_it_will_be_read(desk: Any) -> None:
    """A reason that is too long stands beside its field; the mid-period bill is withdrawn."""
    key = doubtful(desk)
    row = next(each for each in desk.rows(readings) if each.id == key)
    made = {
        "subscriber_id": row.subscriber_id, "period": "میان‌دوره", "to_reading": row.reading,
        "amount": 5_000, "payable": 5_000, "issued_at": row.read_at, "kind": "mid_period",
    }  # fmt: skip
    desk.add(bills, made)
    boss = desk.person("operator", name="boss", language="en")
    page = await desk.post(f"/readings/{key}/decide", boss, {"act": "reject", "note": "ا" * 61})
    assert page.code == 422
    assert "more than 60" in page.text
    page = await desk.post(
        f"/readings/{key}/decide", boss, {"act": "preview", "note": "خوانا نیست"}
    )
    assert "خوانا نیست" in page.text
    assert "withdrawn when the reading is rejected" in page.text
    assert state_of(desk, key) == "doubtful"
    fields = {"act": "reject", "note": "خوانا نیست"}
    assert (await desk.post(f"/readings/{key}/decide", boss, fields)).code == 303
    assert state_of(desk, key) == "rejected"
    assert not any(each.kind == "mid_period" for each in desk.rows(bills))
    assert "خوانا نیست" in "".join(row.text for row in desk.rows(outbox))


@pytest_twisted.ensureDeferred
async def test_an_old_reading_says_why_it_makes_no_bill(desk: Any) -> None:
    """A newer one has come, which the next bill goes by."""
    key = doubtful(desk, 1_900, read_at=desk.now_ms() - 2 * DAY)
    doubtful(desk, 1_950, state="accepted")
    page = await desk.get(f"/readings/{key}", desk.person("operator"))
    assert "پس از آن قرائت دیگری رسیده است" in page.text


@pytest_twisted.ensureDeferred
async def test_readings_of_others_and_what_is_personal_stay_hidden(desk: Any) -> None:
    """From another utility's staff all, from a viewer who sent it, and the buttons."""
    key = doubtful(desk)
    far = desk.person("operator", name="far", utility=LORESTAN)
    assert (await desk.get(f"/readings/{key}", far)).code == 404
    assert (await desk.post(f"/readings/{key}/decide", far, {"act": "accept"})).code == 404
    assert str(key) not in (await desk.get("/readings?state=all", far)).text
    assert (await desk.get("/readings/7", far)).code == 404
    assert "۱ در انتظار تصمیم" not in (await desk.get("/readings", far)).text
    viewer = desk.person("viewer")
    page = await desk.get(f"/readings/{key}", viewer)
    assert page.code == 200
    assert "۱۲۳۴۵۶۷" not in page.text
    number = next(row.number for row in desk.rows(subscribers))
    assert number not in page.body.decode()
    assert "/decide" not in page.body.decode()
    assert desk.audited() == []
    counter = desk.person("counter")
    assert (await desk.post(f"/readings/{key}/decide", counter, {"act": "accept"})).code == 403
    for wrong in ("state=x", "since=1404/13/01", "before=x", "since=1404/02/01&until=1404/01/01"):
        assert (await desk.get(f"/readings?{wrong}", viewer)).code == 422
    page = await desk.get("/readings?subscription=%27%3B--&state=all", viewer)
    assert page.code == 200


@pytest_twisted.ensureDeferred
async def test_readings_are_taken_out_as_a_file(desk: Any) -> None:
    """No cell is a formula; whole numbers only for who may see them and says so; audited."""
    evil = "=cmd|'/c calc'!A0"
    doubtful(desk, note=evil)
    boss, viewer = desk.person("operator", name="boss"), desk.person("viewer")
    assert (await desk.get("/readings/file?format=csv", viewer)).code == 403
    page = await desk.get("/readings/file?format=csv", boss)
    assert page.header("content-disposition").startswith('attachment; filename="readings.csv"')
    text = page.body.decode("utf-8-sig")
    assert "'=cmd" in text
    assert MOBILE not in text
    full = await desk.get("/readings/file?format=xlsx&full=1&state=doubtful", boss)
    rows = list(load_workbook(BytesIO(full.body)).worksheets[0].values)
    assert MOBILE in rows[1]
    assert evil in rows[1]
    assert len(rows) == 2
    may = {Permission.REPORT_DOWNLOAD, Permission.READING_SEE}
    half = desk.person(name="half", permissions=may)
    assert (await desk.get("/readings/file?format=csv&full=1", half)).code == 403
    assert (await desk.get("/readings/file?format=exe", half)).code == 400
    assert [row.action for row in desk.audited()] == ["reading.file", "reading.file_full"]
