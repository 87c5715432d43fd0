"""Messages one by one: what became of each, and what came in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from core.database import Reader
from core.ids import made_at
from core.jalali import instant_of
from core.reports.names import Subscription, in_pieces, load_subscriptions, load_templates
from core.reports.scan import received_texts, sent_messages
from core.reports.types import Column, Kind, Values, Wanted
from core.state_groups import ENGLISH, GROUPS, PERSIAN

MESSAGES: Final = (
    Column("id", "شناسه", Kind.ID),
    Column("made_at", "زمان تولید", Kind.INSTANT),
    Column("mobile", "شماره همراه", Kind.MOBILE),
    Column("utility", "شرکت"),
    Column("subscription", "شماره پرونده"),
    Column("line", "خط"),
    Column("template", "الگو"),
    Column("campaign", "ارسال انبوه", Kind.ID),
    Column("parts", "بخش", Kind.NUMBER),
    Column("state", "وضعیت فنی"),
    Column("what", "وضعیت به انگلیسی"),
    Column("status", "وضعیت"),
    Column("attempts", "تلاش", Kind.NUMBER),
    Column("sent_at", "زمان ارسال", Kind.INSTANT),
    Column("changed_at", "آخرین تغییر", Kind.INSTANT),
    Column("operator", "اپراتور"),
    Column("code", "کد", Kind.NUMBER),
    Column("error", "خطا"),
)
RECEIVED: Final = (
    Column("id", "شناسه", Kind.ID),
    Column("received_at", "زمان دریافت", Kind.INSTANT),
    Column("mobile", "شماره همراه", Kind.MOBILE),
    Column("utility", "شرکت"),
    Column("subscription", "شماره پرونده"),
    Column("line", "خط"),
    Column("state", "وضعیت"),
    Column("operation", "عملیات"),
    Column("outcome", "نتیجه"),
    Column("error", "خطا"),
)
_NOBODY: Final = Subscription("", "")


def messages(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """What was made to be sent, the oldest first."""
    named = database.read("report.names", load_templates)
    for piece in in_pieces(sent_messages(database, wanted)):
        whose = _whose(database, {each.subscriber_id for each in piece})
        for each in piece:
            utility, template = named.get(each.template_id or 0, (None, None))
            owner = whose.get(each.subscriber_id or 0, _NOBODY)
            group = GROUPS[each.state]
            yield (
                each.id,
                _instant(made_at(each.id)),
                each.mobile,
                owner.utility or utility,
                owner.number or None,
                each.line,
                template,
                each.run_id,
                each.parts,
                each.state.value,
                ENGLISH[group],
                PERSIAN[group],
                each.attempts,
                _instant(each.accepted_at),
                _instant(each.changed_at),
                each.smsc,
                each.code,
                each.error,
            )


def received(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """What came in, the oldest first."""
    for piece in in_pieces(received_texts(database, wanted)):
        whose = _whose(database, {each.subscriber_id for each in piece})
        for each in piece:
            owner = whose.get(each.subscriber_id or 0, _NOBODY)
            yield (
                each.id,
                _instant(made_at(each.id)),
                each.mobile,
                owner.utility or None,
                owner.number or None,
                each.line,
                each.state,
                each.operation or None,
                each.outcome or None,
                each.error,
            )


def _whose(database: Reader, ids: set[int | None]) -> dict[int, Subscription]:
    known = [each for each in ids if each is not None]
    return database.read("report.names", load_subscriptions, known) if known else {}


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else instant_of(at_ms)
