"""The kinds of files: their columns, under which names, and what a row must fulfil.

The columns are those that docs/importing.md describes. A new kind is an entry in ``KINDS``
and a store in ``core.importing.stores``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from core.identifiers import Check, check_payment_id
from core.importing import cells
from core.importing.errors import CellError
from core.jalali import instant_of, midnight_ms
from core.readings import MeterState

Values = dict[str, Any]
"""A row's values by column name."""

Problem = tuple[str, str]
"""A column and what is wrong with it."""

DAY_MS: Final = 86_400_000
_FIGURES: Final = 999_999_999
"""What a meter of nine digits can show."""
_YEARS_TO_PAY: Final = timedelta(days=5 * 366)
_YEARS_OF_INSTALMENTS: Final = timedelta(days=30 * 366)
_MOST_INSTALMENTS: Final = 360


class Column(NamedTuple):
    """One column of a file."""

    name: str
    parse: Callable[[str], Any]
    """Makes a value of a cell that is not blank; raises ``CellError``."""
    persian: tuple[str, ...]
    """The names that it may go by, besides its own."""
    required: bool = False
    default: Any = None
    """The value of a blank cell."""


class Kind(NamedTuple):
    """One kind of file."""

    name: str
    columns: tuple[Column, ...]
    check: Callable[[Values, int], Iterator[Problem]]
    """Looks at a row as a whole, at an instant; may fill in what follows from the rest."""
    of_subscriber: bool = True
    """Whether its rows belong to a subscriber, who must be there."""


def _utility(cell: str) -> str:
    name = cell.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise CellError(f"{cell!r} is not the name of a utility, such as kerman-water")
    return name


_UTILITY: Final = Column("utility", _utility, ("شرکت", "نام شرکت"), required=True)
_NUMBER: Final = Column(
    "number",
    cells.digits(20),
    ("شماره اشتراک", "اشتراک", "شماره مشترک", "شماره اشتراک مشترک"),
    required=True,
)
_BILL_ID: Final = Column("bill_id", cells.bill_id, ("شناسه قبض",))
_PAYMENT_ID: Final = Column("payment_id", cells.payment_id, ("شناسه پرداخت",))


def _future(values: Values, now: int, *names: str) -> Iterator[Problem]:
    """Nothing has been issued, paid or read after tomorrow."""
    tomorrow = now + DAY_MS
    for name in names:
        if (value := values.get(name)) is not None:
            if not isinstance(value, int):
                value = midnight_ms(value)
            if value > tomorrow:
                yield name, "is in the future"


def _subscriber(_values: Values, _now: int) -> Iterator[Problem]:
    return iter(())


def _bill(values: Values, now: int) -> Iterator[Problem]:
    began, ended, due = (values.get(name) for name in ("from_date", "to_date", "due_date"))
    if began and ended and ended < began:
        yield "to_date", "is before from_date"
    yield from _future(values, now, "from_date", "to_date", "issued_at")
    if values.get("issued_at") is None:
        if ended:
            values["issued_at"] = midnight_ms(ended)
        else:
            yield "issued_at", "is empty, and there is no to_date to take it from"
    if due and due > instant_of(now).date() + _YEARS_TO_PAY:
        yield "due_date", "is more than five years away"
    yield from _pair(values)


def _payment(values: Values, now: int) -> Iterator[Problem]:
    yield from _future(values, now, "paid_at")
    yield from _pair(values)


def _reading(values: Values, now: int) -> Iterator[Problem]:
    return _future(values, now, "read_at")


def _instalment(values: Values, now: int) -> Iterator[Problem]:
    yield from _future(values, now, "paid_at")
    if values["due_date"] > instant_of(now).date() + _YEARS_OF_INSTALMENTS:
        yield "due_date", "is more than thirty years away"
    yield from _pair(values)


