"""What was used, billed and paid before, newest first, a slice at a time.

Seed 004 asks by bill ID and start year, seed 001 by period. A year is a Jalali one and
means: from its first of Farvardin on. Each history is one statement for a whole batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    Select,
    Table,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from core.bills import MID_PERIOD
from core.bulk import as_rows, unfolded, unfolded_once
from core.calls import Argument, Call
from core.jalali import DateError, from_jalali, midnight_ms
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


class Paid(NamedTuple):
    """One payment."""

    amount: int
    """Rial."""
    paid_at: int
    """UTC milliseconds."""
    channel: str


def year_of(call: Call) -> int | None:
    """The year that a call gives, None for none."""
    given = call.arguments.get(Argument.YEAR)
    return int(given) if given else None


def start_of(call: Call) -> int:
    """The row to begin with, from 1."""
    given = call.arguments.get(Argument.START)
    return min(max(int(given), 1), _FURTHEST) if given else 1


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


_LAST = "last"
"""The name of a parameter: which row is the last that anybody wants, from 0."""

_wanted = unfolded_once(
    {
        "slice": Integer(),
        "subscriber_id": BigInteger(),
        "since": BigInteger(),
        "since_day": Date(),
    },
    "wanted",
)

Conditions = Callable[[FromClause], Iterable[ColumnElement[bool]]]
"""Which rows of a table, or of an alias of it, belong to a history."""


def _all(_table: FromClause) -> Iterable[ColumnElement[bool]]:
    return ()


def _newest_rows(
    table: Table, columns: tuple[str, ...], at: str, conditions: Conditions = _all
) -> Select[Any]:
    """The rows of each wanted slice down to the last that is wanted, newest first.

    When that one was made is found first: behind it a history may be as long as it likes.
    """
    older = table.alias("older")
    last = (
        select(older.c[at])
        .where(
            older.c.subscriber_id == _wanted.c.subscriber_id,
            older.c[at] >= _wanted.c.since,
            *conditions(older),
        )
        .order_by(older.c[at].desc())
        .limit(1)
        .offset(bindparam(_LAST, type_=Integer))
        .correlate(_wanted)
        .scalar_subquery()
    )
    return (
        select(_wanted.c.slice, *(table.c[name] for name in columns))
        .join_from(
            _wanted,
            table,
            (table.c.subscriber_id == _wanted.c.subscriber_id)
            & (table.c[at] >= func.coalesce(last, _wanted.c.since)),
        )
        .where(*conditions(table))
        .order_by(table.c[at].desc(), table.c.id.desc())
    )


Row = TypeVar("Row")
_Key = tuple[int, int | None]
"""A slice: whose, and from which year on."""


class History(Shelf, Generic[Row]):
    """Slices of one kind of history, as the calls of a batch ask for them."""

    _statement: ClassVar[Select[Any]]
    """Its rows are those of the history, with the slice before the rest."""

    def __init__(self) -> None:
        self._rows: Mapping[_Key, list[Row]] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        asked = [
            ((subscriber.id, year_of(call)), start_of(call))
            for _asker, call, subscribers in subjects
            for subscriber in subscribers
        ]
        keys = list(dict(asked))
        begins = {year: _begins(year) for _id, year in keys}
        wanted = [
            (place, subscriber_id, _instant(day), day)
            for place, (subscriber_id, year) in enumerate(keys)
            if (day := begins[year]) is not None
        ]
        if not wanted:
            return
        last = max(start for _key, start in asked) - 1 + MOST_ROWS
        found: defaultdict[_Key, list[Row]] = defaultdict(list)
        for row in fetch(connection, self._statement, {**as_rows(wanted), _LAST: last}):
            found[keys[row[0]]].append(row)
        self._rows = found

    def of(self, subscriber: Subscriber, call: Call) -> Sequence[Row]:
        """The rows that a call asks for, newest first, and one more where there is more."""
        start = start_of(call)
        return self._known(subscriber, call)[start - 1 : start + MOST_ROWS]

    def count(self, subscriber: Subscriber, call: Call) -> int:
        """How many rows there are, when there is none where a call asks for them."""
        return len(self._known(subscriber, call))

    def _known(self, subscriber: Subscriber, call: Call) -> Sequence[Row]:
        return self._rows.get((subscriber.id, year_of(call)), ())


class BillHistory(History[Billed]):
    """Bills, by when they were issued."""

    _statement = _newest_rows(bills, Billed._fields, "issued_at")


_whole = bills.alias("whole")


def _told_once(table: FromClause) -> Iterable[ColumnElement[bool]]:
    """Bills of the time that is wanted, but for those that another one has in it."""
    counted_again = exists().where(
        _whole.c.subscriber_id == table.c.subscriber_id,
        _whole.c.kind != MID_PERIOD,
        _whole.c.from_date <= table.c.from_date,
        _whole.c.to_date >= table.c.to_date,
    )
    return (
        or_(table.c.to_date.is_(None), table.c.to_date > _wanted.c.since_day),
        or_(table.c.kind != MID_PERIOD, ~counted_again),
    )


class UseHistory(History[Used]):
    """Bills, by the time in which the water was used: a year has all that ended in it.

    A mid-period bill is left out once the bill of its whole period is there.
    """

    _statement = _newest_rows(bills, Used._fields, "issued_at", _told_once)


class PaymentHistory(History[Paid]):
    """Payments, by when they were made."""

    _statement = _newest_rows(payments, Paid._fields, "paid_at")


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
        self._payments: dict[int, Paid] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        ids = ids_of(subjects)
        if ids:
            rows = fetch(connection, _LAST_PAYMENTS, as_rows((key,) for key in ids))
            self._payments = {row[0]: Paid._make(row[1:]) for row in rows}

    def of(self, subscriber: Subscriber) -> Paid | None:
        """The newest payment, None when nothing was paid yet."""
        return self._payments.get(subscriber.id)
