"""A template written with its preview, a campaign of it watched to its end, failures sent again."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from gateway.smpp.constants import RINVDSTADR

REFUSED = 3
BODY = "قبض اشتراک {{ number|fa }}: {{ payable|rial }} ریال"


def test_a_campaign_from_its_template_to_its_failures(
    page: Page, house: Any, staff: Any, accessible: Any, shoot: Any
) -> None:
    """The operator refuses some for good; pressing the button twice delivers them."""
    staff(page, "administrator", name="campaigner")
    page.goto("/desk/templates/new?utility=lorestan-water")
    page.get_by_label("نام الگو").fill("browser-campaign")
    page.get_by_label("از چه ساخته می‌شود").select_option("report")
    page.locator("#report").select_option("bills_issued")
    page.locator("#parameters").fill("days = 400")
    page.locator("#body").fill("قبض {{ nobody }}")
    expect(page.locator("#preview")).to_contain_text("سطر ۱، ستون ۸")
    page.locator("#body").fill(BODY)
    expect(page.locator("#preview blockquote").first).to_contain_text("قبض اشتراک")
    accessible(page)
    shoot(page, "template-form")
    page.locator("#produce").fill("شنبه ۰۹:۳۰")
    page.get_by_role("button", name="پیش‌نمایش").click()
    expect(page.locator("#preview")).to_contain_text("نوبت‌های بعدی")
    marked = page.locator(".month button.main")
    expect(marked.first).to_be_visible()
    marked.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#produce")).to_have_value(re.compile("once 14"))
    page.locator("#produce").fill("")
    page.get_by_role("button", name="ذخیره").click()
    expect(page.locator(".flash.good")).to_contain_text("ذخیره شد")
    page.get_by_role("button", name="فعال کردن").click()
    expect(page.locator(".flash.good")).to_contain_text("فعال شد")
    accessible(page)
    shoot(page, "template")

    house.peyk("smsc", "--fault", f"refuse_status={RINVDSTADR}", "--fault", f"refuse={REFUSED}")
    page.get_by_role("link", name="ارسال انبوه تازه").click()
    page.get_by_role("button", name="برآورد").click()
    expect(page.locator("#comes")).to_contain_text("ردیف")
    accessible(page)
    shoot(page, "campaign-start")
    page.get_by_role("button", name="آغاز ارسال").click()
    # Its script shows how far it is, and opens the page anew when it is over.
    expect(page.locator("#progress .badge")).to_have_text("پایان یافته", timeout=60_000)
    failures = page.locator("#failures")
    expect(failures).to_be_visible()
    accessible(page)
    shoot(page, "campaign-done")
    page.get_by_role("button", name="شمردن ناموفق‌ها").click()
    expect(failures).to_contain_text("۳ پیام")
    page.get_by_role("button", name="ارسال دوباره").click()
    expect(page.locator(".flash.good")).to_contain_text("۳ پیام دوباره در صف")
    expect(page.locator("#progress")).not_to_contain_text("ناموفق")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "campaign-phone")
