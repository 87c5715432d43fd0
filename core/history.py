"""What was used, billed and paid before, newest first, a slice at a time.

Seed 004 asks by bill ID and start year, seed 001 by period. A year is a Jalali one and
means: from its first of Farvardin on. Each history is one statement for a whole batch: the
rows of a subscription are few and found by its index, and numbered there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    Table,
    exists,
    func,
    or_,
    select,
)

from core.bills import MID_PERIOD
from core.bulk import as_rows, unfolded
from core.calls import Argument, Call
from core.jalali import DateError, day_interval, from_jalali
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.tables import bills, payments

MOST_ROWS = 12
"""So many rows of a list are given at once; a message holds fewer."""

_YEARS = range(1300, 1600)
_FURTHEST = 10_000
"""No list goes on beyond this row."""


class Bill(NamedTuple):
    """One bill of a history."""

    period: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used: int | None
    payable: int
    due_date: date | None


class Payment(NamedTuple):
    """One payment of a history."""

    amount: int
    """Rial."""
    paid_at: datetime
    channel: str


def year_of(call: Call) -> int | None:
    """The year that a call gives, None for none."""
    given = call.arguments.get(Argument.YEAR)
    return int(given) if given else None


def start_of(call: Call) -> int:
    """The row to begin with, from 1."""
    return min(max(int(call.arguments.get(Argument.START) or 1), 1), _FURTHEST)


def _begins(year: int | None) -> date | None:
    """The first day that is wanted; None for a year that there is nothing of."""
    if year is None:
        return date.min
    try:
        return from_jalali(year, 1, 1) if year in _YEARS else None
    except DateError:
        return None


def _instant(day: date) -> int:
    return 0 if day == date.min else int(day_interval(day)[0].timestamp() * 1000)


_wanted = unfolded(
    {
        "subscriber_id": BigInteger(),
        "year": Integer(),
        "start": Integer(),
        "since": BigInteger(),
        "since_day": Date(),
    }
)


def _slices(
    table: Table, columns: tuple[str, ...], at: ColumnElement[Any], *also: ColumnElement[bool]
) -> Select[Any]:
    """The rows of each wanted slice, and one more where there is more."""
    place = func.row_number().over(
        partition_by=(_wanted.c.subscriber_id, _wanted.c.year, _wanted.c.start),
        order_by=(at.desc(), table.c.id.desc()),
    )
    numbered = (
        select(
            _wanted.c.subscriber_id,
            _wanted.c.year,
            _wanted.c.start,
            *(table.c[name] for name in columns),
            place.label("place"),
        )
        .join_from(
            _wanted,
            table,
            (table.c.subscriber_id == _wanted.c.subscriber_id) & (at >= _wanted.c.since),
        )
        .where(*also)
        .subquery("numbered")
    )
    return (
        select(numbered)
        .where(
            numbered.c.place >= numbered.c.start,
            numbered.c.place <= numbered.c.start + MOST_ROWS,
        )
        .order_by(numbered.c.place)
    )


Row = TypeVar("Row")


class _History(Shelf, Generic[Row]):
    """Slices of one kind of history, as the calls of a batch ask for them."""

    _statement: ClassVar[Select[Any]]

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int | None, int], list[Row]] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        wanted = set(_keys(subjects))
        if wanted:
            for row in connection.execute(self._statement, as_rows(wanted)).all():
                self._rows.setdefault((row[0], row[1], row[2]), []).append(self._made(row[3:-1]))

    def of(self, subscriber: Subscriber, call: Call) -> Sequence[Row]:
        """The rows that a call asks for, newest first, and one more where there is more."""
        return self._rows.get((subscriber.id, year_of(call), start_of(call)), ())

    def _made(self, values: Sequence[Any]) -> Row:
        raise NotImplementedError


def _keys(subjects: Iterable[Subject]) -> Iterable[tuple[int, int | None, int, int, date]]:
    for _asker, call, subscribers in subjects:
        year = year_of(call)
        begins = _begins(year)
        if begins is not None:
            for subscriber in subscribers:
                yield subscriber.id, year, start_of(call), _instant(begins), begins


class BillHistory(_History[Bill]):
    """Bills, by when they were issued."""

    _statement = _slices(bills, Bill._fields, bills.c.issued_at)

    def _made(self, values: Sequence[Any]) -> Bill:
        return Bill._make(values)


_whole = bills.alias("whole")
_counted_again = exists().where(
    _whole.c.subscriber_id == bills.c.subscriber_id,
    _whole.c.kind != MID_PERIOD,
    _whole.c.from_date <= bills.c.from_date,
    _whole.c.to_date >= bills.c.to_date,
)


class UseHistory(_History[Bill]):
    """Bills, by the time in which the water was used: a year has all that ended in it.

    A mid-period bill is left out once the bill of its whole period is there.
    """

    _statement = _slices(
        bills,
        Bill._fields,
        bills.c.issued_at,
        or_(bills.c.to_date.is_(None), bills.c.to_date > _wanted.c.since_day),
        or_(bills.c.kind != MID_PERIOD, ~_counted_again),
    )

    def _made(self, values: Sequence[Any]) -> Bill:
        return Bill._make(values)


class PaymentHistory(_History[Payment]):
    """Payments, by when they were made."""

    _statement = _slices(payments, Payment._fields, payments.c.paid_at)

    def _made(self, values: Sequence[Any]) -> Payment:
        return _payment(values)


def _payment(values: Sequence[Any]) -> Payment:
    amount, paid_at, channel = values
    return Payment(amount, datetime.fromtimestamp(paid_at / 1000, UTC), channel)


_paying = unfolded({"subscriber_id": BigInteger()})
_newest = payments.alias("newest")
_newest_id = (
    select(_newest.c.id)
    .where(_newest.c.subscriber_id == _paying.c.subscriber_id)
    .order_by(_newest.c.paid_at.desc(), _newest.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_PAYMENTS = select(
    payments.c.subscriber_id, payments.c.amount, payments.c.paid_at, payments.c.channel
).join_from(_paying, payments, payments.c.id == _newest_id)


class LastPayments(Shelf):
    """The newest payment of each subscription."""

    def __init__(self) -> None:
        self._payments: dict[int, Payment] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        ids = ids_of(subjects)
        if ids:
            rows = connection.execute(_LAST_PAYMENTS, as_rows((key,) for key in ids))
            self._payments = {row[0]: _payment(row[1:]) for row in rows}

    def of(self, subscriber: Subscriber) -> Payment | None:
        """The newest payment, None when nothing was paid yet."""
        return self._payments.get(subscriber.id)
