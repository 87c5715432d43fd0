"""Bad input to each operation: a clear answer, and nothing stored by half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.tables import (
    bills,
    code_failures,
    contacts,
    events,
    inbox,
    orders,
    payments,
    readings,
    requests,
    subscribers,
)
from tests.talking import OWNER, SHIPPED, STRANGER, Talk

EFFECTS = (subscribers, contacts, bills, payments, readings, requests, orders, events)
KERMAN, LORESTAN, GAS = "kerman-water", "lorestan-water", "qazvin-gas"
POWER, REGIONAL = "qom-power", "kohgiluyeh-water"

WRONG = "درست نیست"
FORMAT = "چنین بفرستید"
CODE = "رمز رایانه را هم بفرستید"
NONE = "پیدا نشد"


def state(line: Talk) -> list[Any]:
    """Everything that an operation can change."""
    return [line.rows(table) for table in EFFECTS]


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        # Wrong check digits.
        (KERMAN, "1522 1000000104617 80950868", "شناسه قبض درست نیست"),
        (KERMAN, "1522 {bill_id} 80950869", "شناسه پرداخت درست نیست"),
        (LORESTAN, "پیگیری 10000005", "شماره پیگیری درست نیست"),
        (LORESTAN, "هزینه 10000005", "شماره پیگیری درست نیست"),
        (POWER, "مصرف 4000000104120", "شناسه قبض درست نیست"),
        (POWER, "قبض‌ها 4000000104120 1403", "شناسه قبض درست نیست"),
        # Unknown numbers: told as wrong codes are.
        (KERMAN, "010 19999999 4321", WRONG),
        (KERMAN, "110 19999999 4321 1880", WRONG),
        (LORESTAN, "202 19999999 4321", WRONG),
        (LORESTAN, "205 19999999 4321 خیابان", WRONG),
        (LORESTAN, "204 19999999 4321", WRONG),
        (LORESTAN, "پیگیری 99999992", NONE),
        (GAS, "1880*5*999999999999", NONE),
        (GAS, "1880*5*999999", NONE),
        (POWER, "مصرف 2050327604613", NONE),
        (POWER, "بدهی 2050327604613", NONE),
        (KERMAN, "1522 2050327604613 1070189", "این شرکت نیست"),
        (REGIONAL, "استعلام 19999999", WRONG),
        # Somebody else's subscription: a mobile that is registered to another one, no code.
        (KERMAN, "010 {other}", CODE),
        (KERMAN, "110 {other} 1880", "رمز رایانه و رقم کنتور هر دو لازم است"),
        (KERMAN, "210 {other}", CODE),
        (KERMAN, "مصرف {other}", CODE),
        (KERMAN, "پرداخت بدهی {other}", CODE),
        (LORESTAN, "اقساط {other}", CODE),
        (LORESTAN, "همراه‌ها {other}", CODE),
        (LORESTAN, "حذف همراه {other}", CODE),
        (LORESTAN, "205 {other} خیابان دیگر", CODE),
        (LORESTAN, "209 {other} 777777", CODE),
        # A wrong code.
        (KERMAN, "010 {number} 9998", WRONG),
        (KERMAN, "110 {number} 9998 1880", WRONG),
        (KERMAN, "مصرف {number} 9998 1404", WRONG),
        (LORESTAN, "204 {number} 9998", WRONG),
        (LORESTAN, "206 {number} 9998", WRONG),
        (LORESTAN, "321 {number} 9998 آب قطع است", WRONG),
        (REGIONAL, "استعلام {number} 9998", WRONG),
        # A code that is a year: it may not be tried where a year may stand.
        (KERMAN, "مصرف {number} 1402", WRONG),
        # Years, rows, readings that cannot be.
        (KERMAN, "مصرف {number} {code} 1299", "رمز رایانه (+سال چهاررقمی)"),
        (KERMAN, "مصرف {number} {code} 99", "رمز رایانه (+سال چهاررقمی)"),
        (KERMAN, "use {number} {code} 1299", "code (*year of four digits)"),
        (POWER, "مصرف {bill_id} 2024", "سال درست نیست"),
        (POWER, "مصرف {bill_id} 1403 0", "شماره سطر درست نیست"),
        (POWER, "مصرف {bill_id} 1450", "سابقه‌ای ثبت نشده"),
        (KERMAN, "مصرف {number} {code} 1404 999", "ادامه‌ای ندارد"),
        (KERMAN, "110 {number} {code} 9999999", "رقم دارد"),
        (KERMAN, "110 {number} {code} 0", "کمتر از قرائت قبلی"),
        (KERMAN, "محاسبه {number} {code} 1", "کمتر از قرائت قبلی"),
        (GAS, "0*5*{number}", "کمتر از قرائت قبلی"),
        # Nothing to pay, and amounts of nothing.
        (KERMAN, "پرداخت بدهی {paid} {paid_code}", "مبلغی برای پرداخت نیست"),
        (KERMAN, "1522 0 0", FORMAT),
        (KERMAN, "1522 {bill_id} -80950868", "این شرکت نیست"),
        # Words that are missing.
        (LORESTAN, "208", FORMAT),
        (LORESTAN, "205 {number} {code}", FORMAT),
        (LORESTAN, "205 {number}", "متن نوشته نشده است"),
        # A figure that may be the reading or the code: both are asked for.
        (KERMAN, "110 {number} {code}", "۱۱۰+شماره اشتراک+رمز رایانه+عدد مشکی کنتور"),
        (LORESTAN, "کارکرد {number} {code}", "کارکرد+شماره اشتراک+رمز رایانه+عدد مشکی کنتور"),
        (REGIONAL, "شکایت", FORMAT),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_changes_nothing(
    talk: Callable[[str], Talk], name: str, text: str, answer: str
) -> None:
    """The subscriber reads what was wrong, and the database is as it was."""
    line = talk(name)
    row = next(row for row in line.rows(subscribers) if row.number == line.number(1))
    said = text.format(
        number=row.number,
        code=line.code(1),
        bill_id=row.bill_id,
        other=line.number(2),
        paid=line.number(7),
        paid_code=line.code(7),
    )
    before = state(line)
    told = line.ask(said)
    assert answer in told
    assert state(line) == before


@pytest.mark.parametrize("name", SHIPPED)
def test_two_thousand_characters_are_answered(talk: Callable[[str], Talk], name: str) -> None:
    """Long talk and long figures get an answer of two parts at most, and change nothing."""
    line = talk(name)
    before = state(line)
    for text in ("آب نداریم و " * 170, "7" * 2000, "010*" * 500, "قبض " * 500, "a " * 1000):
        told = line.ask(text[:2000])
        assert told
        assert len(told) <= 134
    assert state(line) == before


def test_a_long_complaint_is_kept_whole(talk: Callable[[str], Talk]) -> None:
    """What somebody took the trouble to write is stored as it was written, once."""
    line = talk("lorestan-water")
    text = ("آب روستای ما شور است و کسی نمی‌آید. " * 60)[:1990].strip()
    first, second = line.ask(f"شکایت {text}"), line.ask(f"شکایت {text}")
    assert first == second
    (request,) = line.rows(requests)
    assert request.text == text


def test_wrong_codes_are_counted_and_lock(talk: Callable[[str], Talk]) -> None:
    """Whichever command they are tried with, five wrong codes lock the mobile."""
    line = talk("lorestan-water")
    number = line.number(1)
    tried = ("202", "203", "204", "مصرف", "اقساط")
    for code, command in zip(range(9990, 9995), tried, strict=True):
        told = line.ask(f"{command} {number} {code}")
    assert "دقیقه دیگر" in told
    assert len(line.rows(code_failures)) == 5
    assert "دقیقه دیگر" in line.ask(f"202 {number} {line.code(1)}", STRANGER)


def test_a_year_is_no_way_to_try_codes(talk: Callable[[str], Talk]) -> None:
    """Where a year may stand, what looks like one is tried as a code, counted, and hidden."""
    line = talk("kerman-water")
    for year in range(1400, 1404):
        assert WRONG in line.ask(f"مصرف {line.number(1)} {year}")
    assert "دقیقه دیگر" in line.ask(f"مصرف {line.number(1)} 1404")
    assert len(line.rows(code_failures)) == 5
    assert {row.text[-4:] for row in line.rows(inbox)} == {"****"}


def test_a_year_is_one_for_a_mobile_that_needs_no_code(talk: Callable[[str], Talk]) -> None:
    """The owner's mobile names the subscription and a year, and nothing is counted."""
    line = talk("kerman-water")
    assert line.ask(f"مصرف {line.number(2)} 1404", OWNER).startswith("مصرف ")
    assert not line.rows(code_failures)


def test_a_strangers_figure_does_not_keep_the_true_one_out(talk: Callable[[str], Talk]) -> None:
    """Whoever knows a gas number may book what cannot be; the subscriber's reading still counts."""
    line = talk("qazvin-gas")
    number = line.number(1)
    last = line.rows(bills)[-1]
    (billed,) = {
        row.to_reading
        for row in line.rows(bills)
        if row.subscriber_id == line.rows(subscribers)[0].id and row.period == last.period
    }
    for _ in range(2):
        told = line.ask(f"{billed + 40_000}*5*{number}")
    assert "ثبت شد" in told
    assert "ثبت شد" in line.ask(f"{billed + 7}*5*{number}", OWNER)
    assert [row.state for row in line.rows(readings)][-2:] == ["doubtful", "accepted"]
    assert "کمتر از قرائت قبلی" in line.ask(f"{billed + 5}*5*{number}", OWNER)
