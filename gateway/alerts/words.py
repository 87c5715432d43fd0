"""Alerts in English and Persian. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.alerts.troubles import Kind


class Words(NamedTuple):
    """How a kind of trouble is told of, and its end; ``{about}`` and ``{detail}`` are filled."""

    english: str
    persian: str
    english_end: str
    persian_end: str


WORDS: Final[Mapping[Kind, Words]] = {
    Kind.BIND_DOWN: Words(
        "bind {about} is down: {detail}",
        "اتصال {about} قطع است: {detail}",
        "bind {about} is up again",
        "اتصال {about} دوباره برقرار شد",
    ),
    Kind.PANEL_DOWN: Words(
        "SMS panel {about} is down: {detail}",
        "پنل پیامک {about} در دسترس نیست: {detail}",
        "SMS panel {about} is up again",
        "پنل پیامک {about} دوباره در دسترس است",
    ),
    Kind.PANEL_CREDIT: Words(
        "SMS panel {about} is low on credit: {detail}",
        "اعتبار پنل پیامک {about} رو به پایان است: {detail}",
        "SMS panel {about} has credit again",
        "اعتبار پنل پیامک {about} شارژ شد",
    ),
    Kind.QUEUE_OLD: Words(
        "messages wait for too long (the oldest, how many): {detail}",
        "پیام‌ها بیش از حد در صف مانده‌اند (کهنه‌ترین، تعداد): {detail}",
        "messages go out in time again",
        "صف ارسال پیام‌ها عادی شد",
    ),
    Kind.REFUSED: Words(
        "operator {about} refuses too many messages: {detail}",
        "اپراتور {about} پیام‌های زیادی را نمی‌پذیرد: {detail}",
        "operator {about} takes messages again",
        "اپراتور {about} دوباره پیام‌ها را می‌پذیرد",
    ),
    Kind.UNDELIVERED: Words(
        "too many messages over operator {about} are not delivered: {detail}",
        "پیام‌های زیادی از اپراتور {about} به گیرنده نمی‌رسد: {detail}",
        "messages over operator {about} are delivered again",
        "پیام‌های اپراتور {about} دوباره می‌رسد",
    ),
    Kind.DATABASE: Words(
        "the database cannot be used: {detail}",
        "پایگاه داده در دسترس نیست: {detail}",
        "the database can be used again",
        "پایگاه داده دوباره در دسترس است",
    ),
    Kind.READING_PAUSED: Words(
        "the database is too slow: reading is paused, {detail} arrivals wait",
        "پایگاه داده کند است: دریافت متوقف شده و {detail} پیام در انتظار است",
        "the database keeps up again",
        "سرعت پایگاه داده عادی شد",
    ),
    Kind.DISK: Words(
        "the disk is nearly full: {detail} are free",
        "دیسک رو به پر شدن است: {detail} خالی مانده",
        "the disk has room again",
        "دیسک دوباره جا دارد",
    ),
    Kind.WAL: Words(
        "the database's write-ahead log has grown to {detail}: something reads without end",
        "فایل WAL پایگاه داده به {detail} رسیده است",
        "the database's write-ahead log is small again",
        "فایل WAL پایگاه داده کوچک شد",
    ),
    Kind.SCHEDULE_LATE: Words(
        "the schedule of template {about} has not run: {detail} late",
        "زمان‌بندی الگوی {about} اجرا نشده است: {detail} دیر",
        "the schedule of template {about} is kept again",
        "زمان‌بندی الگوی {about} اجرا شد",
    ),
    Kind.SCHEDULE_BROKEN: Words(
        "the schedules of some templates cannot be kept (how many): {detail}",
        "زمان‌بندی چند الگو اجرا شدنی نیست (تعداد): {detail}",
        "the schedules of all templates are kept again",
        "زمان‌بندی همه الگوها دوباره اجرا می‌شود",
    ),
    Kind.CAMPAIGN_FAILED: Words(
        "a campaign of template {about} has failed: {detail}",
        "ارسال انبوه الگوی {about} ناتمام ماند: {detail}",
        "the campaign of template {about} goes on, or was given up",
        "ارسال انبوه الگوی {about} ادامه یافت یا لغو شد",
    ),
    Kind.SCHEDULER: Words(
        "the scheduler has not looked at its schedules for {detail}",
        "زمان‌بند {detail} است که کار نمی‌کند",
        "the scheduler goes round again",
        "زمان‌بند دوباره کار می‌کند",
    ),
    Kind.SET_ASIDE: Words(
        "messages could not be worked on and were set aside (how many): {detail}",
        "پیام‌هایی پردازش نشد و کنار گذاشته شد (تعداد): {detail}",
        "no more messages have been set aside",
        "پیام دیگری کنار گذاشته نشده است",
    ),
    Kind.DAEMON_GONE: Words(
        "daemon {about} is gone: {detail}",
        "سرویس شماره {about} از کار افتاده است: {detail}",
        "daemon {about} is back, or forgotten",
        "سرویس شماره {about} بازگشت یا کنار گذاشته شد",
    ),
    Kind.WEBHOOK: Words(
        "webhook {about} is not taken: {detail}",
        "گیرندهٔ وب‌هوک {about} پیام‌ها را نمی‌گیرد: {detail}",
        "webhook {about} is taken again, or was removed",
        "گیرندهٔ وب‌هوک {about} دوباره پیام‌ها را می‌گیرد یا حذف شد",
    ),
}
TEST: Final = Words(
    "this is a test of the alerts",
    "این پیام آزمایش هشدار است",
    "this is a test of the alerts",
    "این پیام آزمایش هشدار است",
)
_REASONS: Final = 160
"""So much of a reason is told: others write it, and it may be anything."""


def told(kind: Kind, about: str, detail: str) -> tuple[str, str]:
    """What is wrong, in English and Persian."""
    words = WORDS[kind]
    short = " ".join(detail.split())[:_REASONS].rstrip(" .")
    filled = (each.format(about=about, detail=short) for each in words[:2])
    english, persian = (each.removesuffix(": ") for each in filled)
    return english, persian


def told_end(kind: Kind, about: str) -> tuple[str, str]:
    """That it is right again, in English and Persian."""
    words = WORDS[kind]
    return words.english_end.format(about=about), words.persian_end.format(about=about)
