"""Dates as people in Iran write and read them; instants inside stay UTC.

A date is told apart by its year: 1200 to 1600 is Jalali (solar Hijri), 1900 to 2200
Gregorian. A day is a day in Tehran, whose offset is the time zone database's business:
summer time was kept until 2022 and is not any more.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import jdatetime

from core.text import normalise

TEHRAN: Final = ZoneInfo("Asia/Tehran")

_JALALI_YEARS: Final = range(1200, 1601)
_GREGORIAN_YEARS: Final = range(1900, 2201)

_MONTHS: Final = 12

_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<by>[/.\-])(?P<month>[0-9]{1,2})(?P=by)(?P<day>[0-9]{1,2})"
    r"|(?P<month_>[0-9]{2})(?P<day_>[0-9]{2}))"
    r"(?:(?:[T ]\s*|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:\.[0-9]{1,9})?)?\s*(?P<zone>Z|[+\-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)


class DateError(ValueError):
    """A text is not a date, in words for the person who wrote it."""


def parse_date(text: str) -> date:
    """A Jalali or ISO date in any digits, with or without a time, as a day in Tehran.

    Such as ``1404/5/3``, ``۱۴۰۴-۰۵-۰۳``, ``14040503``, ``2025-07-25``,
    ``2025-07-25T10:00:00Z``. Raises ``DateError``.
    """
    found = _fields(text)
    day = _day(found, text)
    if found["zone"]:
        return _at(day, found, text).astimezone(TEHRAN).date()
    _time(found, text)
    return day


def parse_instant(text: str) -> datetime:
    """As ``parse_date``, with an optional time, as an instant in UTC.

    A time without a zone is in Tehran; no time is the start of the day. Raises ``DateError``.
    """
    found = _fields(text)
    return _at(_day(found, text), found, text).astimezone(UTC)


def day_interval(first: date, last: date | None = None) -> tuple[datetime, datetime]:
    """The UTC instants at which ``first`` starts and ``last`` (or ``first``) ends in Tehran.

    The end is not part of it. Raises ``DateError`` when ``last`` is before ``first``.
    """
    last = first if last is None else last
    if last < first:
        raise DateError(f"{jalali(last)} is before {jalali(first)}")
    return _midnight(first), _midnight(last + timedelta(days=1))


def parse_interval(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The texts of ``--from`` and ``--to``, both days included, as UTC instants.

    The start, and the end, which is not part of it; ``None`` where there is no text. Raises
    ``DateError``.
    """
    first = parse_date(since) if since else None
    last = parse_date(until) if until else None
    if first and last:
        return day_interval(first, last)
    return (
        _midnight(first) if first else None,
        _midnight(last + timedelta(days=1)) if last else None,
    )


def interval_ms(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """``parse_interval`` as rows have their instants: in UTC milliseconds. Raises ``DateError``."""
    first, last = parse_interval(since, until)
    return milliseconds(first) if first else None, milliseconds(last) if last else None


def milliseconds(instant: datetime) -> int:
    """An instant as rows have it: in UTC milliseconds."""
    return round(instant.timestamp() * 1000)


def instant_of(at_ms: int) -> datetime:
    """What ``milliseconds`` was made of."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def iso(at_ms: int) -> str:
    """An instant as other programs are told of it: ISO 8601 in UTC."""
    return instant_of(at_ms).isoformat(timespec="milliseconds")


def day_of(at_ms: int) -> date:
    """The day in Tehran of an instant in UTC milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, TEHRAN).date()


def midnight_ms(day: date) -> int:
    """When a day begins in Tehran, in UTC milliseconds."""
    return milliseconds(_midnight(day))


def month_days(year: int, month: int) -> tuple[date, date]:
    """The first and the last day of a Jalali month. Raises ``DateError`` for none."""
    first = from_jalali(year, month, 1)
    after = from_jalali(year + month // _MONTHS, month % _MONTHS + 1, 1)
    return first, after - timedelta(days=1)


def from_jalali(year: int, month: int, day: int) -> date:
    """A Jalali day as a date. Raises ``DateError`` when there is no such day."""
    try:
        found: date = jdatetime.date(year, month, day).togregorian()
    except ValueError:
        raise DateError(f"there is no day {year:04}/{month:02}/{day:02}") from None
    return found


@lru_cache(maxsize=4096)
def jalali(day: date) -> str:
    """A day as ``1404/05/03``, ASCII digits. A ``datetime`` is not taken: see ``local``."""
    return str(jdatetime.date.fromgregorian(date=day).strftime("%Y/%m/%d"))


def jalali_time(instant: datetime) -> str:
    """An instant as it is in Tehran: ``1404/05/03 14:05``, ASCII digits."""
    here = local(instant)
    return f"{jalali(here.date())} {here:%H:%M}"


def local(instant: datetime) -> datetime:
    """An instant as the clocks in Tehran show it; without a zone it is taken as UTC."""
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return zoned.astimezone(TEHRAN)


def _fields(text: str) -> dict[str, str | None]:
    found = _DATE.fullmatch(normalise(text).strip())
    if found is None:
        raise DateError(f"{text!r} is not a date such as 1404/05/03 or 2025-07-25")
    return found.groupdict()


def _day(found: dict[str, str | None], text: str) -> date:
    year = int(found["year"] or 0)
    month = int(found["month"] or found["month_"] or 0)
    day = int(found["day"] or found["day_"] or 0)
    if year in _JALALI_YEARS:
        return from_jalali(year, month, day)
    if year not in _GREGORIAN_YEARS:
        raise DateError(f"{text!r}: the year {year} is neither Jalali nor Gregorian")
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError(f"{text!r}: there is no such day") from None


def _time(found: dict[str, str | None], text: str) -> time:
    try:
        return time(int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0))
    except ValueError:
        raise DateError(f"{text!r}: there is no such time of day") from None


def _at(day: date, found: dict[str, str | None], text: str) -> datetime:
    zone: tzinfo = TEHRAN
    if found["zone"]:
        zone = datetime.strptime(found["zone"].upper(), "%z").tzinfo or UTC
    return datetime.combine(day, _time(found, text), tzinfo=zone)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=TEHRAN).astimezone(UTC)
