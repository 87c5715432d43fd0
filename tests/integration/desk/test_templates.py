"""Templates on the desk: written, looked at, tried, put to use; by who may."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_twisted

from core.access.permissions import Permission
from core.database import Database
from core.events import EventKind
from core.secrecy import Keys
from core.tables import events, outbox, templates
from core.templates import store
from gateway.settings import Settings
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN, DeskWorld

BODY = "سلام، {{ company }}\nقبض اشتراک {{ number|fa }} به مبلغ {{ payable|rial }} ریال"
FIELDS = {
    "utility": KERMAN, "name": "desk-bill", "do": "save", "source": "events", "on": "bill_issued",
    "topic": "bills", "audience": "service", "receivers": "contacts", "missed": "once",
    "uncertain": "leave", "language": "fa", "attempts": "۵", "growth": "100", "priority": "5",
    "pauses": "1m 5m", "validity": "2d", "body": BODY,
}  # fmt: skip


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs between the engines is tested with the functions of the core."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_a_template_is_written_changed_compared_tried_and_put_to_use(desk: Any) -> None:
    """All of it by forms, each act in the audit log."""
    boss = desk.person("administrator", name="boss")
    made = await desk.post("/templates/new", boss, FIELDS)
    assert made.code == 303, made.text
    path = made.location.removeprefix("/desk")
    page = await desk.get(path, boss)
    assert "غیرفعال" in page.text
    assert "ارقام نمونه" in page.text
    assert "بخش" in page.text
    changed = {**FIELDS, "version": "1", "body": BODY + "\nبا سپاس", "produce": "هر روز ۰۸:۰۰"}
    assert (await desk.post(f"{path}/edit", boss, changed)).code == 303
    late = await desk.post(f"{path}/edit", boss, {**changed, "body": "دیگر"})
    assert late.code == 422
    assert "شخص دیگری" in late.text
    found = await desk.get(f"{path}/versions", boss)
    assert "+ با سپاس" in found.text
    assert "+ زمان تولید: every day 08:00" in found.text
    assert "- " not in found.text
    assert "نوبت‌های بعدی" in (await desk.get(path, boss)).text
    assert (await desk.post(f"{path}/enable", boss)).code == 303
    assert "فعال" in (await desk.get("/templates?state=enabled", boss)).text
    assert (await desk.post(f"{path}/test", boss, {"mobile": "12"})).code == 422
    assert (await desk.post(f"{path}/test", boss, {"mobile": "۰۹۱۳۱۲۳۴۵۶۷"})).code == 303
    assert {row.mobile for row in desk.rows(outbox)} == {"989131234567"}
    assert desk.queued == 1
    assert [row.action for row in desk.audited()] == [
        "template.add", "template.edit", "template.enable", "template.test",
    ]  # fmt: skip
    again = await desk.post("/templates/new", boss, FIELDS)
    assert "الگویی با این نام دارد" in again.text


@pytest_twisted.ensureDeferred
async def test_mistakes_stand_beside_their_fields(desk: Any) -> None:
    """The words' with line and column; nothing is saved."""
    boss = desk.person("administrator")
    for field, said, told in (
        ("body", BODY + "\n{{ nobody }}", "سطر ۳، ستون ۴: متغیری به نام 'nobody' نیست؛ این‌ها"),
        ("body", "{{ payable|rail }}", "صافی‌ای به نام 'rail' نیست؛ شاید منظور 'rial' است."),
        ("body", "{{ due }}", "due را چنین بنویسید: {{ due|jalali }}"),
        ("body", "{{ number|rial }}", "صافی 'rial' برای number نیست."),
        ("body", "{% for x in number %}{% endfor %}", "در متن پیام جایی ندارد"),
        ("body", "متن " * 400, "بخش می‌شود؛ بیش از ۱۰ بخش نمی‌شود."),
        ("produce", "گاهی", "زمان تولید را مانند"),
        ("hours", "صبح", "ساعت‌ها را مانند"),
        ("pauses", "x", "فاصله‌ها را مانند"),
        ("where", "no such", "نام = مقدار"),
        ("where", "no = such", "این شرط با رویدادها"),
        ("name", "a b!", "نام تنها"),
        ("attempts", "500", "عددی از ۱ تا ۵۰"),
        ("on", "", "دست‌کم یک رویداد"),
    ):
        given = {**FIELDS, field: said}
        if not said:
            del given[field]
        page = await desk.post("/templates/new", boss, given)
        assert page.code == 422
        assert told in page.text, (field, page.text)
        assert (field + "-error").encode() in page.body
    assert desk.rows(templates) == []