def _pair(values: Values) -> Iterator[Problem]:
    bill_id, payment_id = values.get("bill_id"), values.get("payment_id")
    if bill_id and payment_id and check_payment_id(payment_id, bill_id) is not Check.VALID:
        yield "payment_id", f"{payment_id} does not belong to the bill ID {bill_id}"


STATES: Final = {
    "active": ("فعال", "دایر", "عادی"),
    "disconnected": ("قطع", "منقطع", "قطع شده"),
    "suspended": ("قطع موقت", "معلق", "غیرفعال"),
    "removed": ("جمع آوری شده", "جمع‌آوری شده", "برچیده", "حذف شده"),
}
"""The states of a subscription, with the words that a file may have for them."""

PLANS: Final = {
    "water": ("آب", "انشعاب آب", "حق انشعاب آب"),
    "wastewater": ("فاضلاب", "انشعاب فاضلاب", "حق انشعاب فاضلاب"),
}
"""The connection fees that are paid in instalments (seed 000, annex 3), and words for them."""

METER_STATES: Final[dict[str, tuple[str, ...]]] = {
    MeterState.NORMAL: ("عادی", "سالم"),
    MeterState.BROKEN: ("خراب",),
    MeterState.CHANGED: ("تعویض", "تعویضی", "تعویض شده"),
    MeterState.REVERSED: ("معکوس", "برعکس"),
    MeterState.CLOSED: ("بسته",),
    MeterState.ROLLED_OVER: ("دور کامل", "دور زده"),
    MeterState.NO_USE: ("بدون مصرف",),
    MeterState.OBSTACLE: ("مانع", "مانع دار"),
    MeterState.UNREAD: ("قرائت نشده",),
    MeterState.ABANDONED: ("متروکه",),
    MeterState.DISCONNECTED: ("قطع",),
}
"""How a meter was found (DOMAIN 5), and words for it."""

SUBSCRIBERS: Final = Kind(
    "subscribers",
    (
        _UTILITY,
        _NUMBER,
        Column("code", cells.digits(20), ("رمز", "رمز رایانه", "رمز رایانه ای", "کد رایانه")),
        Column("name", cells.text, ("نام", "نام مشترک", "نام و نام خانوادگی"), default=""),
        Column("usage", cells.text, ("کاربری", "نوع کاربری", "نوع مصرف"), default=""),
        Column("units", cells.figure(1, 10_000), ("تعداد واحد", "واحد"), default=1),
        Column("capacity", cells.figure(0, 10**7), ("ظرفیت", "ظرفیت قراردادی")),
        Column(
            "meter_serial", cells.text, ("سریال کنتور", "شماره سریال کنتور", "شماره کنتور", "سریال")
        ),
        Column(
            "meter_digits",
            cells.figure(1, 9),
            ("تعداد ارقام کنتور", "ارقام کنتور", "تعداد رقم کنتور"),
            default=5,
        ),
        Column(
            "mobile",
            cells.mobiles,
            ("موبایل", "شماره موبایل", "تلفن همراه", "شماره تلفن همراه", "همراه", "شماره همراه"),
            default=(),
        ),
        Column("address", cells.text, ("نشانی", "آدرس"), default=""),
        Column("region", cells.text, ("منطقه", "ناحیه", "شهر"), default=""),
        _BILL_ID,
        Column(
            "wastewater",
            cells.yes_or_no,
            ("فاضلاب", "انشعاب فاضلاب", "مشترک فاضلاب"),
            default=True,
        ),
        Column("state", cells.word_for(STATES), ("وضعیت", "وضعیت اشتراک"), default="active"),
    ),
    _subscriber,
    of_subscriber=False,
)

