"""What the frame does for every page: who is let in, forms, languages, errors, headers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted

from core.access.audit import Entry
from core.access.permissions import Permission
from core.database import Database
from core.secrecy import Keys
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN, DeskWorld


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: what differs is tested where it is."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_nobody_is_led_to_the_login_and_back(desk: Any) -> None:
    """With what was asked for behind it; the login speaks Persian, right to left."""
    page = await desk.get("/account?x=1")
    assert page.code == 303
    assert page.location == "/desk/login?next=%2Faccount%3Fx%3D1"
    login = await desk.get("/login?next=%2Faccount%3Fx%3D1")
    assert login.code == 200
    assert ("html", {"lang": "fa", "dir": "rtl"}) in login.tags
    hidden = {attrs.get("name"): attrs.get("value") for tag, attrs in login.tags if tag == "input"}
    assert hidden["next"] == "/account?x=1"
    elsewhere = await desk.get("/login?next=//evil.example/")
    inputs = [attrs for tag, attrs in elsewhere.tags if tag == "input"]
    assert [attrs["value"] for attrs in inputs if attrs.get("name") == "next"][1:] == [""]


@pytest_twisted.ensureDeferred
async def test_somebody_sees_their_page(desk: Any) -> None:
    """In their own language, with a navigation of what they may open."""
    viewer = desk.person("viewer", language="en")
    page = await desk.get("/account", viewer)
    assert page.code == 200
    assert "My account" in page.text
    assert ("html", {"lang": "en", "dir": "ltr"}) in page.tags
    assert "/desk/users" not in page.links


made = Routes()


@made.route("POST", "/files", Permission.INBOX_SEE, most_body=200_000)
async def _take_file(visit: Visit) -> bytes:
    upload = visit.form.upload("file", required=True)
    if upload is None:
        raise Refusal(422)
    return visit.download(upload.name, "text/csv", upload.content + visit.form.raw("note").encode())


@made.route("GET", "/people/<int:number>", Permission.SUBSCRIBER_SEE)
async def _show_person(visit: Visit, number: int) -> bytes:
    visit.check(Permission.SUBSCRIBER_SEE, KERMAN)
    whole = await visit.sees_personal(Entry("subscriber.see", f"subscriber:{number}", KERMAN))
    renderer = visit._equipment.renderer._environment
    source = "{{ m|mobile(whole=w) }} {{ n|person(whole=w) }} {{ c|code(whole=w) }}"
    values = {
        "language": "fa",
        "w": whole,
        "m": "989131234567",
        "n": "مریم کرمانی",
        "c": "10000001",
    }
    return renderer.from_string(source).render(values).encode()


@pytest_twisted.async_yield_fixture
async def own(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[DeskWorld]:
    """A desk of the two pages above."""
    desk = DeskWorld(database, keys, now_ms, pages=[made])
    port = desk.open()
    yield desk
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_a_file_is_sent_and_comes_back(own: Any) -> None:
    """Under its own name, as far as its route takes; without the form's token it is not taken."""
    operator = own.person("operator")

    async def send(content: bytes, **fields: str) -> Any:
        files = {"file": ("قبض\r\nX-Evil: 1.csv", io.BytesIO(content))}
        return await own.ask("POST", "/files", operator, data=fields, files=files)

    page = await send(b"x" * 150_000, csrf=own.csrf(operator), note="یادداشت")
    assert page.code == 200
    assert page.body == b"x" * 150_000 + "یادداشت".encode()
    assert page.header("content-type") == "text/csv"
    assert page.header("content-disposition").startswith('attachment; filename="')
    assert page.header("x-evil") == ""
    assert (await send(b"x")).code == 403
    assert own.frame.most_body(b"/desk/files?x=/desk/other") == 200_000
    assert own.frame.most_body(b"/desk/other") < 100_000
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    page = await own.ask("POST", "/files", operator, data=b"--y\r\n", headers=broken)
    assert page.code in (400, 403)


@pytest_twisted.ensureDeferred
async def test_each_look_at_personal_data_is_written_down(own: Any) -> None:
    """Who may not see it sees it masked, and leaves no line."""
    operator, viewer = own.person("operator"), own.person("viewer")
    page = await own.get("/people/7", viewer)
    assert page.body.decode() == "۰۹۱۳***۴۵۶۷ م*** ک*** ۱۰***۰۱"
    assert own.audited() == []
    page = await own.get("/people/7", operator)
    assert page.body.decode() == "۰۹۱۳۱۲۳۴۵۶۷ مریم کرمانی ۱۰۰۰۰۰۰۱"
    [row] = own.audited()
    assert (row.who, row.action, row.object) == ("operator", "subscriber.see", "subscriber:7")
    assert (row.utility, row.address, row.at) == (KERMAN, "127.0.0.1", own.now_ms())
    elsewhere = own.person("operator", name="other", utility=LORESTAN)
    assert (await own.get("/people/7", elsewhere)).code == 404


@pytest_twisted.ensureDeferred
async def test_a_session_lasts_while_it_is_used(desk: Any) -> None:
    """An hour of doing nothing ends it."""
    boss = desk.person("administrator")
    for _ in range(3):
        desk.now_ms.advance(3000)
        assert (await desk.get("/account", boss)).code == 200
    desk.now_ms.advance(3600)
    assert (await desk.get("/account", boss)).code == 303


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_searched(desk: Any) -> None:
    """By who, form and Jalali days; a wrong day is said beside its field."""
    boss = desk.person("administrator", name="boss")
    role = {"name": "night", "title": "شیفت شب", "permissions": ["inbox.see"]}
    await desk.post("/roles/new", boss, role)
    await desk.post("/language", boss, {"language": "fa"})
    for asked, found in (
        ("", True),
        ("?who=boss&form=role&since=1405/06/30&until=1405/06/31", True),
        ("?who=nobody", False),
        ("?form=user", False),
        ("?until=1405/06/01", False),
    ):
        page = await desk.get(f"/audit{asked}", boss)
        assert page.code == 200
        assert ("ساختن نقش" in page.text) is found
    page = await desk.get("/audit?since=1405/13/01", boss)
    assert page.code == 422
    assert ("p", {"class": "error", "id": "since-error"}) in page.tags
