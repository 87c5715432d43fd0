"""Logging in over HTTP: sessions that are new, attempts that are counted, the second factor."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest
import pytest_twisted
from sqlalchemy import update

from core.access import logins
from core.access.passwords import hash_password
from core.access.second_factor import set_totp
from core.database import Database
from core.tables.access import users, web_sessions
from tests.desks import Page

PASSWORD = "چهار واژه کنار هم"
_hashed = hash_password(PASSWORD)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: what differs is tested where it is."""
    return sqlite_database


def cookies_of(page: Page) -> dict[str, str]:
    """What the browser is told to carry."""
    lines = page.headers.getRawHeaders("set-cookie") or []
    return dict(line.partition(";")[0].split("=", 1) for line in lines)


async def begin(desk: Any) -> tuple[dict[str, str], str]:
    """Open the login page: its cookies, and the token of its form."""
    page = await desk.get("/login")
    found = re.search(rb'name="csrf" value="(\w+)"', page.body)
    assert found
    return cookies_of(page), found[1].decode()


async def log_in(desk: Any, name: str, password: str = PASSWORD, **more: Any) -> Page:
    """Fill in the form and send it."""
    cookies, csrf = await begin(desk)
    cookies |= more.pop("cookies", {})
    data = {"csrf": csrf, "name": name, "password": password, **more}
    page: Page = await desk.ask("POST", "/login", None, data=data, cookies=cookies)
    return page


@pytest.fixture
def named(desk: Any) -> str:
    """Somebody with a password and no session."""
    desk.person("viewer", name="maryam")

    def set_up(connection: Any) -> None:
        connection.execute(update(users).values(password_hash=_hashed))
        connection.execute(web_sessions.delete())

    desk.database.transact("password", set_up)
    return "maryam"


@pytest_twisted.ensureDeferred
async def test_a_session_begins_with_the_login(desk: Any, named: str) -> None:
    """A cookie that was there before is worth nothing, before and after."""
    planted = {"peyk_session": "planted"}
    page = await log_in(desk, " MARYAM ", cookies=planted, next="/account?x=1")
    assert (page.code, page.location) == (303, "/desk/account?x=1")
    token = cookies_of(page)["peyk_session"]
    assert token != "planted"
    assert (await desk.get("/account", cookies={"peyk_session": token})).code == 200
    assert (await desk.get("/account", cookies=planted)).code == 303
    again = await log_in(desk, named)
    assert cookies_of(again)["peyk_session"] != token
    csrf = desk.means.keys.sign("csrf", token)
    carried = {"peyk_session": token}
    await desk.ask("POST", "/logout", None, data={"csrf": csrf}, cookies=carried)
    assert (await desk.get("/account", cookies=carried)).code == 303
    assert [row.action for row in desk.audited()] == ["login", "login", "logout"]


@pytest_twisted.ensureDeferred
async def test_who_guesses_waits(desk: Any, named: str) -> None:
    """A true name and a false one are told the same; the right password waits too."""
    wrong = [await log_in(desk, name, "not the one") for name in (named, "nobody")]
    assert [page.code for page in wrong] == [422, 422]
    assert len({re.sub(rb'value="[^"]*"', b"", page.body) for page in wrong}) == 1
    for _ in range(logins.MOST_OF_NAME - 1):
        await log_in(desk, named, "not the one")
    page = await log_in(desk, named)
    assert page.code == 429
    assert "۱۵ دقیقه" in page.text
    desk.now_ms.advance(15 * 60)
    assert (await log_in(desk, named)).code == 303
    failed = [row for row in desk.audited() if row.action == "login.failed"]
    assert [row.who for row in failed] == [named, "nobody", *[named] * 4]
    assert all(row.address == "127.0.0.1" for row in failed)


