"""Seed 001, Kerman urban water: what its announcement prints, texted to 100034122."""

from __future__ import annotations

from datetime import date

import pytest_twisted

from core.jalali import jalali
from core.text import ascii_digits, group, persian_digits
from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import (
    KERMAN,
    STRANGER,
    last_bill,
    rows,
    tracking_in,
    utilities,
)

__all__ = ["utilities"]


@pytest_twisted.ensureDeferred
async def test_the_published_codes(operator: Operator, utilities: Daemon) -> None:
    """010 tells the debt, 110 makes the bill of a reading, 210 and 9 order and stop bills."""
    bill = last_bill(utilities, "kerman-water")
    debt = await operator.ask(STRANGER, "۴۳۲۱+۱۰۰۰۰۰۰۱+۰۱۰", KERMAN)
    assert f"بدهی {group(bill.payable)} ریال" in debt

    reading = bill.to_reading + 12
    made = await operator.ask(STRANGER, f"{reading}+4321+10000001+110", KERMAN)
    new = last_bill(utilities, "kerman-water")
    assert (new.kind, new.to_reading) == ("mid_period", reading)
    assert f"مصرف {persian_digits(12)} مترمکعب" in made
    assert f"پرداختنی {group(new.payable)} ریال" in made
    assert persian_digits(new.bill_id) in made
    assert persian_digits(new.payment_id) in made
    assert await operator.ask(STRANGER, f"{reading}+4321+10000001+110", KERMAN) == made
    assert last_bill(utilities, "kerman-water").id == new.id, "one reading makes one bill"

    ordered = await operator.ask(STRANGER, "4321+10000001+210", KERMAN)
    assert "به این شماره پیامک می‌شود" in ordered
    assert "لغو شد" in await operator.ask(STRANGER, "۹", KERMAN)


@pytest_twisted.ensureDeferred
async def test_paying_by_the_two_ids(operator: Operator, utilities: Daemon) -> None:
    """1522 with bill ID and payment ID, or the two alone, tells the amount to pay."""
    bill = last_bill(utilities, "kerman-water")
    for text in (f"1522*{bill.bill_id}*{bill.payment_id}", f"{bill.payment_id} {bill.bill_id}"):
        assert f"پرداخت {group(bill.payable)} ریال" in await operator.ask(STRANGER, text, KERMAN)
    link = await operator.ask(STRANGER, "پرداخت بدهی 10000001 4321", KERMAN)
    assert group(bill.payable) in link
    nothing = await operator.ask("989131111111", "پرداخت بدهی", KERMAN)
    assert nothing == "مبلغی برای پرداخت نیست؛ این قبض یا بدهی پرداخت شده است."


@pytest_twisted.ensureDeferred
async def test_records_and_the_last_bill(operator: Operator, utilities: Daemon) -> None:
    """The last bill, and the records of use and payments of the periods that are asked for."""
    bill = last_bill(utilities, "kerman-water")
    told = await operator.ask(STRANGER, "آخرین قبض 10000001 4321", KERMAN)
    assert persian_digits(bill.payment_id) in told
    assert f"بدهی {group(bill.payable)} ریال" in told

    billed = rows(
        utilities,
        """SELECT to_date, to_reading - from_reading AS used FROM bills
           JOIN subscribers ON subscribers.id = subscriber_id
           WHERE number = '10000001' AND utility = 'kerman-water' ORDER BY to_date DESC""",
    )
    lines: list[str] = []
    text = "مصرف 10000001 4321"
    while len(lines) < len(billed):
        answer = await operator.ask(STRANGER, text, KERMAN)
        shown = [line for line in answer.splitlines() if line[4:5] == "/"]
        assert shown
        lines += shown
        text = f"مصرف 10000001 4321 {len(lines) + 1}"
    expected = [
        f"{persian_digits(jalali(date.fromisoformat(row.to_date)))}: {group(row.used)}"
        for row in billed
    ]
    assert lines == expected
    paid = await operator.ask(STRANGER, "سوابق پرداخت 10000001 4321", KERMAN)
    assert paid.startswith("پرداخت‌های ۱۰۰۰۰۰۰۱ (ریال):")


@pytest_twisted.ensureDeferred
async def test_requests_are_followed_by_their_number(operator: Operator, utilities: Daemon) -> None:
    """An after-sale service is asked for by text and followed by its tracking number."""
    asked = await operator.ask(STRANGER, "تعویض کنتور 10000001 4321 شیشه‌اش شکسته است", KERMAN)
    (request,) = rows(utilities, "SELECT tracking, kind, text FROM requests")
    assert (request.kind, request.text) == ("meter_replacement", "شیشه‌اش شکسته است")
    assert tracking_in(asked) == request.tracking
    followed = await operator.ask(STRANGER, f"پیگیری {request.tracking}", KERMAN)
    assert "تعویض کنتور" in followed
    assert "ثبت شده" in followed
    assert request.tracking in ascii_digits(followed)


@pytest_twisted.ensureDeferred
async def test_english_is_answered_in_english(operator: Operator, utilities: Daemon) -> None:
    """Whoever writes in Latin letters reads English."""
    bill = last_bill(utilities, "kerman-water")
    told = await operator.ask(STRANGER, "balance 10000001 4321", KERMAN)
    assert told.startswith(f"Subscription 10000001: {bill.payable:,} rial owed")
    wrong = await operator.ask(STRANGER, "balance 1000 4321", KERMAN)
    assert wrong == (
        "The subscription number has 8 digits. Send it like this:\n010*subscription number*code"
    )
