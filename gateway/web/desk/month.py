"""A Jalali month as a grid of weeks, for pages that let a day be chosen. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final, NamedTuple

from core.jalali import DateError, from_jalali, jalali, month_days
from core.schedules import weekday_of
from core.text import ascii_digits

DAYS_OF_WEEK: Final = 7
_MONTH: Final = re.compile(r"(\d{4})[/-](\d{1,2})")
_MONTHS: Final = 12


class Day(NamedTuple):
    """One day of the grid."""

    written: str
    """Jalali, ``1405/07/03``."""
    number: int
    is_today: bool
    is_marked: bool


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    month: int
    weeks: list[list[Day | None]]
    """Saturday first; None: a day of another month."""
    before: str
    """The month before, ``1405/06``."""
    after: str

    @property
    def first(self) -> date:
        """Its first day."""
        return from_jalali(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return month_days(self.year, self.month)[1]


def named(text: str, today: date) -> tuple[int, int]:
    """The month of ``1405/07``; today's where the text says none that there is."""
    found = _MONTH.fullmatch(ascii_digits(text.strip()))
    for said in (found, _MONTH.match(jalali(today))):
        if said is None:
            continue
        year, month = int(said[1]), int(said[2])
        try:
            from_jalali(*_step(year, month, 1), 1)
            from_jalali(year, month, 1)
        except DateError:
            continue
        return year, month
    raise AssertionError(today)


def grid(year: int, month: int, today: date, marked: Collection[date] = ()) -> Month:
    """The weeks of a month."""
    first = from_jalali(year, month, 1)
    end = from_jalali(*_step(year, month, 1), 1)
    cells: list[Day | None] = [None] * weekday_of(first)
    day = first
    while day < end:
        number = (day - first).days + 1
        cells.append(Day(jalali(day), number, day == today, day in marked))
        day += timedelta(days=1)
    cells += [None] * (-len(cells) % DAYS_OF_WEEK)
    weeks = [cells[at : at + DAYS_OF_WEEK] for at in range(0, len(cells), DAYS_OF_WEEK)]
    return Month(year, month, weeks, _written(year, month, -1), _written(year, month, 1))


def _step(year: int, month: int, step: int) -> tuple[int, int]:
    months = year * _MONTHS + month - 1 + step
    return months // _MONTHS, months % _MONTHS + 1


def _written(year: int, month: int, step: int) -> str:
    year, month = _step(year, month, step)
    return f"{year:04}/{month:02}"
