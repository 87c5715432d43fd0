"""Which reports there are, and how their personal data are hidden.

Annex 2 of seed 000, item 10: produced, sent and received messages by mobile number and by file
number; the others are what staff ask for besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from core.identifiers import masked_mobile
from core.particulars import masked_name
from core.reports import details, summaries
from core.reports.summaries import COUNTS, PRODUCED
from core.reports.types import Column, Kind, Report, Values

_CAMPAIGN: Final = (
    Column("campaign", "ارسال انبوه", Kind.ID),
    Column("utility", "شرکت"),
    Column("template", "الگو"),
    Column("planned_for", "زمان", Kind.INSTANT),
    Column("run_state", "وضعیت ارسال انبوه"),
    Column("rows", "ردیف", Kind.NUMBER),
    Column("wanted_none", "نخواسته‌اند", Kind.NUMBER),
    Column("untold", "بی‌گیرنده", Kind.NUMBER),
)
_EACH: Final = (
    Report(
        "mobiles",
        "messages made, sent, delivered, failed and received, by mobile",
        "پیام‌ها به تفکیک شماره همراه",
        (Column("mobile", "شماره همراه", Kind.MOBILE), *COUNTS),
        summaries.mobiles,
    ),
    Report(
        "subscriptions",
        "the same by subscription (file number)",
        "پیام‌ها به تفکیک شماره پرونده",
        (Column("utility", "شرکت"), Column("subscription", "شماره پرونده"), *COUNTS),
        summaries.subscriptions,
    ),
    Report(
        "templates",
        "messages made, sent, delivered and failed, by template",
        "پیام‌ها به تفکیک الگو",
        (Column("utility", "شرکت"), Column("template", "الگو"), *PRODUCED),
        summaries.templates,
    ),
    Report(
        "lines",
        "messages made, sent, delivered, failed and received, by line",
        "پیام‌ها به تفکیک خط",
        (Column("line", "خط"), *COUNTS),
        summaries.lines,
    ),
    Report(
        "days",
        "the same by day",
        "پیام‌ها به تفکیک روز",
        (Column("day", "روز", Kind.DAY), *COUNTS),
        summaries.days,
    ),
    Report(
        "campaigns",
        "messages made, sent, delivered and failed, by campaign; who wanted none",
        "پیام‌ها به تفکیک ارسال انبوه",
        (*_CAMPAIGN, *PRODUCED),
        summaries.campaigns,
    ),
    Report(
        "messages",
        "what became of each message, such as those of a campaign (--run)",
        "وضعیت هر پیام",
        details.MESSAGES,
        details.messages,
    ),
    Report(
        "received",
        "each text that came in, and what was made of it",
        "پیام‌های دریافت شده",
        details.RECEIVED,
        details.received,
    ),
)
REPORTS: Final = {report.name: report for report in _EACH}


def masked(columns: Sequence[Column], rows: Iterable[Values]) -> Iterator[Values]:
    """The rows with whose they are hidden, for who may not see it."""
    hide = [_MASKS.get(column.kind) for column in columns]
    if not any(hide):
        yield from rows
        return
    for row in rows:
        yield tuple(
            value if mask is None or not isinstance(value, str) else mask(value)
            for mask, value in zip(hide, row, strict=True)
        )


_MASKS: Final = {Kind.MOBILE: masked_mobile, Kind.NAME: masked_name}
