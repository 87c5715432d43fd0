"""The words of schedules and hours, in English and Persian, and where each of them stands. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from core.schedules import MINUTES_OF_DAY
from core.text import MARK, flat, nearest_hint


class ScheduleError(ValueError):
    """A text is no schedule or no hours, in words for the person who wrote it."""


WEEKDAYS: Final = (
    "saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
)  # fmt: skip
MONTHS: Final = (
    "farvardin", "ordibehesht", "khordad", "tir", "mordad", "shahrivar",
    "mehr", "aban", "azar", "dey", "bahman", "esfand",
)  # fmt: skip
_PERSIAN_WEEKDAYS: Final = (
    "شنبه", "یکشنبه", "دوشنبه", "سهشنبه", "چهارشنبه", "پنجشنبه", "جمعه",
)  # fmt: skip
_PERSIAN_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "ابان", "اذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
WEEKDAY_OF: Final = {
    name: number
    for names in (WEEKDAYS, [each[:3] for each in WEEKDAYS], _PERSIAN_WEEKDAYS)
    for number, name in enumerate(names)
} | {"tues": 3, "thur": 5, "thurs": 5}
MONTH_OF: Final = {
    name: number for names in (MONTHS, _PERSIAN_MONTHS) for number, name in enumerate(names, 1)
}
EVERY_WORDS: Final = {"every", "each", "هر"}
DAY_WORDS: Final = {"day", "days", "روز", "روزهای"}
MONTH_WORDS: Final = {"month", "months", "ماه", "ماههای"}
LAST_WORDS: Final = {"last", "اخر", "اخرین"}
ONCE_WORDS: Final = {"once", "یکبار"}
DAILY_WORDS: Final = {"daily", "روزانه"}
_MEANINGLESS: Final = {"at", "on", "of", "the", "and", "in", "و", "در", "ساعت", "از"}
_KNOWN: Final = (
    "every", "day", "days", "months", "last", "once", "daily", "at", "of", *WEEKDAYS, *MONTHS,
)  # fmt: skip

_TOKEN: Final = re.compile(
    r"(?P<date>[0-9]{4}[/.\-][0-9]{1,2}[/.\-][0-9]{1,2})"
    r"|(?P<time>[0-9]+:[0-9]*)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<to>[\-–]|(?:تا|to)(?!\w))"
    r"|(?P<word>(?:یک|دو|سه|چهار|پنج)[ \u200c]*شنبه|یک[ \u200c]+بار|[^\W0-9][\w\u200c]*)"
    r"|(?P<skipped>[\s\u200c,،;؛]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_SHORT: Final = 3
"""Fewer days in a row than this are written one by one."""


class Token(NamedTuple):
    """A word, a number, a time, a date, or what stands between the ends of a range."""

    kind: str
    """``date``, ``time``, ``number``, ``to`` or ``word``."""
    text: str
    """In ASCII digits and lower case; of a Persian word, without marks and blanks."""
    column: int
    """Counted from one."""

    def error(self, problem: str) -> ScheduleError:
        """What is wrong with it, and where it stands."""
        return ScheduleError(f"column {self.column}: {problem}")


def tokens_of(text: str) -> list[Token]:
    """The words of ``text`` that say something. Raises ``ScheduleError``."""
    found = []
    for match in _TOKEN.finditer(flat(text).lower()):
        kind = match.lastgroup or ""
        if kind == "skipped":
            continue
        plain = match[0]
        if kind == "word":
            plain = plain.replace(MARK, "").replace(" ", "")
            if plain in _MEANINGLESS:
                continue
        token = Token(kind, plain, match.start() + 1)
        if kind == "other":
            raise token.error(f"{plain!r} means nothing in a schedule")
        found.append(token)
    return found


def minutes_of(token: Token, most: int = MINUTES_OF_DAY - 1) -> int:
    """The minutes after midnight that ``token`` names. Raises ``ScheduleError``."""
    hour, _, minute = token.text.partition(":")
    found = int(hour) * 60 + int(minute or 0)
    if len(hour) > 2 or len(minute) != 2 or int(minute) > 59 or found > most:  # noqa: PLR2004
        raise token.error(f"{token.text!r} is no time of day such as 08:00")
    return found


def unknown(token: Token) -> ScheduleError:
    """It is no word of a schedule; the nearest that is."""
    return token.error(f"{token.text!r} is not understood; {nearest_hint(token.text, _KNOWN)}")


def weekdays_of(first: Token, last: Token) -> set[int]:
    """The days of the week from one to another, 0 for Saturday. Raises ``ScheduleError``."""
    if last.text not in WEEKDAY_OF:
        raise unknown(last)
    begins, ends = WEEKDAY_OF[first.text], WEEKDAY_OF[last.text]
    return {(begins + step) % 7 for step in range((ends - begins) % 7 + 1)}


def written_time(minutes: int) -> str:
    """``08:05``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def written_weekdays(weekdays: frozenset[int]) -> str:
    """``saturday-wednesday``, ``saturday,monday``."""
    runs: list[list[int]] = []
    for day in sorted(weekdays):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        f"{WEEKDAYS[run[0]]}-{WEEKDAYS[run[-1]]}"
        if len(run) >= _SHORT
        else ",".join(WEEKDAYS[day] for day in run)
        for run in runs
    )
