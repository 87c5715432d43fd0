"""Payments of a file that came through our own page: booked already, under another name.

What is paid behind a link is booked at once, under the account's channel and the provider's
reference. The utility's own file brings it again some days later, under the bank's channel
and often under a reference of the bank's. So a row that is not stored yet is a payment of ours
when both are of one subscription and amount, and of one reference or, on the same day in
Tehran, of one pair of bill ID and payment ID. The payment then keeps what the file calls it,
so that it stands for one row of a file and no other, however often that comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Text,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from core.bulk import as_rows, unfolded, update_rows
from core.jalali import day_interval, day_of, milliseconds
from core.tables import orders, payments

if TYPE_CHECKING:
    from core.importing.news import Keyed

_file = unfolded(
    {
        "place": Integer(),
        "utility": Text(),
        "channel": Text(),
        "reference": Text(),
        "subscriber_id": BigInteger(),
        "amount": BigInteger(),
        "bill_id": Text(),
        "payment_id": Text(),
        "day_begins": BigInteger(),
        "day_ends": BigInteger(),
    },
    "file",
)
_stored = payments.alias("stored")
_ZERO: ColumnElement[str] = literal_column("'0'")
_same_reference = payments.c.reference == _file.c.reference
_same_pair = (
    (func.ltrim(payments.c.bill_id, _ZERO) == _file.c.bill_id)
    & (func.ltrim(payments.c.payment_id, _ZERO) == _file.c.payment_id)
    & (payments.c.paid_at >= _file.c.day_begins)
    & (payments.c.paid_at < _file.c.day_ends)
)
_CANDIDATES = (
    select(
        _file.c.place,
        payments.c.id,
        _same_reference,
        payments.c.file_channel,
        payments.c.file_reference,
    )
    .join_from(
        _file,
        payments,
        (payments.c.subscriber_id == _file.c.subscriber_id)
        & (payments.c.amount == _file.c.amount)
        & (payments.c.utility == _file.c.utility),
    )
    .where(
        or_(_same_reference, _same_pair),
        exists().where(
            orders.c.subscriber_id == payments.c.subscriber_id,
            orders.c.provider == payments.c.channel,
            orders.c.reference == payments.c.reference,
        ),
        ~exists().where(
            _stored.c.utility == _file.c.utility,
            _stored.c.channel == _file.c.channel,
            _stored.c.reference == _file.c.reference,
        ),
    )
)


class _Candidate(NamedTuple):
    """A row of the file, by its place, and a payment of ours that it may be."""

    place: int
    payment_id: int
    same_reference: bool
    file_channel: str | None
    file_reference: str | None


def without_ours(connection: Connection, rows: Keyed) -> Keyed:
    """``rows`` by (utility, channel, reference), without those that are payments of ours.

    Two statements; what the file calls ours is stored with them.
    """
    keys = list(rows)
    asked = as_rows(_asked(rows))
    found = [_Candidate._make(row) for row in connection.execute(_CANDIDATES, asked).all()]
    ours: dict[int, int] = {}
    taken: set[int] = set()
    # What the file called them before goes first, and a reference says more than a day.
    for one in sorted(
        found, key=lambda each: (not _is_known(each, keys), not each.same_reference, each.place)
    ):
        is_free = one.file_reference is None or _is_known(one, keys)
        if is_free and one.place not in ours and one.payment_id not in taken:
            ours[one.place] = one.payment_id
            taken.add(one.payment_id)
    named = [(payment_id, *keys[place][1:]) for place, payment_id in ours.items()]
    update_rows(connection, payments, ("id", "file_channel", "file_reference"), named)
    return {key: values for place, (key, values) in enumerate(rows.items()) if place not in ours}


def _is_known(one: _Candidate, keys: list[tuple[object, ...]]) -> bool:
    return (one.file_channel, one.file_reference) == keys[one.place][1:]


def _asked(rows: Keyed) -> Iterator[tuple[object, ...]]:
    for place, (key, values) in enumerate(rows.items()):
        day = day_of(values["paid_at"])
        begins, ends = (milliseconds(instant) for instant in day_interval(day))
        pair = tuple((values.get(name) or "").lstrip("0") for name in ("bill_id", "payment_id"))
        yield place, *key, values["subscriber_id"], values["amount"], *pair, begins, ends
