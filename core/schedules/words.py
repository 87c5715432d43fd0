"""Schedules and hours as people write them, in English or in Persian. Pure.

    every day 08:00                     هر روز ساعت ۰۸:۰۰
    saturday,monday 09:30 17:00         شنبه و دوشنبه ۰۹:۳۰ و ۱۷:۰۰
    days 1,15,last of month 08:00       روزهای ۱ و ۱۵ و آخر ماه ساعت ۰۸:۰۰
    months 1,7 days 1 08:00             روز ۱ فروردین و مهر ۰۸:۰۰
    once 1405/09/15 10:00               یکبار ۱۴۰۵/۰۹/۱۵ ۱۰:۰۰

What is read is written back in one form, which reads as the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.jalali import DateError, jalali, parse_date
from core.schedules import LAST_DAY, Schedule, next_after
from core.schedules.tokens import (
    DAILY_WORDS,
    DAY_WORDS,
    EVERY_WORDS,
    LAST_WORDS,
    MONTH_OF,
    MONTH_WORDS,
    MONTHS,
    ONCE_WORDS,
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

_MOST_TIMES: Final = 96
_LONGEST_MONTH: Final = 31


def parse_schedule(text: str) -> Schedule:
    """The schedule that ``text`` says. Raises ``ScheduleError``, which names the column."""
    reader = _Reader(tokens_of(text))
    schedule = reader.schedule()
    if schedule.once is None and next_after(schedule, 0) is None:
        raise ScheduleError(f"{text!r} names days that never come")
    return schedule


class _Reader:
    """Reads a schedule, a word at a time."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._times: set[int] = set()
        self._found: dict[str, set[int]] = {"weekdays": set(), "month_days": set(), "months": set()}
        self._of = ""
        """What numbers are numbers of, by now."""

    def schedule(self) -> Schedule:
        if not self._tokens:
            raise ScheduleError("a schedule is empty; write such as: every day 08:00")
        if self._tokens[0].text in ONCE_WORDS:
            return self._once()
        every = False
        while token := self._next():
            every |= token.text in EVERY_WORDS or token.text in DAILY_WORDS
            self._take(token)
        if not self._times:
            raise ScheduleError("the time of day is missing; write such as: every day 08:00")
        if not every and not any(self._found.values()):
            raise ScheduleError("the days are missing; write such as: every day 08:00")
        if len(self._times) > _MOST_TIMES:
            raise ScheduleError(f"a day has at most {_MOST_TIMES} times")
        return Schedule(
            tuple(sorted(self._times)),
            frozenset(self._found["weekdays"]),
            frozenset(self._found["month_days"]),
            frozenset(self._found["months"]),
        )

    def _once(self) -> Schedule:
        self._next()
        token = self._next()
        if token is None or token.kind != "date":
            raise (token or self._tokens[0]).error(
                "after 'once' comes a date such as 1405/09/15, and then a time"
            )
        try:
            day = parse_date(token.text)
        except DateError as error:
            raise token.error(str(error)) from None
        while token := self._next():
            if token.kind != "time":
                raise token.error("after the date come times of day only")
            self._times.add(minutes_of(token))
        if not self._times:
            raise ScheduleError("the time of day is missing; write such as: once 1405/09/15 10:00")
        return Schedule(tuple(sorted(self._times)), once=day)

    def _next(self) -> Token | None:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else None

    def _ahead(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else Token("", "", 0)

    def _take(self, token: Token) -> None:
        if token.kind == "time":
            self._times.add(minutes_of(token))
        elif token.kind == "number":
            self._take_numbers(token)
        elif token.kind == "word":
            self._take_word(token)
        elif token.kind == "date":
            raise token.error("a date stands only after 'once'")
        else:
            raise token.error(f"{token.text!r} stands between two days or two numbers only")

    def _take_word(self, token: Token) -> None:
        word = token.text
        if word in WEEKDAY_OF:
            self._found["weekdays"].update(weekdays_of(token, self._upto(token)))
        elif word in MONTH_OF:
            self._found["months"].update(_months(token, self._upto(token)))
        elif word in LAST_WORDS:
            self._found["month_days"].add(LAST_DAY)
        elif word in DAY_WORDS or word in MONTH_WORDS:
            self._of = "month_days" if word in DAY_WORDS else "months"
            before = self._tokens[self._at - 2].text if self._at > 1 else ""
            after = self._ahead()
            counted = after.kind == "number" or after.text in LAST_WORDS
            if word in DAY_WORDS and not counted and before not in EVERY_WORDS | LAST_WORDS:
                raise token.error("which days? Write such as: days 1,15,last, or: every day")
        elif word not in EVERY_WORDS and word not in DAILY_WORDS:
            raise unknown(token)

    def _take_numbers(self, token: Token) -> None:
        if not self._of:
            raise token.error(f"what is {token.text}? Write 'days' or 'months' before it")
        most = _LONGEST_MONTH if self._of == "month_days" else len(MONTHS)
        last = self._upto(token)
        numbers = range(int(token.text), int(last.text) + 1)
        if not numbers or numbers[0] < 1 or numbers[-1] > most:
            raise token.error(f"{self._of.replace('_', ' ')} are 1 to {most}")
        self._found[self._of].update(numbers)

    def _upto(self, token: Token) -> Token:
        """The end of the range that begins with ``token``, or the token itself."""
        if self._ahead().kind != "to":
            return token
        self._next()
        last = self._next()
        if last is None or last.kind != token.kind:
            raise token.error(f"{token.text!r} begins a range that has no end")
        return last


def _months(first: Token, last: Token) -> set[int]:
    if last.text not in MONTH_OF:
        raise unknown(last)
    begins, ends = MONTH_OF[first.text], MONTH_OF[last.text]
    return {(begins - 1 + step) % 12 + 1 for step in range((ends - begins) % 12 + 1)}


def write_schedule(schedule: Schedule) -> str:
    """``schedule`` in words that ``parse_schedule`` reads as the same."""
    times = " ".join(map(written_time, schedule.times))
    if schedule.once is not None:
        return f"once {jalali(schedule.once)} {times}"
    words = []
    if schedule.months:
        words.append("months " + ",".join(map(str, sorted(schedule.months))))
    if schedule.month_days:
        days = map(str, sorted(schedule.month_days - {LAST_DAY}))
        last = ["last"] if LAST_DAY in schedule.month_days else []
        words.append("days " + ",".join([*days, *last]))
    if schedule.weekdays:
        words.append(written_weekdays(schedule.weekdays))
    return " ".join([*words, times] if words else ["every day", times])
