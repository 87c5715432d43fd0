"""Logging in with the keyboard alone, right to left."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import Connection

from core.access.passwords import hash_password
from core.access.roles import ids_of
from core.access.users import NewUser, add_user

PASSWORD = "چهار واژه کنار هم ۱۴۰۵"


def _add(connection: Connection, hashed: str) -> None:
    roles = ids_of(connection, ["administrator"])
    new = NewUser("keyboard", "مریم صفحه‌کلید", hashed)
    add_user(connection, new, [(each, "") for each in roles.values()], 1)


def test_log_in_with_the_keyboard_alone(page: Page, house: Any, shoot: Any) -> None:
    """The first key goes into the name; Enter sends; the skip link is the first stop after."""
    house.database.transact("add", _add, hash_password(PASSWORD))
    page.goto("/")
    expect(page).to_have_url(f"{house.url}/desk/login")
    assert page.evaluate("document.dir") == "rtl"
    shoot(page, "login")
    page.keyboard.type("keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD.replace("۱۴۰۵", "1404"))
    page.keyboard.press("Enter")
    expect(page.locator("#name-error")).to_be_visible()
    shoot(page, "login-wrong")
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("header .who")).to_contain_text("مریم صفحه‌کلید")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class("skip")
    shoot(page, "first")
    page.set_viewport_size({"width": 390, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    shoot(page, "first-phone")
