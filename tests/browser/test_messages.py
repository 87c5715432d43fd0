"""Messages on the desk, in a browser: answered by hand, sent again, tried on the phone."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import Connection, insert

from core.demo import code_of, number_of
from core.ids import ids_for_command
from core.tables import outbox
from gateway.smpp.smsc_control import Screen, Text, dial, send_text
from tests.browser.conftest import DEADLINE

LINE = "100066133"
UTILITY = "lorestan-water"


def _now() -> int:
    return time.time_ns() // 1_000_000


def test_a_message_is_answered_by_hand_and_arrives(
    page: Page, house: Any, staff: Any, shoot: Any, accessible: Any
) -> None:
    """From the list to the handset, with what it comes to counted first."""
    socket = str(house.config.parent / "data" / "smsc.sock")
    mobile, words = "989166660001", "کارشناس ما امروز با شما تماس می‌گیرد."
    evil = "آب قطع است <script>document.title='x'</script> \u202eabc"
    assert list(send_text(socket, mobile, LINE, evil, 60))
    staff(page, "operator")
    page.goto("/desk/inbox?operation=misread&mobile=09166660001")
    shoot(page, "inbox")
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_contain_text("۰۹۱۶۶۶۶۰۰۰۱")
    assert page.title() != "x"
    accessible(page)
    page.fill("#text", words)
    page.get_by_role("button", name="شمارش").click()
    expect(page.locator("[role=status]")).to_contain_text("۱ بخش")
    shoot(page, "inbox-message")
    page.get_by_label("پس از ارسال").check()
    call = dial(socket, mobile, "*1522#", 60)
    first = next(call)
    assert isinstance(first, Screen)
    page.get_by_role("button", name="ارسال از").click()
    expect(page.locator(".flash")).to_contain_text("در صف ارسال")
    told = call.send("2")
    while not (isinstance(told, Text) and words in told.text):
        told = next(call)
    call.close()
    expect(page.locator(".talk")).to_contain_text(words)
    page.get_by_role("link", name="انجام دوباره").click()
    page.fill("#text", "راهنما")
    page.get_by_role("button", name="نمایش اثر").click()
    expect(page.locator("main h2")).to_have_text("اگر انجام شود")
    accessible(page)
    shoot(page, "inbox-redo")
    page.get_by_role("link", name="انصراف").click()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "inbox-message-phone")


def _failed(connection: Connection, mobile: str, text: str) -> int:
    now = _now()
    row_id = ids_for_command(_now).one()
    connection.execute(
        insert(outbox).values(
            id=row_id, message_id=row_id, part=1, parts=1, mobile=mobile, line=LINE, text=text,
            priority=1, state="rejected", attempts=1, max_attempts=1, resend_uncertain=True,
            created_at=now, due_at=now, changed_at=now,
        )
    )  # fmt: skip
    return row_id


def test_a_failed_message_is_sent_again(
    page: Page, house: Any, staff: Any, shoot: Any, accessible: Any
) -> None:
    """Found among the failed, counted, queued again, delivered."""
    row_id = house.database.transact("failed", _failed, "989166660002", "قبض شما صادر شد.")
    staff(page, "operator")
    page.goto("/desk/outbox?state=failed&mobile=09166660002")
    page.locator(f"a[href$='{row_id}']").click()
    accessible(page)
    shoot(page, "outbox-message")
    page.goto("/desk/outbox/resend?state=failed&mobile=09166660002")
    expect(page.locator("[role=status]")).to_contain_text("۱ پیام")
    accessible(page)
    page.get_by_role("button", name="پیام را دوباره بفرست").click()
    expect(page.locator(".flash")).to_contain_text("دوباره در صف ارسال")
    page.goto(f"/desk/outbox/{row_id}")
    deadline = time.monotonic() + DEADLINE
    while page.locator(".badge.good").count() == 0:
        assert time.monotonic() < deadline
        page.reload()
    expect(page.locator("dl")).to_contain_text("رسیده")


def test_a_code_and_a_menu_are_tried_on_the_phone(
    page: Page, staff: Any, shoot: Any, accessible: Any
) -> None:
    """From the list of codes to what would be answered, and through a menu."""
    number = number_of(1, UTILITY)
    staff(page, "operator")
    page.goto("/desk/codes")
    shoot(page, "codes")
    page.locator(f"a[href*='line={LINE}']").first.click()
    page.fill("#mobile", "09131234567")
    page.fill("#text", f"بدهی {number} {code_of(int(number), UTILITY)}")
    page.locator("#text-form").get_by_role("button", name="ارسال").click()
    expect(page.locator("dl")).to_contain_text("مانده بدهی")
    accessible(page)
    shoot(page, "phone-text")
    page.fill("#code", "*1522#")
    page.get_by_role("button", name="شماره‌گیری کن").click()
    expect(page.locator(".screen.now")).to_contain_text("آبفای لرستان")
    for key in ("2", "1"):
        page.keyboard.type(key)  # the field for the answer has the cursor
        page.keyboard.press("Enter")
        expect(page.locator(".typed").last).to_contain_text("۲" if key == "2" else "۱")
    accessible(page)
    shoot(page, "phone-menu")
