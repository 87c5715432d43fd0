"""The counter desk, in a browser: a reading is decided on, a bill handed out again, a word sent."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import Connection, func, insert, select

from core.demo import number_of
from core.ids import ids_for_command
from core.tables import contacts, outbox, readings, subscribers

UTILITY = "lorestan-water"
PLACE = 40
"""A subscriber of the sample data that no other test has to do with."""
MOBILE = "989166660040"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _register(connection: Connection, number: str) -> int:
    """Let the mobile act for a subscription; the subscription's id."""
    mine = (subscribers.c.utility == UTILITY) & (subscribers.c.number == number)
    key: int = connection.execute(select(subscribers.c.id).where(mine)).scalar_one()
    contact = {"utility": UTILITY, "mobile": MOBILE, "subscriber_id": key, "source": "import"}
    connection.execute(insert(contacts).values(**contact, created_at=_now()))
    return key


def _prepare(connection: Connection) -> tuple[int, int]:
    """A doubtful reading of a subscription; its id and the subscription's."""
    key = _register(connection, str(number_of(PLACE, UTILITY)))
    last = select(func.max(readings.c.reading)).where(readings.c.subscriber_id == key)
    figure = connection.execute(last).scalar_one() + 900
    reading_id = ids_for_command(_now).one()
    row = {
        "id": reading_id, "subscriber_id": key, "reading": figure, "read_at": _now() - 3_600_000,
        "source": "sms", "state": "doubtful", "mobile": MOBILE,
    }  # fmt: skip
    connection.execute(insert(readings).values(row))
    return reading_id, key


def _texts(house: Any) -> list[str]:
    """What goes out to the mobile."""
    query = select(outbox.c.text).where(outbox.c.mobile == MOBILE).order_by(outbox.c.id)
    found: list[str] = house.database.read("texts", lambda c: list(c.scalars(query)))
    return found


_COLOUR_OF_WARNINGS = "getComputedStyle(document.documentElement).getPropertyValue('--warn').trim()"


def test_a_doubtful_reading_is_accepted(
    page: Page, house: Any, staff: Any, shoot: Any, seen: Any
) -> None:
    """From the list to the SMS, in the words that were shown before."""
    reading_id, key = house.database.transact("prepare", _prepare)
    staff(page, "operator")
    page.goto("/desk/readings")
    shoot(page, "readings")
    page.locator(f"a[href$='/readings/{reading_id}']").click()
    expect(page.locator("main")).to_contain_text("بررسی صحت")
    expect(page.locator("main")).to_contain_text("آب‌بها، پله")
    seen("reading")
    promised = page.locator("blockquote").first.inner_text()
    page.fill("#note", "کنتور دیگری است")
    page.keyboard.press("Enter")
    expect(page.locator("blockquote").last).to_contain_text("کنتور دیگری است")
    assert promised not in _texts(house), "Enter in the reason for rejecting decides nothing"
    page.get_by_role("button", name="پذیرش قرائت").click()
    expect(page.locator(".flash")).to_contain_text("پذیرفته شد")
    assert promised in _texts(house)
    page.get_by_role("link", name="صفحهٔ مشترک").click()
    assert page.url.endswith(f"/subscribers/{key}")


def test_a_subscriber_is_found_and_served(  # noqa: PLR0913, PLR0917 - fixtures
    page: Page, house: Any, staff: Any, shoot: Any, seen: Any, accessible: Any
) -> None:
    """From a search to the duplicate bill on paper, and a message in the outbox."""
    words = "کارشناس ما فردا به نشانی شما می‌آید."
    number = str(number_of(PLACE + 1, UTILITY))
    house.database.transact("register", _register, number)
    staff(page, "operator")
    page.goto("/desk/subscribers")
    page.fill("#q", number)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("مشترک")
    served = page.url
    seen("subscriber")
    page.get_by_role("link", name="المثنی").first.click()
    expect(page.locator("h1")).to_contain_text("قبض المثنی")
    assert len(page.locator(".tracking strong").inner_text()) == 26
    seen("bill")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".nav")).to_be_hidden()
    # Paper is white, whatever the screen is: words for it are the light theme's.
    assert page.evaluate(_COLOUR_OF_WARNINGS) == "#7a5200"
    shoot(page, "bill-print")
    page.emulate_media(media="screen", color_scheme="light")
    page.goto(served)
    page.locator("main").get_by_role("link", name="پیام تازه").click()
    page.fill("#text", words)
    page.get_by_role("button", name="پیش‌نمایش").click()
    expect(page.locator("[role=status]")).to_contain_text("۱ بخش")
    accessible(page)
    shoot(page, "compose")
    page.locator("button[value=send]").click()
    expect(page.locator(".flash")).to_contain_text("در صف ارسال")
    assert words in _texts(house)
