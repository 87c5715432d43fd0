"""When things are due, in the time of Tehran and the Jalali calendar. Pure.

A ``Schedule`` names instants (when messages are made), a ``Window`` the hours of a day in
which messages may go out. How people write them: ``core.schedules.words``,
``core.schedules.windows``. Instants are UTC milliseconds; what an hour in Tehran is in UTC is the
time zone database's business.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import jdatetime

from core.jalali import TEHRAN

MINUTES_OF_DAY: Final = 1440
EVERY_WEEKDAY: Final = frozenset(range(7))
LAST_DAY: Final = -1

_DAY: Final = timedelta(days=1)
_FURTHEST_MONTHS: Final = 12 * 60
"""A leap year's last day is a Friday once in some 35 years; nothing real is rarer."""
_FURTHEST_DAYS: Final = 15
"""Windows come again every week."""
_SATURDAY: Final = date(2025, 3, 22).toordinal()


class Window(NamedTuple):
    """Some hours of some days of the week."""

    begins: int
    """Minutes after midnight; the first minute in which it is allowed."""
    ends: int
    """The first minute in which it is not; up to 1440."""
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Saturday, the first day of the Iranian week."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Days, and times of those days. A day must match every part that is given."""

    times: tuple[int, ...]
    """Minutes after midnight in Tehran, ascending."""
    weekdays: frozenset[int] = frozenset()
    """0 is Saturday; empty: every day of the week."""
    month_days: frozenset[int] = frozenset()
    """Days of the Jalali month, 1 to 31; -1 is its last day. Empty: every day."""
    months: frozenset[int] = frozenset()
    """Jalali months, 1 to 12; empty: every month."""
    once: date | None = None
    """Only on this day."""


def next_after(schedule: Schedule, instant_ms: int) -> int | None:
    """The first instant of ``schedule`` after ``instant_ms``; None when there is none."""
    day: date | None = _day_in_tehran(instant_ms)
    while (day := _next_day(schedule, day)) is not None:
        instants = _instants(schedule.times, day)
        place = bisect_right(instants, instant_ms)
        if place < len(instants):
            return instants[place]
        day += _DAY
    return None


def between(schedule: Schedule, after: int, until: int) -> Iterator[int]:
    """The instants of ``schedule`` after ``after`` and not after ``until``, ascending."""
    due = next_after(schedule, after)
    while due is not None and due <= until:
        yield due
        due = next_after(schedule, due)


def next_allowed(windows: tuple[Window, ...], instant_ms: int) -> int:
    """The first instant, at or after ``instant_ms``, that is inside one of ``windows``.

    Without windows everything is allowed. Raises ``ValueError`` for windows without a minute.
    """
    if not windows:
        return instant_ms
    day = _day_in_tehran(instant_ms)
    for _ in range(_FURTHEST_DAYS):
        for begins, ends in _open_on(windows, day):
            if instant_ms < ends:
                return max(begins, instant_ms)
        day += _DAY
    raise ValueError("these windows are never open")


def weekday_of(day: date) -> int:
    """0 for Saturday to 6 for Friday."""
    return (day.toordinal() - _SATURDAY) % 7


def _day_in_tehran(instant_ms: int) -> date:
    return datetime.fromtimestamp(instant_ms // 1000, TEHRAN).date()


def _instant(day: date, minutes: int) -> int:
    hour, minute = divmod(minutes, 60)
    return int(datetime.combine(day, time(hour, minute), tzinfo=TEHRAN).timestamp()) * 1000


@lru_cache(1024)
def _instants(times: tuple[int, ...], day: date) -> list[int]:
    # Sorted, as an hour that summer time leaves out is an hour later than it says.
    return sorted({_instant(day, minutes) for minutes in times})


@lru_cache(1024)
def _open_on(windows: tuple[Window, ...], day: date) -> tuple[tuple[int, int], ...]:
    """When the windows are open on a day: from and until, as instants, ascending."""
    weekday = weekday_of(day)
    return tuple(
        sorted(
            (_instant(day, window.begins), _end(day, window.ends))
            for window in windows
            if weekday in window.weekdays and window.begins < window.ends
        )
    )


def _end(day: date, minutes: int) -> int:
    return _instant(day + _DAY, 0) if minutes == MINUTES_OF_DAY else _instant(day, minutes)


# --- days -----------------------------------------------------------------------------


@lru_cache(1024)
def _next_day(schedule: Schedule, day: date) -> date | None:
    """The first day of ``schedule`` that is not before ``day``."""
    if schedule.once is not None:
        return schedule.once if schedule.once >= day else None
    if schedule.month_days or schedule.months:
        return _next_in_months(schedule, day)
    weekdays = schedule.weekdays or EVERY_WEEKDAY
    ahead = (day + timedelta(days=days) for days in range(7))
    return next((each for each in ahead if weekday_of(each) in weekdays), None)


def _next_in_months(schedule: Schedule, day: date) -> date | None:
    here = jdatetime.date.fromgregorian(date=day)
    year, month = here.year, here.month
    first = jdatetime.date(year, month, 1).togregorian()
    weekdays = schedule.weekdays or EVERY_WEEKDAY
    for _ in range(_FURTHEST_MONTHS):
        next_year, next_month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004
        following = jdatetime.date(next_year, next_month, 1).togregorian()
        if month in schedule.months or not schedule.months:
            for number in _numbers(schedule.month_days, (following - first).days):
                found: date = first + timedelta(days=number - 1)
                if found >= day and weekday_of(found) in weekdays:
                    return found
        year, month, first = next_year, next_month, following
    return None


def _numbers(month_days: frozenset[int], length: int) -> list[int]:
    """Days of a month of so many days, ascending."""
    if not month_days:
        return list(range(1, length + 1))
    days = {length if number == LAST_DAY else number for number in month_days}
    return sorted(number for number in days if number <= length)
