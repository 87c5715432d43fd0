"""What a subscriber of Kerman water texts, and what comes back to the mobile."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest_twisted
from sqlalchemy import text

from core.database import Database
from core.demo import code_of
from core.jalali import jalali
from core.text import group, persian_digits
from tests.acceptance.conftest import LINE, Daemon, Operator
from tests.waiting import until

STRANGER = "989131234567"
"""Registered to nobody."""
GUIDE = "۰۱۰+اشتراک+رمز: بدهی\n۲۱۰+…: قبض\n۱۱۰+…+رقم کنتور\n۹: لغو\n۱۵۲۲: پرداخت"
WRONG_CODE = "شماره اشتراک یا رمز رایانه درست نیست. هر دو روی قبض آب نوشته شده است."
WHICH_FORMAT = "چنین بفرستید:\n۰۱۰+شماره اشتراک+رمز رایانه"


def query(daemon: Daemon, statement: str, **values: Any) -> Any:
    """What the daemon's database holds: the first row that is found."""
    database = Database(daemon.url)
    try:
        return database.read("test", lambda c: c.execute(text(statement), values).one())
    finally:
        database.close()


def balance(daemon: Daemon, number: int) -> str:
    """What a subscriber owes, worded from the bills and payments."""
    bill = query(
        daemon,
        """SELECT payable, due_date, payable - (
               SELECT coalesce(sum(amount), 0) FROM payments
               WHERE payments.subscriber_id = bills.subscriber_id AND paid_at >= issued_at
           ) AS owed
           FROM bills JOIN subscribers ON subscribers.id = subscriber_id
           WHERE subscribers.number = :number ORDER BY issued_at DESC LIMIT 1""",
        number=str(number),
    )
    begin = f"اشتراک {persian_digits(number)}: "
    if bill.owed > 0:
        due = jalali(date.fromisoformat(bill.due_date))
        return f"{begin}بدهی {group(bill.owed)} ریال، مهلت {persian_digits(due)}"
    if bill.owed < 0:
        return f"{begin}{group(-bill.owed)} ریال بستانکار است"
    return f"{begin}بدهی ندارد"


def last_reading(daemon: Daemon, number: int) -> int:
    """What the meter showed last."""
    row = query(
        daemon,
        """SELECT reading FROM readings JOIN subscribers ON subscribers.id = subscriber_id
           WHERE subscribers.number = :number ORDER BY read_at DESC LIMIT 1""",
        number=str(number),
    )
    return int(row.reading)


@pytest_twisted.ensureDeferred
async def test_a_balance_is_answered_however_it_is_typed(
    operator: Operator, daemon: Daemon
) -> None:
    """Digits of every family, every separator, either order, and the keyword mean 010."""
    owes = balance(daemon, 10000001)
    assert "بدهی" in owes, "the first subscriber of the samples owes its last bill"
    assert "ندارد" not in owes
    typed = (
        "010*10000001*4321",
        "۰۱۰+۱۰۰۰۰۰۰۱+۴۳۲۱",
        "٠١٠ ١٠٠٠٠٠٠١ ٤٣٢١",
        "4321*10000001*010",
        "۴۳۲۱-۱۰۰۰۰۰۰۱-۰۱۰",
        "\u200f۰۱۰*۱۰۰۰۰۰۰۱*۴۳۲۱\u200f",
        "010100000014321",
        "بدهی 10000001 4321",
    )
    for words in typed:
        assert await operator.ask(STRANGER, words) == owes, words
    for number in (10000009, 10000012):
        asked = await operator.ask(STRANGER, f"010*{number}*{code_of(number)}")
        assert asked == balance(daemon, number)


@pytest_twisted.ensureDeferred
async def test_a_reading_is_taken_and_its_use_is_told(operator: Operator, daemon: Daemon) -> None:
    """110 stores the figure and makes the bill; one below it is refused with what is known."""
    number = 10000001
    reading = last_reading(daemon, number) + 5
    told = await operator.ask(STRANGER, f"۱۱۰+{number}+4321+{persian_digits(reading)}")
    bill = query(
        daemon,
        """SELECT * FROM bills JOIN subscribers ON subscribers.id = subscriber_id
           WHERE number = :number AND kind = 'mid_period'""",
        number=str(number),
    )
    assert told.splitlines()[0] == (
        f"{persian_digits(number)} رقم {persian_digits(reading)}: مصرف ۵ مترمکعب"
    )
    assert f"پرداختنی {group(bill.payable)} ریال" in told
    assert persian_digits(bill.payment_id) in told
    assert last_reading(daemon, number) == reading
    below = await operator.ask(STRANGER, f"110 {number} 4321 {reading - 1}")
    assert f"کمتر از قرائت قبلی ({persian_digits(reading)})" in below


