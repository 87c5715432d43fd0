"""Schedules and hours: what people write, and the instants it names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import jdatetime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.jalali import TEHRAN, jalali_time, parse_instant
from core.schedules import Schedule, Window, between, next_after, next_allowed, weekday_of
from core.schedules.tokens import ScheduleError
from core.schedules.windows import parse_windows, write_windows
from core.schedules.words import parse_schedule, write_schedule


def ms(text: str) -> int:
    """An instant in Tehran."""
    return int(parse_instant(text).timestamp() * 1000)


def words(instant_ms: int | None) -> str:
    """An instant as people read it."""
    if instant_ms is None:
        return "never"
    return jalali_time(datetime.fromtimestamp(instant_ms / 1000, UTC))


# 1403 is a leap year, 1404 is not; 1404/01/01 is a Friday. 1408 is the next leap year.
@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        ("every day 08:00", "1404/05/03 07:59", "1404/05/03 08:00"),
        ("every day 08:00", "1404/05/03 08:00", "1404/05/04 08:00"),
        ("every day 08:00 20:30", "1404/05/03 08:00", "1404/05/03 20:30"),
        ("هر روز ساعت ۸:۰۰ و ۲۰:۳۰", "1404/05/03 08:00", "1404/05/03 20:30"),
        ("every day 00:00", "1404/06/31 12:00", "1404/07/01 00:00"),
        ("saturday,monday 09:30 17:00", "1404/01/01 00:00", "1404/01/02 09:30"),
        ("saturday,monday 09:30 17:00", "1404/01/02 17:00", "1404/01/04 09:30"),
        ("سه شنبه و پنج‌شنبه ۱۰:۰۰", "1404/01/01 00:00", "1404/01/05 10:00"),
        ("شنبه تا چهارشنبه ۱۰:۰۰", "1404/01/06 10:00", "1404/01/09 10:00"),
        ("thu-sat 10:00", "1404/01/02 10:00", "1404/01/07 10:00"),
        ("fri 06:00", "1403/12/30 12:00", "1404/01/01 06:00"),
        ("days 1,15,last of month 08:00", "1404/01/15 08:00", "1404/01/31 08:00"),
        ("days 1,15,last of month 08:00", "1404/07/15 08:00", "1404/07/30 08:00"),
        ("days 1,15,last of month 08:00", "1404/12/15 08:00", "1404/12/29 08:00"),
        ("days 1,15,last of month 08:00", "1403/12/15 08:00", "1403/12/30 08:00"),
        ("روزهای ۱ و ۱۵ و آخر ماه ساعت ۰۸:۰۰", "1403/12/30 08:00", "1404/01/01 08:00"),
        ("last day of month 23:59", "1404/06/31 23:59", "1404/07/30 23:59"),
        ("days 30 08:00", "1404/11/30 08:00", "1405/01/30 08:00"),
        ("days 31 08:00", "1404/06/31 08:00", "1405/01/31 08:00"),
        ("months 1,7 days 1 08:00", "1404/01/01 08:00", "1404/07/01 08:00"),
        ("روز ۱ فروردین و مهر ۰۸:۰۰", "1404/07/01 08:00", "1405/01/01 08:00"),
        ("months 12 days 30 10:00", "1403/12/30 10:00", "1408/12/30 10:00"),
        ("esfand 10:00", "1404/01/01 00:00", "1404/12/01 10:00"),
        ("days 1-7 fri 10:00", "1404/01/01 10:00", "1404/02/05 10:00"),
        ("once 1405/09/15 10:00", "1404/01/01 00:00", "1405/09/15 10:00"),
        ("یک بار ۱۴۰۵/۰۹/۱۵ ساعت ۱۰:۰۰", "1405/09/15 09:59", "1405/09/15 10:00"),
        ("once 1405/09/15 10:00", "1405/09/15 10:00", "never"),
    ],
)
def test_the_next_instant(text: str, after: str, due: str) -> None:
    """Cases worked out by hand, with a printed calendar."""
    assert words(next_after(parse_schedule(text), ms(after))) == due


def test_a_leap_day_on_a_weekday_is_found_decades_ahead() -> None:
    """A rare day is still a day."""
    due = next_after(parse_schedule("months 12 days 30 friday 10:00"), ms("1404/01/01"))
    assert due is not None
    day = datetime.fromtimestamp(due / 1000, TEHRAN).date()
    here = jdatetime.date.fromgregorian(date=day)
    assert (here.month, here.day, weekday_of(day)) == (12, 30, 6)


def test_a_year_of_the_last_days() -> None:
    """Twelve of them, each of its own length, in a leap year and in another."""
    schedule = parse_schedule("days last 08:00")
    for year, last in ((1403, "30"), (1404, "29")):
        due = list(between(schedule, ms(f"{year}/01/01"), ms(f"{year + 1}/01/01")))
        days = [words(each)[8:10] for each in due]
        assert days == ["31"] * 6 + ["30"] * 5 + [last]


def test_an_hour_that_summer_time_left_out() -> None:
    """It comes an hour later, once, and in order with the others of its day."""
    schedule = parse_schedule("every day 00:30 01:00 02:00")
    due = list(between(schedule, ms("1400/01/01 12:00"), ms("1400/01/02 12:00")))
    assert [words(each)[11:] for each in due] == ["01:00", "01:30", "02:00"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("every day", "time of day is missing"),
        ("08:00", "days are missing"),
        ("every day 25:00", "column 11: '25:00' is no time"),
        ("every day 8:5", "column 11"),
        ("saterday 08:00", "did you mean 'saturday'"),
        ("1,15 08:00", "column 1: what is 1? Write 'days' or 'months'"),
        ("days 08:00", "which days"),
        ("days 32 08:00", "column 6: month days are 1 to 31"),
        ("months 7-12 days 31 08:00", "never come"),
        ("months 13 08:00", "months are 1 to 12"),
        ("once 08:00", "after 'once' comes a date"),
        ("once 1404/12/30 08:00", "there is no day 1404/12/30"),
        ("every day 1405/01/01 08:00", "only after 'once'"),
        ("every day @ 08:00", "column 11: '@'"),
        ("sat- 08:00", "begins a range that has no end"),
    ],
)
def test_what_is_wrong_with_a_schedule(text: str, said: str) -> None:
    """An error names the place and what to write."""
    with pytest.raises(ScheduleError) as error:
        parse_schedule(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "at", "allowed"),
    [
        ("", "1404/01/01 03:00", "1404/01/01 03:00"),
        ("08:00-21:00", "1404/01/01 03:00", "1404/01/01 08:00"),
        ("08:00-21:00", "1404/01/01 08:00", "1404/01/01 08:00"),
        ("08:00-21:00", "1404/01/01 20:59", "1404/01/01 20:59"),
        ("۸:۰۰ تا ۲۱:۰۰", "1404/01/01 21:00", "1404/01/02 08:00"),
        ("sat-wed 08:00-13:00", "1404/01/06 13:00", "1404/01/09 08:00"),
        ("sat-wed 08:00-13:00 16:00-20:00; thu 08:00-12:00", "1404/01/06 13:00",
         "1404/01/06 16:00"),
        ("sat-wed 08:00-13:00 16:00-20:00; thu 08:00-12:00", "1404/01/06 20:00",
         "1404/01/07 08:00"),
        ("21:00-06:00", "1404/01/01 05:59", "1404/01/01 05:59"),
        ("21:00-06:00", "1404/01/01 06:00", "1404/01/01 21:00"),
        ("fri 22:00-24:00", "1404/01/01 23:59", "1404/01/01 23:59"),
        ("fri 22:00-24:00", "1404/01/02 00:00", "1404/01/08 22:00"),
        ("fri 22:00-02:00", "1404/01/02 01:00", "1404/01/02 01:00"),
    ],
)  # fmt: skip
def test_hours(text: str, at: str, allowed: str) -> None:
    """What is due outside the hours waits for them."""
    assert words(next_allowed(parse_windows(text), ms(at))) == allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("08:00", "column 1: '08:00' needs an end"),
        ("08:00-25:00", "column 7: '25:00' is no time"),
        ("08:00-08:00", "no time at all"),
        ("sat-wed", "hours are missing"),
        ("weekend 08:00-09:00", "column 1: 'weekend' is not understood"),
    ],
)
def test_what_is_wrong_with_hours(text: str, said: str) -> None:
    """An error names the place and what to write."""
    with pytest.raises(ScheduleError) as error:
        parse_windows(text)
    assert said in str(error.value)


_minutes = st.integers(0, 1439)
_weekdays = st.frozensets(st.integers(0, 6), max_size=6)
_schedules = st.one_of(
    st.builds(
        Schedule,
        st.frozensets(_minutes, min_size=1, max_size=3).map(lambda each: tuple(sorted(each))),
        _weekdays,
        st.frozensets(st.sampled_from([-1, 1, 2, 15, 28, 29]), max_size=3),
        st.frozensets(st.integers(1, 12), max_size=3),
    ),
    st.builds(
        Schedule,
        _minutes.map(lambda each: (each,)),
        once=st.dates(date(2022, 9, 23), date(2050, 1, 1)),
    ),
)
_instants = st.datetimes(datetime(2022, 10, 1), datetime(2045, 1, 1)).map(  # noqa: DTZ001
    lambda each: int(each.replace(tzinfo=UTC).timestamp()) * 1000
)


def _matches(schedule: Schedule, day: date) -> bool:
    here = jdatetime.date.fromgregorian(date=day)
    tomorrow = jdatetime.date.fromgregorian(date=day + timedelta(days=1))
    days = {here.day, -1} if tomorrow.day == 1 else {here.day}
    return (
        (schedule.once or day) == day
        and (not schedule.months or here.month in schedule.months)
        and (not schedule.month_days or bool(schedule.month_days & days))
        and (not schedule.weekdays or weekday_of(day) in schedule.weekdays)
    )


@settings(max_examples=50)
@given(_schedules, _instants)
def test_the_next_instant_is_the_first_that_matches(schedule: Schedule, after: int) -> None:
    """Looking at each day of the next months one by one finds no other."""
    first = datetime.fromtimestamp(after / 1000, TEHRAN).date()
    days = (first + timedelta(days=ahead) for ahead in range(70))
    midnight = (datetime(day.year, day.month, day.day, tzinfo=TEHRAN) for day in days)
    due = (
        int(each.timestamp() * 1000) + minutes * 60_000
        for each in midnight
        if _matches(schedule, each.date())
        for minutes in schedule.times
    )
    found = next((each for each in due if each > after), None)
    told = next_after(schedule, after)
    if found is not None:
        assert told == found
    else:
        assert told is None or told > after + 69 * 86_400_000


@given(_schedules)
def test_a_schedule_is_written_as_it_is_read(schedule: Schedule) -> None:
    """One form, which means the same."""
    assert parse_schedule(write_schedule(schedule)) == schedule


_windows = st.lists(
    st.builds(
        lambda begins, longer, days: Window(begins, min(1440, begins + longer), days),
        _minutes,
        st.integers(1, 600),
        st.frozensets(st.integers(0, 6), min_size=1),
    ),
    max_size=4,
).map(tuple)


@given(_windows, _instants)
def test_hours_hold_what_is_told(windows: tuple[Window, ...], at: int) -> None:
    """What is told is inside, not before, and nothing earlier was inside; it reads back."""
    assert set(parse_windows(write_windows(windows))) == set(windows)
    told = next_allowed(windows, at)
    assert told >= at
    assert not windows or _inside(windows, told)
    assert told == at or not _inside(windows, told - 1000)


def _inside(windows: tuple[Window, ...], at: int) -> bool:
    here = datetime.fromtimestamp(at / 1000, TEHRAN)
    minutes = here.hour * 60 + here.minute
    weekday = weekday_of(here.date())
    return any(
        window.begins <= minutes < window.ends and weekday in window.weekdays for window in windows
    )
