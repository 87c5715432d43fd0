"""What holds for every page of the navigation: accessible, right to left, readable on a phone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

PHONE_WIDTH = 390
WIDEST = """Math.max(...[
    document.documentElement, ...document.querySelectorAll(".wide:has(.stack)")
].map(each => each.scrollWidth))"""
"""The page, and every table that is a list on a phone."""


def test_every_page_is_accessible_and_fits_a_phone(
    page: Page, house: Any, staff: Any, accessible: Any
) -> None:
    """Each that the navigation leads to, as administrator, and the account."""
    # A word that is longer than the screen is wide.
    house.peyk("optout", "add", "09131110000", "--utility", "kerman-water", "--note", "x" * 180)
    staff(page, "administrator", name="looker")
    page.goto("/desk/account")
    hrefs = page.eval_on_selector_all("nav a", "each => each.map(a => a.getAttribute('href'))")
    assert "/desk/users" in hrefs
    wide = []
    for href in ("/desk/account", *hrefs):
        page.goto(href)
        assert page.evaluate("document.dir") == "rtl"
        assert page.locator("h1").count() == 1, href
        accessible(page)
        page.set_viewport_size({"width": PHONE_WIDTH, "height": 800})
        if page.evaluate(WIDEST) > PHONE_WIDTH:
            wide.append(href)
        page.set_viewport_size({"width": 1280, "height": 900})
    assert wide == []
