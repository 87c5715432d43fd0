"""The hours in which messages may go out, as people write them. Pure.

    08:00-21:00                                             ۸:۰۰ تا ۲۱:۰۰
    sat-wed 08:00-13:00 16:00-20:00; thu 08:00-12:00        شنبه تا چهارشنبه ۸:۰۰-۱۳:۰۰

What is read is written back in one form, which reads as the same again.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.schedules import EVERY_WEEKDAY, MINUTES_OF_DAY, Window
from core.schedules.tokens import (
    DAILY_WORDS,
    DAY_WORDS,
    EVERY_WORDS,
    WEEKDAY_OF,
    ScheduleError,
    Token,
    minutes_of,
    tokens_of,
    unknown,
    weekdays_of,
    written_time,
    written_weekdays,
)


def parse_windows(text: str) -> tuple[Window, ...]:
    """The hours that ``text`` says, such as ``sat-wed 08:00-13:00``; none for an empty text.

    Hours that end before they begin, ``21:00-06:00``, go on into the next day. Raises
    ``ScheduleError``, which names the column.
    """
    tokens = tokens_of(text)
    windows: list[Window] = []
    days: set[int] = set()
    used, place = True, 0
    while place < len(tokens):
        token, following = tokens[place], tokens[place + 1 : place + 3]
        ranged = len(following) > 1 and following[0].kind == "to"
        if token.kind == "time":
            if not ranged or following[1].kind != "time":
                raise token.error(f"{token.text!r} needs an end, such as {token.text}-21:00")
            windows += _hours(token, following[1], frozenset(days) or EVERY_WEEKDAY)
            used = True
        elif token.text in WEEKDAY_OF:
            if used:
                days = set()
            days |= weekdays_of(token, following[1] if ranged else token)
            used = False
        elif token.text in EVERY_WORDS | DAY_WORDS | DAILY_WORDS:
            days, used, ranged = set(), True, False
        else:
            raise unknown(token)
        place += 3 if ranged else 1
    if not used:
        raise ScheduleError("the hours are missing; write such as: sat-wed 08:00-13:00")
    return tuple(sorted(windows, key=_order))


def _hours(begin: Token, end: Token, weekdays: frozenset[int]) -> list[Window]:
    begins, ends = minutes_of(begin), minutes_of(end, MINUTES_OF_DAY)
    if begins == ends:
        raise begin.error(f"{begin.text}-{end.text} is no time at all; all day is 00:00-24:00")
    if begins < ends:
        return [Window(begins, ends, weekdays)]
    tomorrow = frozenset((day + 1) % 7 for day in weekdays)
    early = [Window(0, ends, tomorrow)] if ends else []
    return [Window(begins, MINUTES_OF_DAY, weekdays), *early]


def _order(window: Window) -> tuple[list[int], int, int]:
    return sorted(window.weekdays), window.begins, window.ends


def write_windows(windows: Iterable[Window]) -> str:
    """``windows`` in words that ``parse_windows`` reads as the same."""
    each = tuple(windows)
    if all(window.weekdays == EVERY_WEEKDAY for window in each):
        return "; ".join(map(_hours_of, each))
    return "; ".join(f"{_days_of(window)} {_hours_of(window)}" for window in each)


def _days_of(window: Window) -> str:
    every = window.weekdays == EVERY_WEEKDAY
    return "every day" if every else written_weekdays(window.weekdays)


def _hours_of(window: Window) -> str:
    return f"{written_time(window.begins)}-{written_time(window.ends)}"
