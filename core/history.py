"""What was used, billed and paid before, newest first, a slice at a time.

Seed 004 asks by bill ID and start year, seed 001 by period. A year is a Jalali one and
means: from its first of Farvardin on. Each history is one statement for a whole batch: the
rows of a subscription are few and found by its index, and numbered there. One more counts
them where somebody asks for rows that are further on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
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
from core.jalali import DateError, from_jalali, instant_of, midnight_ms
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import bills, payments

MOST_ROWS = 12
"""So many rows of a list are given at once; a message holds fewer."""

_YEARS = range(1300, 1600)
_FURTHEST = 10_000
"""No list goes on beyond this row."""


class Billed(NamedTuple):
    """What a bill came to."""

    period: str
    payable: int
    """Rial."""
    due_date: date | None


class Used(NamedTuple):
    """What a bill says of the use."""

    period: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used: int | None


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
    return 0 if day == date.min else midnight_ms(day)


_wanted = unfolded(
    {
        "slice": Integer(),
        "subscriber_id": BigInteger(),
        "start": Integer(),
        "since": BigInteger(),
        "since_day": Date(),
    }
)


class _Statements(NamedTuple):
    """What a history is fetched with."""

    slices: Select[Any]
    """The rows of each wanted slice, and one more where there is more."""
    counts: Select[Any]
    """How many rows there are in all of what a slice is of."""


def _statements(
    table: Table, columns: tuple[str, ...], at: ColumnElement[Any], *also: ColumnElement[bool]
) -> _Statements:
    wanted = _wanted.join(
        table, (table.c.subscriber_id == _wanted.c.subscriber_id) & (at >= _wanted.c.since)
    )
    place = func.row_number().over(
        partition_by=_wanted.c.slice, order_by=(at.desc(), table.c.id.desc())
    )
    numbered = (
        select(
            _wanted.c.slice,
            _wanted.c.start,
            place.label("place"),
            *(table.c[name] for name in columns),
        )
        .select_from(wanted)
        .where(*also)
        .subquery("numbered")
    )
    slices = (
        select(numbered.c.slice, *(numbered.c[name] for name in columns))
        .where(
            numbered.c.place >= numbered.c.start,
            numbered.c.place <= numbered.c.start + MOST_ROWS,
        )
        .order_by(numbered.c.place)
    )
    counts = (
        select(_wanted.c.slice, func.count())
        .select_from(wanted)
        .where(*also)
        .group_by(_wanted.c.slice)
    )
    return _Statements(slices, counts)


Row = TypeVar("Row")
_Key = tuple[int, int | None, int]
"""A slice: whose, from which year on, beginning with which row."""


class _History(Shelf, Generic[Row]):
    """Slices of one kind of history, as the calls of a batch ask for them."""

    _statements: ClassVar[_Statements]

    def __init__(self) -> None:
        self._rows: dict[_Key, list[Row]] = {}
        self._counts: dict[_Key, int] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement, and one where not the first rows are asked for."""
        keys = list(dict.fromkeys(_keys(subjects)))
        begins = {year: _begins(year) for _id, year, _start in keys}
        wanted = [
            (place, subscriber_id, start, _instant(day), day)
            for place, (subscriber_id, year, start) in enumerate(keys)
            if (day := begins[year]) is not None
        ]
        if not wanted:
            return
        found: defaultdict[int, list[Row]] = defaultdict(list)
        made = self._made
        for place, *values in fetch(connection, self._statements.slices, as_rows(wanted)):
            found[place].append(made(values))
        self._rows = {keys[place]: rows for place, rows in found.items()}
        further = [one for one in wanted if one[2] > 1]
        if further:
            counted = fetch(connection, self._statements.counts, as_rows(further))
            self._counts = {keys[place]: count for place, count in counted}

    def of(self, subscriber: Subscriber, call: Call) -> Sequence[Row]:
        """The rows that a call asks for, newest first, and one more where there is more."""
        return self._rows.get((subscriber.id, year_of(call), start_of(call)), ())

    def count(self, subscriber: Subscriber, call: Call) -> int:
        """How many rows there are, where a call does not ask for the first; else 0."""
        return self._counts.get((subscriber.id, year_of(call), start_of(call)), 0)

    def _made(self, values: Sequence[Any]) -> Row:
        raise NotImplementedError


def _keys(subjects: Iterable[Subject]) -> Iterator[_Key]:
    for _asker, call, subscribers in subjects:
        for subscriber in subscribers:
            yield subscriber.id, year_of(call), start_of(call)


class BillHistory(_History[Billed]):
    """Bills, by when they were issued."""

    _statements = _statements(bills, Billed._fields, bills.c.issued_at)

    def _made(self, values: Sequence[Any]) -> Billed:
        return Billed._make(values)


_whole = bills.alias("whole")
_counted_again = exists().where(
    _whole.c.subscriber_id == bills.c.subscriber_id,
    _whole.c.kind != MID_PERIOD,
    _whole.c.from_date <= bills.c.from_date,
    _whole.c.to_date >= bills.c.to_date,
)


class UseHistory(_History[Used]):
    """Bills, by the time in which the water was used: a year has all that ended in it.

    A mid-period bill is left out once the bill of its whole period is there.
    """

    _statements = _statements(
        bills,
        Used._fields,
        bills.c.issued_at,
        or_(bills.c.to_date.is_(None), bills.c.to_date > _wanted.c.since_day),
        or_(bills.c.kind != MID_PERIOD, ~_counted_again),
    )

    def _made(self, values: Sequence[Any]) -> Used:
        return Used._make(values)


class PaymentHistory(_History[Payment]):
    """Payments, by when they were made."""

    _statements = _statements(payments, Payment._fields, payments.c.paid_at)

    def _made(self, values: Sequence[Any]) -> Payment:
        return _payment(values)


def _payment(values: Sequence[Any]) -> Payment:
    amount, paid_at, channel = values
    return Payment(amount, instant_of(paid_at), channel)


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
            rows = fetch(connection, _LAST_PAYMENTS, as_rows((key,) for key in ids))
            self._payments = {row[0]: _payment(row[1:]) for row in rows}

    def of(self, subscriber: Subscriber) -> Payment | None:
        """The newest payment, None when nothing was paid yet."""
        return self._payments.get(subscriber.id)
