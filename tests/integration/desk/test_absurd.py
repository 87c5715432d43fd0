"""What nobody means and somebody sends: beyond every bound, to every address of the desk."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import pytest
import pytest_twisted

from core.database import Database
from gateway.web.desk.registry import PAGES
from gateway.web.desk.routes import Route
from tests.desks import DeskWorld, Page

ROUTES: Final = sorted((each for page in PAGES for each in page), key=lambda each: each.method)
BEYOND: Final = 2**63
FURTHEST: Final = ("9223372036854775807", "2199-12-31")
"""An id and a day that may be asked for, and that nothing has."""
NONSENSE: Final = "\x00<b>'\u202e\ud800{{7*7}}%"
ELSEWHERE: Final = {
    "/logout", "/login", "/login/code", "/account/sessions/end", "/account/password",
    "/account/totp/off",
}  # fmt: skip
"""What logs somebody out, nobody who is in is asked, or needs a password that people here lack."""


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Of SQLite, which takes no number that is greater than an id may be."""
    return sqlite_database


def address(route: Route, row_id: int) -> str:
    """Where a route is, for a row."""
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", route.path)
    return re.sub(r"<[^>]*>", "x", re.sub(r"<int:\w+>", str(row_id), path))


def fields(page: Page, *tags: str) -> list[str]:
    """What can be written into, or chosen, on a page."""
    found = (attrs.get("name") or "" for tag, attrs in page.tags if tag in tags)
    return [name for name in dict.fromkeys(found) if name not in ("", "csrf", "viewport")]


@pytest_twisted.ensureDeferred
async def test_no_address_fails_whatever_is_asked(desk: DeskWorld) -> None:
    """Every page and every form: beyond the last id, each field at its furthest, all nonsense."""
    desk.frame._limiter._most = 1_000_000
    boss = desk.person("administrator")
    asked: dict[str, list[str]] = {}
    failed = []

    async def ask(route: Route, row_id: int, data: dict[str, str]) -> Page:
        sent, path = urlencode(data, errors="surrogatepass"), address(route, row_id)
        if route.method == "GET":
            page = await desk.get(f"{path}?{sent}", boss)
        else:
            body = f"csrf={desk.csrf(boss)}&{sent}".encode()
            kind = {"content-type": "application/x-www-form-urlencoded"}
            page = await desk.ask("POST", path, boss, data=body, headers=kind)
        if page.code == 500 or b"<b>" in page.body:
            failed.append((route.method, path, data, page.code))
        return page

    for route in (each for each in ROUTES if each.path not in ELSEWHERE):
        if "<int:" in route.path:
            assert (await ask(route, BEYOND, {})).code in (404, 405), route
        if route.method == "GET":
            page = await ask(route, 1, {})
            asked[route.path] = fields(page, "input", "textarea", "select", "button")
            if page.code == 200:
                for name in (*fields(page, "input"), "before", "page"):
                    for said in FURTHEST:
                        await ask(route, 1, {name: said})
        names = asked.get(route.path) or asked.get(route.path.rpartition("/")[0], [])
        await ask(route, 1, dict.fromkeys(names, NONSENSE))
    assert failed == []
