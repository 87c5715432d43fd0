"""Access, other systems, opt-outs, outages and reports in a browser: each page's main act."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from core.jalali import TEHRAN, jalali
from core.text import persian_digits

UTILITY = "lorestan-water"
PASSWORD = "سه واژه و ۷ رقم"


def test_who_is_let_in_and_to_what(page: Page, house: Any, staff: Any, seen: Any) -> None:
    """A role, a user who has it, what that user then sees; and all of it in the audit log."""
    staff(page, "administrator", name="chief")
    page.goto("/desk/roles")
    page.locator("a[href$='/roles/new']").click()
    page.fill("#name", "listener")
    page.fill("#title", "شنونده")
    page.check("input[value='inbox.see']")
    seen("role")
    page.get_by_role("button", name="ذخیره").click()
    expect(page.locator("main")).to_contain_text("شنونده")
    page.goto("/desk/users")
    page.locator("a[href$='/users/new']").click()
    page.fill("#name", "new.comer")
    page.fill("#title", "تازه‌وارد")
    page.fill("#new", PASSWORD)
    page.fill("#again", PASSWORD)
    page.get_by_label("شنونده: آب و فاضلاب استان لرستان").check()
    seen("user")
    page.get_by_role("button", name="ذخیره").click()
    expect(page.locator(".flash.good")).to_be_visible()
    page.goto("/desk/audit?who=chief")
    expect(page.locator("main")).to_contain_text("new.comer")
    seen("audit")

    page.context.clear_cookies()
    page.goto("/desk/")
    page.fill("#name", "new.comer")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("header .who")).to_contain_text("تازه‌وارد")
    hrefs = page.eval_on_selector_all("nav a", "each => each.map(a => a.getAttribute('href'))")
    assert hrefs == ["/desk/inbox"]


def test_other_systems_are_let_in_and_told(page: Page, house: Any, staff: Any, seen: Any) -> None:
    """A token is shown once and is good at once; a webhook leads anywhere but here."""
    staff(page, "administrator", name="chief")
    page.goto("/desk/tokens")
    page.locator("a[href$='/tokens/new']").click()
    page.fill("#name", "crm")
    page.check("input[value='outbox.see']")
    seen("token")
    page.get_by_role("button", name="ساختن کلید").click()
    headers = {"Authorization": f"Bearer {page.locator('#token').inner_text()}"}
    answer = page.context.request.get("/api/v1/messages", headers=headers)
    assert answer.status == 200
    page.goto("/desk/webhooks")
    page.locator("a[href$='/webhooks/new']").click()
    page.fill("#name", "crm")
    page.fill("#url", "https://127.0.0.1/peyk")
    page.check("input[value='inbound']")
    page.locator("form.card button.main").click()
    expect(page.locator("#url-error")).to_be_visible()
    seen("webhook")
    page.fill("#url", "https://crm.example.invalid/peyk")
    page.locator("form.card button.main").click()
    expect(page.locator("code").first).to_be_visible()
    page.goto("/desk/webhooks/crm")
    seen("webhook-made")
    house.peyk("webhook", "remove", "crm")


def test_opt_outs_outages_and_reports(page: Page, house: Any, staff: Any, seen: Any) -> None:
    """Somebody wants no messages, the water is off for a day, and both are seen in lists."""
    staff(page, "administrator", name="chief")
    page.goto("/desk/optouts")
    page.fill("#new_mobile", "۰۹۱۶۱۱۱۲۲۳۳")
    page.select_option("#new_utility", UTILITY)
    page.fill("#note", "تلفنی گفت")
    page.keyboard.press("Enter")
    expect(page.locator("table")).to_contain_text("تلفنی گفت")
    seen("optouts")
    page.goto("/desk/outages")
    page.select_option("#new_utility", UTILITY)
    page.check("#everywhere")
    tomorrow = jalali(datetime.now(TEHRAN).date() + timedelta(days=1))
    page.fill("#begins_day", tomorrow)
    page.fill("#begins_time", "۹:۳۰")
    page.fill("#reason", "تعمیر شبکه")
    page.keyboard.press("Enter")
    expect(page.locator("table")).to_contain_text("تعمیر شبکه")
    expect(page.locator("table")).to_contain_text(persian_digits(tomorrow))
    seen("outages")
    page.get_by_role("button", name="لغو").first.click()
    expect(page.locator(".flash.good")).to_be_visible()
    page.goto("/desk/reports")
    page.locator("main a").first.click()
    page.get_by_role("button", name="نمایش").click()
    seen("report")
    with page.expect_download() as begun:
        page.get_by_role("button", name="XLSX").click()
    assert begun.value.path().read_bytes().startswith(b"PK")
