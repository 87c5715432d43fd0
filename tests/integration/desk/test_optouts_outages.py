"""Who wants no messages, and planned outages: entered and taken back at the desk."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest_twisted

from core import demo
from core.jalali import TEHRAN, jalali
from core.secrecy import Keys
from core.tables import outages, subscribers, suppressions
from gateway.web.desk import lists
from tests.desks import KERMAN, LORESTAN

MOBILE = "989131234567"


@pytest_twisted.ensureDeferred
async def test_somebody_is_opted_out_and_in_again(desk: Any, monkeypatch: Any) -> None:
    """On both engines; the list is masked, in pages, and each utility's own."""
    monkeypatch.setattr(lists, "ROWS", 1)
    boss = desk.person("administrator", name="boss")
    other = desk.person("operator", name="other", utility=LORESTAN)
    form = {"new_mobile": "0913 123 4567", "new_utility": KERMAN, "new_topic": "", "note": "تلفنی"}
    assert (await desk.post("/optouts", boss, {**form, "new_mobile": "12"})).code == 422
    assert (await desk.post("/optouts", other, form)).code == 422
    assert (await desk.post("/optouts", boss, form)).code == 303
    assert (await desk.post("/optouts", boss, {**form, "new_topic": "bills"})).code == 303
    assert (await desk.post("/optouts", boss, {**form, "new_topic": "nothing"})).code == 422
    page = await desk.get("/optouts", boss)
    assert "۴۵۶۷" in page.text
    assert "۱۲۳۴۵۶۷" not in page.text
    assert "boss: تلفنی" in page.text
    (more,) = [each for each in page.links if "before=" in each]
    older = await desk.get(more.removeprefix("/desk"), boss)
    assert "boss: تلفنی" in older.text
    assert not [each for each in older.links if each == more]
    assert "تلفنی" not in (await desk.get(f"/optouts?mobile={MOBILE}", other)).text
    for each in desk.rows(suppressions):
        assert (await desk.post(f"/optouts/{each.id}/remove", other)).code == 404
        assert (await desk.post(f"/optouts/{each.id}/remove", boss)).code == 303
    assert desk.rows(suppressions) == []
    assert [each.object for each in desk.audited()] == ["mobile:98913***4567"] * 4


@pytest_twisted.ensureDeferred
async def test_an_outage_is_entered_and_cancelled(desk: Any, keys: Keys) -> None:
    """Mistakes stand beside their fields; another utility's is not to be touched."""
    demo.fill(desk.database, keys, today=date(2026, 9, 1), utility=KERMAN, subscribers=12)
    region = next(each.region for each in desk.rows(subscribers) if each.region)
    boss = desk.person("administrator", name="boss")
    other = desk.person("operator", name="other", utility=LORESTAN)
    begins = datetime.fromtimestamp(desk.now_ms() / 1000 + 3 * 86_400, TEHRAN).date()
    form = {
        "new_utility": KERMAN, "region": region, "begins_day": jalali(begins),
        "begins_time": "۰۹:۰۰", "ends_day": jalali(begins), "ends_time": "14:00", "reason": "تعمیر",
    }  # fmt: skip
    for wrong, field in (
        ({"region": "ناکجا"}, "region"),
        ({"everywhere": "1"}, "region"),
        ({"begins_time": "25:00"}, "begins_time"),
        ({"ends_time": "08:00"}, "ends_day"),
        ({"begins_day": "1380/01/01", "ends_day": "1380/01/01"}, "begins_day"),
        ({"begins_day": "1480/01/01", "ends_day": "1480/01/02"}, "begins_day"),
    ):
        page = await desk.post("/outages", boss, {**form, **wrong})
        assert page.code == 422
        assert f'id="{field}-error"'.encode() in page.body, (wrong, page.text)
    assert (await desk.post("/outages", other, form)).code == 422
    assert desk.rows(outages) == []
    assert (await desk.post("/outages", boss, form)).code == 303
    page = await desk.get("/outages", boss)
    assert "تعمیر" in page.text
    assert "هیچ الگوی فعالی" in (await _flash(desk, boss, form)).text
    assert "تعمیر" not in (await desk.get("/outages", other)).text
    (first, _) = desk.rows(outages)
    assert (await desk.post(f"/outages/{first.id}/cancel", other)).code == 404
    assert (await desk.post(f"/outages/{first.id}/cancel", boss)).code == 303
    assert (await desk.post(f"/outages/{first.id}/cancel", boss)).code == 409
    assert "لغو شده" in (await desk.get("/outages", boss)).text


async def _flash(desk: Any, boss: Any, form: dict[str, str]) -> Any:
    done = await desk.post("/outages", boss, form)
    (said,) = [each for each in done.headers.getRawHeaders("set-cookie") if "flash" in each]
    name, _, value = said.partition(";")[0].partition("=")
    return await desk.get("/outages", boss, cookies={name: value})
