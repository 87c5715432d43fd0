"""Periods as lists ask for them: from the start of a day to the end of another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from core.jalali import DateError, from_jalali, jalali, local, parse_interval
from gateway.web.desk.forms import Form

_MONTHS = 12


def period(asked: Form) -> tuple[int | None, int | None]:
    """From the start of one day to the end of another, as UTC milliseconds."""
    since, until = asked.day("since"), asked.day("until")
    try:
        first, last = parse_interval(
            since.isoformat() if since else None, until.isoformat() if until else None
        )
    except DateError:
        asked.wrong("until", "audit.order")
        return None, None
    begins, ends = (round(at.timestamp() * 1000) if at else None for at in (first, last))
    return begins, ends


def this_month(now_ms: int) -> tuple[date, date]:
    """The first and the last day of the Jalali month that it is in Tehran."""
    year, month, _ = map(int, jalali(local(datetime.fromtimestamp(now_ms / 1000, UTC))).split("/"))
    first = from_jalali(year, month, 1)
    after = from_jalali(year + month // _MONTHS, month % _MONTHS + 1, 1)
    return first, after - timedelta(days=1)
