"""A request in a browser: from a counter office through the message box to the subscriber's SMS."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import Connection, select

from core.demo import number_of
from core.tables import outbox
from tests.browser.conftest import DEADLINE

UTILITY = "lorestan-water"
MOBILE = "989177770001"


def _texts_to(connection: Connection, mobile: str) -> list[str]:
    return list(
        connection.execute(select(outbox.c.text).where(outbox.c.mobile == mobile)).scalars()
    )


def test_an_office_and_the_utility_settle_a_request(  # noqa: PLR0915 - a story of three people
    page: Page, house: Any, staff: Any, shoot: Any, seen: Any
) -> None:
    """Registered, asked back, answered, decided; the subscriber is told by SMS."""
    house.peyk("template", "load", UTILITY)
    house.peyk("template", "enable", "bill_cancellation_state", "--utility", UTILITY)

    def office() -> None:
        staff(page, "counter", name="office7", utility=UTILITY, office="دفتر ۷ خرم‌آباد")

    office()
    page.goto("/desk/requests")
    page.get_by_role("link", name="ثبت درخواست تازه").click()
    seen("request-kinds")
    page.get_by_role("link", name="واگذاری انشعاب آب").click()
    seen("request-agreement")
    page.go_back()
    page.get_by_role("link", name="ابطال صورتحساب").click()
    page.get_by_role("button", name="ثبت درخواست").click()
    expect(page.locator("[role=alert]")).to_contain_text("۳ مورد")
    seen("request-form")
    page.get_by_label("شماره اشتراک").fill(number_of(1, UTILITY))
    page.get_by_label("شماره اشتراک").press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("نشانی")
    page.get_by_role("button", name="جست‌وجوی متقاضی").click()
    expect(page.locator("[role=status]")).to_contain_text("نشانی")
    seen("request-applicant")
    page.get_by_label("شناسه قبض").fill("۲۰۵۰۳۲۷۶۰۴۶۱۳")
    page.get_by_label("شماره همراهی").fill("0917 777 0001")
    page.get_by_label("شرح").fill("قبض این دوره دو بار صادر شده است.")
    page.get_by_label("شماره همراهی").press("Enter")
    expect(page.locator(".flash.good")).to_contain_text("شماره پیگیری")
    address = page.url
    paper = FilePayload(name="قبض.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4")
    page.get_by_label("فایل").set_input_files(paper)
    page.get_by_role("button", name="افزودن فایل").click()
    expect(page.get_by_role("link", name="قبض.pdf")).to_be_visible()
    page.get_by_role("link", name="رسید درخواست").click()
    expect(page.locator(".tracking")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("nav").first).to_be_hidden()
    shoot(page, "request-receipt-printed")
    page.emulate_media(media="screen")
    seen("request-receipt")

    staff(page, "operator", name="expert", utility=UTILITY)
    page.goto(address)
    page.get_by_label("پیام به دفتر پیشخوان").fill("تصویر هر دو قبض را بفرستید.")
    page.get_by_role("button", name="ارسال", exact=True).click()
    expect(page.locator(".talk")).to_contain_text("هنوز خوانده نشده")

    office()
    page.goto("/desk/requests")
    seen("requests")
    page.locator("nav a", has_text="صندوق پیام").click()
    expect(page.locator("nav a[aria-current=page]")).to_contain_text("۱")
    seen("box")
    page.locator("tbody a").first.click()
    page.get_by_label("پیام به شرکت").fill("با پیک فرستاده شد.")
    page.get_by_role("button", name="ارسال", exact=True).click()
    expect(page.locator(".talk")).to_contain_text("با پیک فرستاده شد")
    expect(page.locator("nav .badge")).to_have_count(0)

    staff(page, "operator", name="expert", utility=UTILITY)
    page.goto(address)
    expect(page.locator(".talk")).to_contain_text("با پیک فرستاده شد")
    page.get_by_label("وضعیت تازه").select_option("done")
    page.locator("#note").fill("قبض دوم باطل شد.")
    seen("request")
    page.get_by_role("button", name="ثبت وضعیت").click()
    expect(page.locator("h1")).to_contain_text("انجام شده")
    deadline = time.monotonic() + DEADLINE
    while not any("قبض دوم باطل شد" in text for text in _told(house)):
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def _told(house: Any) -> list[str]:
    found: list[str] = house.database.read("told", _texts_to, MOBILE)
    return found
