"""The dashboard while a text comes in; a bind is paused and goes on."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DEADLINE

DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def _last_column(rows: Locator) -> int:
    """The sum of what stands last in each row, in whatever digits."""
    return sum(int(re.findall(r"\d+", row)[-1]) for row in rows.all_inner_texts())


def test_the_dashboard_and_pausing_a_bind(page: Page, house: Any, staff: Any, shoot: Any) -> None:
    """After a question; the services say by whom and why, and that it goes on afterwards."""
    staff(page, "administrator", name="watcher")
    page.goto("/desk/dashboard")
    shoot(page, "dashboard")
    page.set_viewport_size({"width": 390, "height": 800})
    shoot(page, "dashboard-phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/desk/services")
    shoot(page, "services")
    page.get_by_role("link", name="توقف اتصال operator").click()
    page.get_by_label("چرا؟").fill("کار روی خط")
    shoot(page, "service-pause")
    page.get_by_role("button", name="توقف").click()
    row = page.get_by_role("row", name="اتصال operator")
    expect(row).to_contain_text("متوقف‌کننده: watcher: کار روی خط")
    shoot(page, "services-paused")
    page.goto("/desk/dashboard")
    shoot(page, "dashboard-paused")
    page.goto("/desk/services")
    page.get_by_role("link", name="ادامه اتصال operator").click()
    page.get_by_role("button", name="ادامه").click()
    deadline = time.monotonic() + DEADLINE
    while "در حال کار" not in row.inner_text():
        assert time.monotonic() < deadline
        page.reload()
    page.goto("/desk/alerts")
    shoot(page, "alerts")


def test_a_text_is_counted_while_one_looks(page: Page, house: Any, staff: Any, shoot: Any) -> None:
    """Without a touch: what a subscriber sends is on the dashboard within seconds."""
    staff(page, "viewer", name="looker-on")
    page.goto("/desk/dashboard")
    expect(page.get_by_text("زنده: خودبه‌خود تازه می‌شود.")).to_be_visible()
    figure = page.locator("#figure-in_hour")
    before = int(figure.inner_text())
    page.get_by_text("همین نمودار به صورت جدول").first.click()
    minutes = page.locator("details[open] tbody tr")
    counted = _last_column(minutes)
    house.peyk("sms", "--from", "09131234567", "--to", "100034122", "--wait", "60", "راهنما")
    expect(figure).to_have_text(str(before + 1).translate(DIGITS), timeout=60_000)
    # Others may have texted some minutes ago.
    for _ in range(600):
        if _last_column(minutes) > counted:
            break
        page.wait_for_timeout(100)
    assert _last_column(minutes) > counted
    shoot(page, "dashboard-live")
