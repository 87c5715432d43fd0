"""Seed 003, Qazvin gas: the reading of a meter that the reader could not reach."""

from __future__ import annotations

import pytest_twisted

from core.text import persian_digits
from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import QAZVIN, STRANGER, last_bill, rows, utilities

__all__ = ["utilities"]

NUMBER = "101100000101"


@pytest_twisted.ensureDeferred
async def test_a_reading_by_number_or_serial(operator: Operator, utilities: Daemon) -> None:
    """``reading*5*subscription`` to 500025194 is answered at once; so is the meter's serial."""
    bill = last_bill(utilities, "qazvin-gas")
    first, second = bill.to_reading + 3, bill.to_reading + 5
    told = await operator.ask(STRANGER, f"{persian_digits(first)}*۵*{NUMBER}", QAZVIN)
    assert told == (
        f"رقم {persian_digits(first)} برای اشتراک {persian_digits(NUMBER)} ثبت شد"
        "؛ مصرف از قرائت قبل: ۳ مترمکعب"
    )
    by_serial = await operator.ask(STRANGER, f"{second}*5*{bill.meter_serial}", QAZVIN)
    assert f"رقم {persian_digits(second)}" in by_serial
    stored = rows(
        utilities, "SELECT reading FROM readings WHERE source = 'sms' ORDER BY read_at, id"
    )
    assert [row.reading for row in stored] == [first, second]
    backwards = await operator.ask(STRANGER, f"{NUMBER}*5*{second}", QAZVIN)
    assert f"رقم {persian_digits(second)}" in backwards


@pytest_twisted.ensureDeferred
async def test_a_complaint_about_the_service(operator: Operator, utilities: Daemon) -> None:
    """The form names a way to complain; by text it is registered with a number."""
    told = await operator.ask(STRANGER, "شکایت مامور زنگ نزد", QAZVIN)
    (row,) = rows(utilities, "SELECT * FROM requests")
    assert (row.kind, row.utility) == ("complaint", "qazvin-gas")
    assert persian_digits(row.tracking) in told
