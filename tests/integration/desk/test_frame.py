"""What the frame does for every page: who is let in, forms, languages, errors, headers."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from core.database import Database


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