@pytest_twisted.ensureDeferred
async def test_a_preview_shows_real_rows_with_nobody_to_be_known(desk: Any) -> None:
    """While it is written; and a day of the calendar becomes a schedule."""
    boss = desk.person("administrator")
    about = '{"number": "12345678", "payable": 123456000, "name": "x"}'
    desk.add(
        events,
        {
            "id": 5, "kind": EventKind.BILL_ISSUED.value, "utility": KERMAN, "at": 1,
            "about": about,
        },
    )  # fmt: skip
    for path, do in (("/templates/preview", ""), ("/templates/new", "preview")):
        page = await desk.post(path, boss, {**FIELDS, "do": do})
        assert page.code == 200
        assert "۱۲******" in page.text.replace("12", "۱۲")
        assert "12345678" not in page.text
        assert "۱۲۳٬۴۵۶٬۰۰۰" in page.text
    assert desk.rows(templates) == []
    for how, was, made in (
        ("once", "", "once 1405/07/15 08:00"),
        ("monthly", "روز ۱ ماه ۰۹:۳۰", "days 1,15 09:30"),
        ("monthly", "days 15 of month 09:30", ""),
        ("weekly", "once 1405/07/15 10:00", "wednesday 10:00"),
    ):
        picked = {**FIELDS, "do": "", "pick": "1405/07/15", "pick_for": how, "produce": was}
        page = await desk.post("/templates/new", boss, picked)
        shown = {tag["name"]: tag.get("value") for _, tag in page.tags if tag.get("name")}
        assert shown["produce"] == made
    page = await desk.post("/templates/new", boss, {**FIELDS, "do": "", "month": "1404/12"})
    assert "اسفند" in page.text
    assert b'value="1404/12/29"' in page.body
    assert b'value="1404/12/30"' not in page.body
    assert b'value="1405/01"' in page.body


@pytest_twisted.ensureDeferred
async def test_parts_and_cost_are_those_of_the_words_that_would_go_out(
    database: Database, keys: Keys, now_ms: Clock
) -> None:
    """Not of the masked ones, which another alphabet could make shorter; by the line's price."""
    settings = Settings.model_validate(
        {
            "daemon": {"key": "k" * 32},
            "web": {"url": "http://127.0.0.1:1"},
            "binds": [{"name": "b", "host": "x", "port": 1, "system_id": "x", "password": "x"}],
            "lines": [{"number": "100034122", "profile": KERMAN, "binds": ["b"], "price": 150.5}],
        }
    )
    desk = DeskWorld(database, keys, now_ms, settings=settings)
    port = desk.open()
    boss = desk.person("administrator")
    about = json.dumps({"number": "آب" * 50, "payable": 5})
    kind = EventKind.BILL_ISSUED.value
    desk.add(events, {"id": 5, "kind": kind, "utility": KERMAN, "at": 1, "about": about})
    body = "{{ number }} {{ payable|rial }}"
    page = await desk.post("/templates/new", boss, {**FIELDS, "body": body, "do": "preview"})
    assert "آب" + "*" * 98 in page.text
    assert "۲ بخش" in page.text
    assert "۳۰۱ ریال" in page.text
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_each_utility_has_its_own_templates(desk: Any) -> None:
    """Another's are not to be seen, changed, tried or made."""
    boss = desk.person("administrator", name="boss")
    other = desk.person("operator", name="other", utility=LORESTAN)
    reader = desk.person(name="reader", permissions={Permission.TEMPLATE_SEE})
    page = await desk.get(f"/templates/new?utility={LORESTAN}", boss)
    assert page.offered("utility") == [KERMAN, LORESTAN]
    assert page.offered("line") == ["", "100066133"]
    assert not (await desk.get("/templates/new", other)).offered("utility")
    made = await desk.post("/templates/new", boss, FIELDS)
    path = made.location.removeprefix("/desk")
    assert "desk-bill" not in (await desk.get("/templates", other)).text
    assert (await desk.get(path, other)).code == 404
    assert (await desk.post("/templates/new", other, FIELDS)).code == 404
    for act in ("enable", "test", "edit"):
        assert (await desk.post(f"{path}/{act}", other, {"mobile": "09131234567"})).code == 404
    page = await desk.get(path, reader)
    assert page.code == 200
    assert not [each for each in page.links if each.endswith("/edit")]
    (found,) = desk.database.read("templates", store.list_templates)
    assert not found.enabled