@pytest_twisted.ensureDeferred
async def test_the_second_factor_is_asked_for(desk: Any, named: str) -> None:
    """A password alone opens nothing; a code that was seen works no more."""
    secret = pyotp.random_base32()
    (row,) = desk.rows(users)
    desk.database.transact("totp", set_totp, desk.means.keys, row.id, secret, 0)
    page = await log_in(desk, named, next="/account")
    assert page.location == "/desk/login/code?next=/account"
    half = cookies_of(page)
    for path in ("/account", "/users", "/"):
        assert (await desk.get(path, cookies=half)).location.startswith("/desk/login")
    csrf = desk.means.keys.sign("csrf", half["peyk_session"])
    code = pyotp.TOTP(secret).at(desk.now_ms() // 1000)
    wrong = {"csrf": csrf, "code": "000000" if code != "000000" else "1"}
    assert (await desk.ask("POST", "/login/code", None, data=wrong, cookies=half)).code == 422
    right = {"csrf": csrf, "code": code, "next": "/account"}
    done = await desk.ask("POST", "/login/code", None, data=right, cookies=half)
    assert (done.code, done.location) == (303, "/desk/account")
    whole = cookies_of(done)
    assert whole["peyk_session"] != half["peyk_session"]
    assert (await desk.get("/account", cookies=whole)).code == 200
    assert (await desk.get("/account", cookies=half)).code == 303
    second = cookies_of(await log_in(desk, named))
    right["csrf"] = desk.means.keys.sign("csrf", second["peyk_session"])
    again = await desk.ask("POST", "/login/code", None, data=right, cookies=second)
    assert again.code == 422


@pytest_twisted.ensureDeferred
async def test_turning_the_second_factor_on(desk: Any, named: str) -> None:
    """With the first code of the picture and the password; then it is asked for."""
    token = cookies_of(await log_in(desk, named))["peyk_session"]
    carried = {"peyk_session": token}
    page = await desk.get("/account/totp", cookies=carried)
    assert b"<svg" in page.body
    fields = {a["name"]: a.get("value") for tag, a in page.tags if tag == "input" and "name" in a}
    secret = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert secret
    code = pyotp.TOTP(secret[0].replace(" ", "")).at(desk.now_ms() // 1000)
    data = {"csrf": fields["csrf"], "sealed": fields["sealed"], "code": code, "password": PASSWORD}
    for spoilt in ({"password": "x"}, {"code": "1"}):
        refused = await desk.ask(
            "POST", "/account/totp", None, data={**data, **spoilt}, cookies=carried
        )
        assert refused.code == 422
    done = await desk.ask("POST", "/account/totp", None, data=data, cookies=carried)
    assert done.code == 303
    assert "/login/code" in (await log_in(desk, named)).location


@pytest_twisted.ensureDeferred
async def test_changing_the_password(desk: Any, named: str) -> None:
    """The old one is asked for; the new one works, and the other browser is out."""
    tokens = [cookies_of(await log_in(desk, named))["peyk_session"] for _ in range(2)]
    csrf = desk.means.keys.sign("csrf", tokens[0])
    new = "پنج واژهٔ دیگر کنار هم"
    data = {"csrf": csrf, "old": PASSWORD, "new": new, "again": new}
    carried = {"peyk_session": tokens[0]}
    for spoilt, field in (
        ({"old": "x"}, "old-error"),
        ({"again": "x"}, "again-error"),
        ({"new": "kootah", "again": "kootah"}, "new-error"),
    ):
        page = await desk.ask(
            "POST", "/account/password", None, data={**data, **spoilt}, cookies=carried
        )
        assert page.code == 422
        assert ("p", {"class": "error", "id": field}) in page.tags
    page = await desk.ask("POST", "/account/password", None, data=data, cookies=carried)
    assert page.code == 303
    alive = [(await desk.get("/account", cookies={"peyk_session": t})).code for t in tokens]
    assert alive == [200, 303]
    assert (await log_in(desk, named)).code == 422
    assert (await log_in(desk, named, new)).code == 303


@pytest_twisted.ensureDeferred
async def test_the_language_is_kept(desk: Any) -> None:
    """For the browser before the login, for the user after."""
    cookies, csrf = await begin(desk)
    data = {"csrf": csrf, "language": "en", "next": "/login"}
    page = await desk.ask("POST", "/language", None, data=data, cookies=cookies)
    assert page.location == "/desk/login"
    assert "Log in" in (await desk.get("/login", cookies=cookies_of(page))).text
    viewer = desk.person("viewer")
    await desk.post("/language", viewer, {"language": "en"})
    assert "My account" in (await desk.get("/account", viewer)).text