@pytest_twisted.ensureDeferred
async def test_bills_by_sms_are_ordered_and_cancelled(operator: Operator, daemon: Daemon) -> None:
    """210 puts the mobile that asked on the list, 9 takes it off, and says when it was not."""
    assert await operator.ask(STRANGER, "210 10000001 4321") == (
        "از این پس قبض اشتراک ۱۰۰۰۰۰۰۱ به این شماره پیامک می‌شود."
    )
    count = "SELECT count(*) AS found FROM bill_recipients WHERE mobile = :mobile"
    assert query(daemon, count, mobile=STRANGER).found == 1
    assert await operator.ask(STRANGER, "9") == "پیامک قبض ۱ اشتراک برای این شماره لغو شد."
    assert query(daemon, count, mobile=STRANGER).found == 0
    assert await operator.ask(STRANGER, "۹") == "پیامک قبض به این شماره فرستاده نمی‌شود."


@pytest_twisted.ensureDeferred
async def test_help_and_what_is_not_understood(operator: Operator, daemon: Daemon) -> None:
    """Whoever asks for help gets the guide; whoever mistypes is told how it is written."""
    assert await operator.ask(STRANGER, "راهنما") == GUIDE
    assert "راهنما" in await operator.ask(STRANGER, "777")
    assert WHICH_FORMAT in await operator.ask(STRANGER, "010*1000*4321")


@pytest_twisted.ensureDeferred
async def test_a_registered_mobile_need_not_say_who_it_is(
    operator: Operator, daemon: Daemon
) -> None:
    """``010`` alone is enough for a mobile of one subscription, and for no other."""
    assert await operator.ask("989131111111", "010") == balance(daemon, 10000002)
    assert "۳ اشتراک" in await operator.ask("989132222222", "010")
    assert "ثبت نشده" in await operator.ask(STRANGER, "010")
    one_of_three = await operator.ask("989132222222", "010 10000004")
    assert one_of_three == balance(daemon, 10000004)


@pytest_twisted.ensureDeferred
async def test_five_wrong_codes_lock_the_mobile_and_the_subscription(
    operator: Operator, daemon: Daemon
) -> None:
    """From the fifth on the right code does not help, from this mobile or for this number."""
    for guess in range(1111, 1115):
        assert await operator.ask(STRANGER, f"010*10000001*{guess}") == WRONG_CODE
    locked = await operator.ask(STRANGER, "010*10000001*1115")
    assert locked == "به دلیل چند رمز نادرست، لطفاً ۳۰ دقیقه دیگر دوباره بفرستید."
    assert await operator.ask(STRANGER, "010*10000001*4321") == locked
    other = f"010*10000002*{code_of(10000002)}"
    assert await operator.ask(STRANGER, other) == locked
    assert await operator.ask("989134444444", "010*10000001*4321") == locked
    assert await operator.ask("989134444444", other) == balance(daemon, 10000002)


@pytest_twisted.ensureDeferred
async def test_parts_in_any_order_are_one_text_with_one_answer(
    operator: Operator, daemon: Daemon
) -> None:
    """A long text whose parts come last one first, one of them twice, is answered once."""
    words = "با سلام لطفا " * 12 + "بدهی ۱۰۰۰۰۰۰۱ ۴۳۲۱"
    operator.send_text(STRANGER, "777", words)  # nobody listens there: only to have the parts
    parts = [made for made in operator.texts if made.line == "777"]
    assert len(parts) == 3
    bodies = [made.body.replace(b"777\0", LINE.encode() + b"\0") for made in parts]
    for body in (bodies[2], bodies[0], bodies[2], bodies[1]):
        mobile_text = type(parts[0])(operator.next_id(), STRANGER, LINE, body)
        operator.send_bodies([mobile_text])
    await until(lambda: operator.answers_to(STRANGER), "it is answered")
    await operator.ask("989134444444", "راهنما")
    assert operator.answers_to(STRANGER) == [balance(daemon, 10000001)]


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_answered_is_taken_and_left(
    operator: Operator, daemon: Daemon
) -> None:
    """A number that is no line of ours, and a sender that is a name, are acknowledged only."""
    to_nobody = operator.send_text(STRANGER, "999", "010")
    from_a_name = operator.send_text("IRANCELL", LINE, "010")
    await until(
        lambda: all(made.acknowledged for made in (*to_nobody, *from_a_name)),
        "both are acknowledged",
    )
    await operator.ask(STRANGER, "راهنما")
    assert operator.answers_to(STRANGER) == [GUIDE]
    assert {submit.mobile for submit in operator.submits} == {STRANGER}


@pytest_twisted.ensureDeferred
async def test_receipts_make_messages_delivered(operator: Operator, daemon: Daemon) -> None:
    """What the operator says became of an answer is what the outbox says."""
    await operator.ask(STRANGER, "راهنما")
    await until(
        lambda: query(daemon, "SELECT min(state) AS state FROM outbox").state == "delivered",
        "the receipt is stored",
    )
