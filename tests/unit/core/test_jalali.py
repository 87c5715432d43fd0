"""Dates in two calendars and three digit families; days in Tehran as UTC instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jalali import (
    DateError,
    day_interval,
    from_jalali,
    jalali,
    jalali_time,
    parse_date,
    parse_instant,
    parse_interval,
)
from core.text import persian_digits

DAY = date(2025, 7, 25)


@pytest.mark.parametrize(
    "text",
    ["1404/5/3", "1404/05/03", "۱۴۰۴-۰۵-۰۳", "١٤٠٤.٥.٣", "14040503", "۱۴۰۴۰۵۰۳", "2025-07-25",
     "2025/7/25", "20250725", " 1404/05/03\u200f", "2025-07-25T10:00:00Z", "1404/05/03 23:59",
     "2025-07-24T22:00:00Z"],
)  # fmt: skip
def test_one_day_in_many_spellings(text: str) -> None:
    """A day is the same day in either calendar, in any digits, with or without a time."""
    assert parse_date(text) == DAY


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1404/05/03", datetime(2025, 7, 24, 20, 30, tzinfo=UTC)),
        ("۱۴۰۴/۰۵/۰۳ ۱۴:۰۵", datetime(2025, 7, 25, 10, 35, tzinfo=UTC)),
        ("2025-07-25T10:00:00Z", datetime(2025, 7, 25, 10, tzinfo=UTC)),
        ("2025-07-25 10:00:00+03:30", datetime(2025, 7, 25, 6, 30, tzinfo=UTC)),
        ("2025-07-25t10:00:00.5z", datetime(2025, 7, 25, 10, tzinfo=UTC)),
        ("1400/05/03", datetime(2021, 7, 24, 19, 30, tzinfo=UTC)),
    ],
)
def test_instants_are_utc(text: str, instant: datetime) -> None:
    """Clocks in Tehran are meant where no zone is said, with the summer time of older years."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    ["", "1404", "1404/13/01", "1404/07/31", "1404/12/30", "0000/01/01", "1700/01/01", "2500-01-01",
     "2025-02-29", "1404/05-03", "1404/05/03 25:00", "1404/05/03 10:61", "1404/05/03x", "5/3/1404",
     "140453", "²404/05/03"],
)  # fmt: skip
def test_what_is_no_date_is_said_to_be_none(text: str) -> None:
    """A wrong date in a file is reported, never taken as another day."""
    with pytest.raises(DateError):
        parse_date(text)


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{4}/[0-9]{2}/[0-9]{2}( [0-9:+Z]{0,12})?"))
def test_parsing_raises_nothing_else(text: str) -> None:
    """Any cell of any file is a date or a ``DateError``."""
    for parse in (parse_date, parse_instant):
        try:
            parse(text)
        except DateError as error:
            assert str(error)  # noqa: PT017


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_what_is_written_is_read_back(day: date) -> None:
    """Formatting and parsing are each other's inverse, across leap years."""
    assert parse_date(jalali(day)) == day
    assert parse_date(persian_digits(jalali(day))) == day
    assert parse_date(day.isoformat()) == day


def test_known_days() -> None:
    """The calendar is the official one, leap day included."""
    assert from_jalali(1403, 12, 30) == date(2025, 3, 20)
    assert jalali(date(2025, 3, 21)) == "1404/01/01"
    with pytest.raises(DateError, match="1404/12/30"):
        from_jalali(1404, 12, 30)


def test_instants_are_shown_in_tehran() -> None:
    """An evening in UTC is the next day in Tehran; an instant without a zone is UTC."""
    assert jalali_time(datetime(2025, 7, 24, 21, 0, tzinfo=UTC)) == "1404/05/03 00:30"
    assert jalali_time(datetime(2025, 7, 24, 21, 0)) == "1404/05/03 00:30"  # noqa: DTZ001
    west = timezone(timedelta(hours=-5))
    assert jalali_time(datetime(2025, 7, 24, 16, 0, tzinfo=west)) == "1404/05/03 00:30"


def test_intervals_hold_both_days() -> None:
    """``--from`` and ``--to`` take in the whole of both days, and leave open what is not said."""
    start, end = (
        datetime(2025, 7, 24, 20, 30, tzinfo=UTC),
        datetime(2025, 7, 26, 20, 30, tzinfo=UTC),
    )
    assert parse_interval("1404/05/03", "۱۴۰۴/۰۵/۰۴") == (start, end)
    assert parse_interval("1404/05/03", None) == (start, None)
    assert parse_interval(None, "2025-07-26") == (None, end)
    assert parse_interval("", "") == (None, None)
    assert day_interval(DAY) == (start, start + timedelta(days=1))
    with pytest.raises(DateError, match="before"):
        parse_interval("1404/05/04", "1404/05/03")


@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)))
def test_days_follow_each_other_without_a_gap(day: date) -> None:
    """No instant is in two days or in none, also where the clocks were changed."""
    assert day_interval(day)[1] == day_interval(day + timedelta(days=1))[0]
