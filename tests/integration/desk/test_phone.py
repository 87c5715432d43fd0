"""The phone on the page and the codes: real rules, real menus, and nothing is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest_twisted
from sqlalchemy import func, select

from core.database import Database
from core.demo import code_of, fill, number_of
from core.secrecy import Keys
from core.tables import metadata
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN, DeskWorld
from tests.walks import CODE, talker_of

LINE = "100066133"
OWNER, STRANGER = "989131111111", "989131234567"
KEPT = {"audit", "login_failures", "users", "roles", "user_roles", "web_sessions"}


@pytest_twisted.async_yield_fixture
async def desk(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[DeskWorld]:
    """The desk with Lorestan's menu, and its subscribers."""
    fill(database, keys, subscribers=10, today=date(2026, 9, 21), utility=LORESTAN)
    made = DeskWorld(database, keys, now_ms, talkers={CODE: talker_of(LORESTAN)})
    port = made.open()
    yield made
    await port.stopListening()


def counts(desk: DeskWorld) -> dict[str, int]:
    """The rows of every table that a message can change."""
    tables = [table for table in metadata.sorted_tables if table.name not in KEPT]

    def count(connection: Any) -> dict[str, int]:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }

    return desk.database.read("count", count)


def session_of(page: Any) -> str:
    """What the page carries of a session."""
    return str(next(a["value"] for _, a in page.tags if a.get("name") == "session"))


@pytest_twisted.ensureDeferred
async def test_a_code_is_tried_and_nothing_is_kept(desk: Any) -> None:
    """What was understood, called, answered, and what it would change; whose data is written."""
    boss, before = desk.person("operator", name="boss"), counts(desk)
    number = number_of(1, LORESTAN)
    code = code_of(int(number), LORESTAN)
    page = await desk.get(f"/phone?line={LINE}&text=010", boss)
    assert page.code == 200
    form = {"mobile": "09131234567", "line": LINE, "text": f"بدهی {number} {code}"}
    page = await desk.post("/phone/text", boss, form)
    assert "مانده بدهی: انجام شد" in page.text
    assert number in page.text
    assert page.code == 200
    assert counts(desk) == before
    assert desk.queued == 0
    (row,) = desk.audited()
    assert (row.action, row.object, row.details["mobile"]) == (
        "ussd.try", f"line:{LINE}", "98913***4567"
    )  # fmt: skip
    wrong = await desk.post("/phone/text", boss, {**form, "mobile": "12", "text": ""})
    assert wrong.code == 422
    helper = desk.person(name="helper", permissions={"ussd.try"})
    page = await desk.post("/phone/text", helper, form)
    assert number not in page.text.replace(form["text"], "")


@pytest_twisted.ensureDeferred
async def test_a_menu_is_walked_page_for_page(desk: Any) -> None:
    """Each answer goes on from where the session was, with a secret code in it that is hidden."""
    boss, before = desk.person("operator", name="boss"), counts(desk)
    number = number_of(1, LORESTAN)
    form = {"mobile": "09131234567", "code": "*1522#", "text": ""}
    page = await desk.post("/phone/text", boss, form)  # Enter in the field for codes
    assert "آبفای لرستان" in page.text
    for answer in ("2", "1", number):
        page = await desk.post("/phone/type", boss, {"session": session_of(page), "answer": answer})
        assert page.code == 200
    code = code_of(int(number), LORESTAN)
    page = await desk.post("/phone/type", boss, {"session": session_of(page), "answer": code})
    assert "مانده بدهی: انجام شد" in page.text
    assert code not in page.text
    assert counts(desk) == before
    other = desk.person("operator", name="other")
    stolen = {"session": session_of(page), "answer": "1"}
    assert (await desk.post("/phone/type", other, stolen)).code == 400
    for said in ("*99#", "hello"):
        page = await desk.post("/phone/dial", boss, {**form, "code": said})
        assert page.code == 422
    kerman = desk.person("operator", name="kerman", utility=KERMAN)
    assert (await desk.post("/phone/dial", kerman, form)).code == 422


@pytest_twisted.ensureDeferred
async def test_secret_codes_are_not_guessed_on_the_phone(desk: Any) -> None:
    """Nothing is kept of a try but how often its code was wrong; the subscriber is not locked."""
    boss, before = desk.person("operator", name="boss"), counts(desk)
    number = number_of(1, LORESTAN)
    form = {"mobile": STRANGER, "line": LINE}
    for guess in ("0000", "0001", "0002"):
        page = await desk.post("/phone/text", boss, {**form, "text": f"debt {number} {guess}"})
        assert "رمزهای نادرست: ۱ مورد" in page.text
    page = await desk.post("/phone/dial", boss, {**form, "code": "*1522*2*1#"})
    for answer in (number, "0003", number, "0004"):
        said = {"session": session_of(page), "answer": answer}
        page = await desk.post("/phone/type", boss, said)
        assert page.code == 200
    right = code_of(int(number), LORESTAN)
    page = await desk.post("/phone/text", boss, {**form, "text": f"debt {number} {right}"})
    assert page.code == 422
    assert "رمز نادرست بیش از اندازه" in page.text
    assert before["code_failures"] == counts(desk)["code_failures"]


@pytest_twisted.ensureDeferred
async def test_codes_and_menus_are_listed_to_be_tried(desk: Any) -> None:
    """Each with a way to the phone; only of the utilities that one has to do with."""
    boss = desk.person("operator", name="boss")
    page = await desk.get("/codes", boss)
    assert f"/desk/phone?line={LINE}&text=" in page.body.decode().replace("&amp;", "&")
    assert "اقساط آب و فاضلاب" in page.text
    assert "/desk/phone?code=%2A1522%2A2%2A1%23#code" in page.links
    page = await desk.get("/codes", desk.person("viewer", name="kerman", utility=KERMAN))
    assert "اقساط آب و فاضلاب" not in page.text
    assert not [each for each in page.links if each.startswith("/desk/phone?")]