BILLS: Final = Kind(
    "bills",
    (
        _UTILITY,
        _NUMBER,
        Column("period", cells.text, ("دوره", "دوره قبض"), required=True),
        Column("from_date", cells.day, ("از تاریخ", "تاریخ قرائت قبلی", "تاریخ پیشین")),
        Column("to_date", cells.day, ("تا تاریخ", "تاریخ قرائت فعلی", "تاریخ کنونی")),
        Column("from_reading", cells.figure(0, _FIGURES), ("از رقم", "رقم قبلی", "رقم پیشین")),
        Column("to_reading", cells.figure(0, _FIGURES), ("تا رقم", "رقم فعلی", "رقم کنونی")),
        Column("used", cells.figure(0, _FIGURES), ("مصرف", "میزان مصرف", "مصرف دوره")),
        Column(
            "amount",
            cells.figure(0, cells.MOST_RIAL),
            ("مبلغ دوره", "مبلغ", "مبلغ این دوره"),
            required=True,
        ),
        Column(
            "payable",
            cells.figure(-cells.MOST_RIAL, cells.MOST_RIAL),
            ("قابل پرداخت", "مبلغ قابل پرداخت"),
            required=True,
        ),
        _BILL_ID,
        _PAYMENT_ID,
        Column("due_date", cells.day, ("مهلت پرداخت", "تاریخ مهلت", "مهلت")),
        Column("issued_at", cells.instant, ("تاریخ صدور", "زمان صدور", "صدور")),
    ),
    _bill,
)

PAYMENTS: Final = Kind(
    "payments",
    (
        _UTILITY,
        _NUMBER,
        _BILL_ID,
        _PAYMENT_ID,
        Column(
            "amount",
            cells.figure(1, cells.MOST_RIAL),
            ("مبلغ", "مبلغ پرداختی", "مبلغ پرداخت"),
            required=True,
        ),
        Column("paid_at", cells.instant, ("تاریخ پرداخت", "زمان پرداخت"), required=True),
        Column("channel", cells.text, ("درگاه", "روش پرداخت", "محل پرداخت"), default="import"),
        Column(
            "reference",
            cells.text,
            ("شماره پیگیری", "کد پیگیری", "شماره مرجع", "کد رهگیری"),
            required=True,
        ),
    ),
    _payment,
)

READINGS: Final = Kind(
    "readings",
    (
        _UTILITY,
        _NUMBER,
        Column(
            "reading",
            cells.figure(0, _FIGURES),
            ("رقم کنتور", "رقم", "قرائت", "رقم قرائت"),
            required=True,
        ),
        Column("read_at", cells.instant, ("تاریخ قرائت", "زمان قرائت"), required=True),
        Column(
            "source",
            cells.one_of("reader", "sms", "ussd", "desk", "import"),
            ("منبع", "منبع قرائت"),
            default="import",
        ),
        Column(
            "meter_state", cells.word_for(METER_STATES), ("وضعیت کنتور",), default=MeterState.NORMAL
        ),
        Column("old_end", cells.figure(0, _FIGURES), ("رقم کنتور قبلی", "رقم پایان کنتور قدیم")),
    ),
    _reading,
)

INSTALMENTS: Final = Kind(
    "instalments",
    (
        _UTILITY,
        _NUMBER,
        Column(
            "plan",
            cells.word_for(PLANS),
            ("نوع انشعاب", "انشعاب", "نوع اقساط", "بابت"),
            required=True,
        ),
        Column(
            "instalment",
            cells.figure(1, _MOST_INSTALMENTS),
            ("شماره قسط", "قسط"),
            required=True,
        ),
        Column(
            "amount",
            cells.figure(1, cells.MOST_RIAL),
            ("مبلغ", "مبلغ قسط"),
            required=True,
        ),
        Column(
            "due_date",
            cells.day,
            ("سررسید", "تاریخ سررسید", "مهلت", "مهلت پرداخت"),
            required=True,
        ),
        Column("paid_at", cells.instant, ("تاریخ پرداخت", "زمان پرداخت")),
        _BILL_ID,
        _PAYMENT_ID,
    ),
    _instalment,
)

KINDS: Final = {kind.name: kind for kind in (SUBSCRIBERS, BILLS, PAYMENTS, READINGS, INSTALMENTS)}
"""Every kind of file, by the name used in ``peyk import KIND``."""
