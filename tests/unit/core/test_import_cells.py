"""Cells of imported files: what is understood, what is refused, and in which words."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.importing import cells
from core.importing.errors import CellError, RowError
from core.importing.files import Row
from core.importing.headers import matched
from core.importing.kinds import KINDS
from core.importing.rows import Parser
from core.importing.stores import Record

NOW_MS = 1_790_000_000_000  # 2026-09-21
FIGURES = cells.figure(-(10**13), 10**13)
NUMBER = cells.digits(20)
PARSERS = [column.parse for kind in KINDS.values() for column in kind.columns]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1250000", 1_250_000),
        ("۱۲۵۰۰۰۰", 1_250_000),
        ("٣٥٠", 350),
        ("1,250,000", 1_250_000),
        ("۱٬۲۵۰٬۰۰۰", 1_250_000),
        ("1 250 000.00", 1_250_000),
        ("1250000.0", 1_250_000),
        ("-5,000", -5000),
        ("−۵۰۰۰", -5000),
        ("\u200f۵۰۰۰\u200e", 5000),
    ],
)
def test_figures(cell: str, value: int) -> None:
    """Every digit family, separator and sign that spreadsheets and people use."""
    assert FIGURES(cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("00012345", "00012345"),
        ("۱۰۰۰۰۰۰۱", "10000001"),
        ("10000001.0", "10000001"),
        ("\u202a10000001\u202c", "10000001"),
    ],
)
def test_numbers_keep_their_zeros(cell: str, value: str) -> None:
    """A subscription number is a name made of digits."""
    assert NUMBER(cell) == value


@given(st.integers(-(10**13), 10**13), st.sampled_from(["{}", "{:,}", " {} ", "{}.0"]))
def test_any_figure_survives_its_dress(value: int, dress: str) -> None:
    """Written in Persian digits with separators, a figure is itself again."""
    persian = dress.format(value).translate(str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬"))
    assert FIGURES(persian) == value


@given(st.text(min_size=1), st.sampled_from(PARSERS))
def test_no_cell_raises_anything_but_its_error(cell: str, parse: Any) -> None:
    """Whatever is in a file, a row is at worst refused."""
    value = None
    with suppress(CellError):
        value = parse(cell)
    if isinstance(value, str):
        assert "\0" not in value
        value.encode()  # no lone surrogate: PostgreSQL would refuse the batch


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1404/05/01", date(2025, 7, 23)),
        ("۱۴۰۴/۵/۱", date(2025, 7, 23)),
        ("14040501", date(2025, 7, 23)),
        ("2025-07-23", date(2025, 7, 23)),
        ("2025-07-22T21:00:00Z", date(2025, 7, 23)),
    ],
)
def test_days(cell: str, value: date) -> None:
    """Jalali and ISO; an instant is the day that it falls on in Tehran."""
    assert cells.day(cell) == value


def test_mobiles_are_unique_and_normal() -> None:
    """One written twice in different ways is one contact."""
    assert cells.mobiles("0913 123 4567 / ۹۱۳۱۲۳۴۵۶۷; +98-911-111-2222") == (
        "989131234567",
        "989111112222",
    )
    assert cells.mobiles("9131234567.0") == ("989131234567",)


# --- rows ---------------------------------------------------------------------------

BILL = {"number": "1", "period": "1", "to_date": "1404/05/01", "amount": "5", "payable": "5"}
PAYMENT = {"number": "1", "amount": "5", "paid_at": "1404/05/01", "reference": "7"}
READING = {"number": "1", "reading": "5", "read_at": "1404/05/01"}
GOOD_BILL_ID, GOOD_PAYMENT_ID = "2050327604613", "1070189"


def _parse(kind: str, values: dict[str, str]) -> Record | list[RowError]:
    columns = matched(KINDS[kind], list(values), optional=["utility"])
    parser = Parser(KINDS[kind], columns, "kerman-water")
    return parser.parse(Row(7, list(values.values())), NOW_MS)


@pytest.mark.parametrize(
    ("kind", "values", "column", "reason"),
    [
        ("subscribers", {"number": ""}, "number", "is empty"),
        ("subscribers", {"number": "12a"}, "number", "'12a' is not made of digits"),
        ("subscribers", {"number": "12.5"}, "number", "'12.5' is not made of digits"),
        ("subscribers", {"number": "-5"}, "number", "'-5' is not made of digits"),
        ("subscribers", {"number": "1.23457E+12"}, "number", "rounded by Excel"),
        ("subscribers", {"number": "1" * 21}, "number", "has 21 digits; at most 20"),
        ("subscribers", {"number": "1", "code": "abc"}, "code", "not made of digits"),
        ("subscribers", {"number": "1", "units": "0"}, "units", "0 is not between 1 and 10,000"),
        ("subscribers", {"number": "1", "units": "-2"}, "units", "-2 is negative"),
        ("subscribers", {"number": "1", "capacity": "2.5"}, "capacity", "not a whole number"),
        ("subscribers", {"number": "1", "meter_digits": "10"}, "meter_digits", "between 1 and 9"),
        ("subscribers", {"number": "1", "mobile": "02112345678"}, "mobile", "not a mobile"),
        ("subscribers", {"number": "1", "mobile": "09131234567/12"}, "mobile", "'12' is not"),
        ("subscribers", {"number": "1", "name": "x" * 501}, "name", "has 501 characters"),
        ("subscribers", {"utility": "کرمان", "number": "1"}, "utility", "kerman-water"),
        ("bills", BILL | {"period": " "}, "period", "is empty"),
        ("bills", BILL | {"amount": "-5"}, "amount", "-5 is negative"),
        ("bills", BILL | {"amount": "9" * 14}, "amount", "is not between 0 and"),
        ("bills", BILL | {"payable": "five"}, "payable", "'five' is not a whole number"),
        ("bills", BILL | {"to_date": "1404/07/31"}, "to_date", "there is no day 1404/07/31"),
        ("bills", BILL | {"to_date": "31/12/2025"}, "to_date", "is not a date such as"),
        ("bills", BILL | {"to_date": "1299/12/29"}, "to_date", "before 1300/01/01"),
        ("bills", BILL | {"to_date": "1406/01/01"}, "to_date", "is in the future"),
        ("bills", BILL | {"from_date": "1404/06/01"}, "to_date", "is before from_date"),
        ("bills", BILL | {"to_date": ""}, "issued_at", "no to_date to take it from"),
        ("bills", BILL | {"due_date": "1450/01/01"}, "due_date", "more than five years away"),
        ("bills", BILL | {"to_reading": "9999999999"}, "to_reading", "is not between"),
        ("bills", BILL | {"bill_id": "2234322344613"}, "bill_id", "its check digit is wrong"),
        ("bills", BILL | {"bill_id": "12345"}, "bill_id", "has 5 digits; a bill ID has between"),
        ("bills", BILL | {"payment_id": "1070179"}, "payment_id", "its check digit is wrong"),
        (
            "bills",
            BILL | {"bill_id": "9174639504124", "payment_id": "12908197"},
            "payment_id",
            "12908197 does not belong to the bill ID 9174639504124",
        ),
        ("payments", PAYMENT | {"amount": "0"}, "amount", "0 is not between 1"),
        ("payments", PAYMENT | {"reference": ""}, "reference", "is empty"),
        ("payments", PAYMENT | {"paid_at": "1406/01/01"}, "paid_at", "is in the future"),
        ("payments", PAYMENT | {"paid_at": "1404/05/01 25:00"}, "paid_at", "no such time"),
        ("readings", READING | {"reading": "-1"}, "reading", "-1 is negative"),
        ("readings", READING | {"read_at": "2026-09-23"}, "read_at", "is in the future"),
        ("readings", READING | {"source": "dog"}, "source", "'dog' is none of reader, sms"),
    ],
)
def test_bad_rows(kind: str, values: dict[str, str], column: str, reason: str) -> None:
    """Each is refused with its line, its column and a reason for a person."""
    (error,) = _bad(_parse(kind, values))
    assert (error.line, error.column) == (7, column)
    assert reason in error.reason


def _bad(parsed: Record | list[RowError]) -> list[RowError]:
    assert isinstance(parsed, list)
    return parsed


def test_everything_wrong_with_a_row_is_said() -> None:
    """The operator mends a row once."""
    errors = _bad(_parse("bills", BILL | {"amount": "x", "payable": "", "number": "y"}))
    assert [error.column for error in errors] == ["number", "amount", "payable"]


def test_a_row_longer_than_the_header() -> None:
    """An unquoted comma in an address moves every cell after it; blanks beyond do no harm."""
    columns = matched(KINDS["subscribers"], ["number"], optional=["utility"])
    parser = Parser(KINDS["subscribers"], columns, "kerman-water")
    (error,) = _bad(parser.parse(Row(7, ["1", "x"]), NOW_MS))
    assert error.reason == "has 2 cells; the header 1"
    assert isinstance(parser.parse(Row(7, ["1", " ", ""]), NOW_MS), Record)


def test_a_pair_of_identifiers_that_is_right() -> None:
    """The valid example of DOMAIN 4."""
    parsed = _parse("bills", BILL | {"bill_id": GOOD_BILL_ID, "payment_id": GOOD_PAYMENT_ID})
    assert isinstance(parsed, Record)
    assert parsed.values["payment_id"] == GOOD_PAYMENT_ID


@pytest.mark.parametrize("kind", KINDS)
def test_no_header_means_two_columns(kind: str) -> None:
    """Each Persian or English name belongs to one column of its kind."""
    names = [name for column in KINDS[kind].columns for name in (column.name, *column.persian)]
    found = [matched(KINDS[kind], [name], optional=_all(kind))[0].name for name in names]
    expected = [c.name for c in KINDS[kind].columns for _ in (c.name, *c.persian)]
    assert found == expected


def _all(kind: str) -> list[str]:
    return [column.name for column in KINDS[kind].columns]
