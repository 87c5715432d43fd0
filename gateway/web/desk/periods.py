"""Periods as lists ask for them: from the start of a day to the end of another."""

from __future__ import annotations

from datetime import UTC, date, datetime

from core.jalali import DateError, interval_ms, jalali, local, month_days
from gateway.web.desk.forms import Form


def period(asked: Form) -> tuple[int | None, int | None]:
    """From the start of one day to the end of another, as UTC milliseconds."""
    since, until = asked.day("since"), asked.day("until")
    try:
        return interval_ms(
            since.isoformat() if since else None, until.isoformat() if until else None
        )
    except DateError:
        asked.wrong("until", "audit.order")
        return None, None


def this_month(now_ms: int) -> tuple[date, date]:
    """The first and the last day of the Jalali month that it is in Tehran."""
    year, month, _ = map(int, jalali(local(datetime.fromtimestamp(now_ms / 1000, UTC))).split("/"))
    return month_days(year, month)
