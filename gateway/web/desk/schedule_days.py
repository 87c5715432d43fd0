"""A schedule with a day that was chosen in a calendar put into it, or taken out. Pure."""

from __future__ import annotations

from datetime import date
from typing import Final

from core.jalali import jalali
from core.schedules import Schedule, weekday_of

EARLY: Final = (8 * 60,)
"""At what time of a day it is, in minutes, where nothing was said."""


def with_day(was: Schedule | None, how: str, day: date) -> Schedule | None:
    """``how``: ``once`` on this day, ``monthly`` on its number, ``weekly`` on its weekday.

    A day of the month or of the week that the schedule has is taken out; None: no day is left.
    """
    times = was.times if was else EARLY
    if how == "once":
        return Schedule(times, once=day)
    kept = was if was and was.once is None else Schedule(times)
    if how == "monthly":
        days = kept.month_days ^ {int(jalali(day)[-2:])}
        return Schedule(times, month_days=days, months=kept.months) if days else None
    weekdays = kept.weekdays ^ {weekday_of(day)}
    return Schedule(times, weekdays=weekdays) if weekdays else None
