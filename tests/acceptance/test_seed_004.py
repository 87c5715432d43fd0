"""Seed 004, Qom electricity: records by bill ID and the year to begin with."""

from __future__ import annotations

from datetime import date

import pytest_twisted

from core.jalali import from_jalali, jalali
from core.text import group, persian_digits
from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import QOM, STRANGER, last_bill, rows, utilities

__all__ = ["utilities"]


@pytest_twisted.ensureDeferred
async def test_records_by_bill_id_and_start_year(operator: Operator, utilities: Daemon) -> None:
    """Use, bills and payments from 1 Farvardin of the year on, the newest first."""
    bill = last_bill(utilities, "qom-power")
    year = int(jalali(date.fromisoformat(bill.to_date))[:4])
    since = from_jalali(year, 1, 1).isoformat()
    billed = rows(
        utilities,
        """SELECT to_date, to_reading - from_reading AS used FROM bills
           WHERE subscriber_id = :id AND to_date >= :since ORDER BY to_date DESC""",
        id=bill.subscriber_id,
        since=since,
    )
    told = await operator.ask(STRANGER, f"مصرف {bill.own_bill_id} {year}", QOM)
    newest = persian_digits(jalali(date.fromisoformat(billed[0].to_date)))
    assert told.splitlines()[:2] == [
        "مصرف ۴۰۰۰۰۰۰۱ (کیلووات‌ساعت):",
        f"{newest}: {group(billed[0].used)}",
    ]
    bills = await operator.ask(STRANGER, f"قبض‌ها*{bill.own_bill_id}*{year}", QOM)
    assert f"{persian_digits(bill.period)}: {group(bill.payable)}" in bills
    paid = await operator.ask(STRANGER, f"{year} {bill.own_bill_id} سوابق پرداخت", QOM)
    assert paid.startswith("پرداخت‌های ۴۰۰۰۰۰۰۱ (ریال):")
    later = await operator.ask(STRANGER, f"مصرف {bill.own_bill_id} {year + 1}", QOM)
    assert "سابقه‌ای ثبت نشده است" in later


@pytest_twisted.ensureDeferred
async def test_the_right_bill_id_is_needed(operator: Operator, utilities: Daemon) -> None:
    """Part 1: the service is given to who presents the correct bill ID."""
    bill = last_bill(utilities, "qom-power")
    wrong = bill.own_bill_id[:-1] + str((int(bill.own_bill_id[-1]) + 1) % 10)
    told = await operator.ask(STRANGER, f"مصرف {wrong} 1404", QOM)
    assert told.startswith("شناسه قبض درست نیست")
    assert "پیدا نشد" in await operator.ask(STRANGER, "مصرف 9403272004129", QOM)
    debt = await operator.ask(STRANGER, f"وضعیت پرداخت {bill.own_bill_id}", QOM)
    assert f"بدهی {group(bill.payable)} ریال" in debt
