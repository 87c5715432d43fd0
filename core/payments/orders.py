"""Orders as the operation ``pay`` makes them: what may be paid, and what is asked for already.

What a pair of bill ID and payment ID stands for is looked up among bills, vouchers of
requests and instalments; everything for a whole batch in a fixed number of statements.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Table,
    Text,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

from core.bills import LastBill, load_last_bills
from core.bulk import as_rows, insert_rows, unfolded
from core.calls import Argument
from core.payments.states import PAYABLE, OrderState
from core.shelf import Asker, Shelf, Subject, ids_of
from core.statements import fetch
from core.tables import bills, instalments, orders, requests, subscribers
from core.terms import PaymentTerms

LINK_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs that nobody takes for one another: no l, o, 0, 1, and no capitals."""
LINK_LENGTH = 13
"""65 random bits."""
_LETTER_OF_OCTET = LINK_LETTERS.encode() * 8


def new_link() -> str:
    """The last part of a link that cannot be guessed."""
    return secrets.token_bytes(LINK_LENGTH).translate(_LETTER_OF_OCTET).decode()


class Due(NamedTuple):
    """Something that can be paid."""

    bill_id: str
    payment_id: str
    amount: int
    """Rial."""
    subscriber_id: int | None
    request_id: int | None = None
    instalment_id: int | None = None
    paid: bool = False


class OpenOrder(NamedTuple):
    """An order that may still be paid."""

    utility: str
    mobile: str | None
    subscriber_id: int | None
    request_id: int | None
    instalment_id: int | None
    bill_id: str | None
    amount: int
    link: str
    created_at: int
    expires_at: int
    state: str = OrderState.CREATED.value


def plain(identifier: str) -> str:
    """A bill or payment ID as it is compared: some print it with zeros in front."""
    return identifier.lstrip("0")


class Orders(Shelf):
    """What calls may pay, and the orders that there are for it."""

    new_link: Callable[[], str] = staticmethod(new_link)

    def __init__(self) -> None:
        self._dues: dict[tuple[str, str, str], Due] = {}
        self._bills: dict[int, LastBill] = {}
        self._open: defaultdict[tuple[str, str | None], list[OpenOrder]] = defaultdict(list)
        self._new: list[tuple[object, ...]] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """Three statements at the most."""
        pairs = {
            (variant, plain(one.call.arguments[Argument.PAYMENT_ID]))
            for one in subjects
            if Argument.PAYMENT_ID in one.call.arguments
            for variant in _variants(one.call.arguments.get(Argument.BILL_ID, ""))
        }
        if pairs:
            for utility, *rest in fetch(connection, _DUES, as_rows(pairs)):
                due = Due._make(rest)
                self._dues[utility, plain(due.bill_id), plain(due.payment_id)] = due
            about = {due.subscriber_id for due in self._dues.values() if due.subscriber_id}
            self._bills = load_last_bills(connection, about - ids_of(subjects))
        since = {
            (one.asker.mobile, one.asker.at - _ms(one.asker.terms.payments)) for one in subjects
        }
        for row in fetch(connection, _OPEN, as_rows(since)):
            order = OpenOrder._make(row)
            if order.state in PAYABLE:
                self._note(order)

    def due(self, asker: Asker, bill_id: str, payment_id: str) -> Due | None:
        """What a pair stands for at the asker's utility."""
        return self._dues.get((asker.utility, plain(bill_id), plain(payment_id)))

    def bill(self, subscriber_id: int) -> LastBill | None:
        """The newest bill of a subscription that a pair is of, and that no call names.

        Those of named ones are on the shelf ``LastBills``.
        """
        return self._bills.get(subscriber_id)

    def order(self, asker: Asker, due: Due) -> str:
        """The link to pay ``due`` with: the one the same mobile has just been given, or new."""
        terms = asker.terms.payments
        for known in reversed(self._open[asker.utility, asker.mobile]):
            is_young = asker.at - known.created_at <= _ms(terms) and asker.at < known.expires_at
            if is_young and _same(known, due):
                return known.link
        link = self.new_link()
        expires_at = asker.at + int(terms.valid_for.total_seconds() * 1000)
        what = (due.subscriber_id, due.request_id, due.instalment_id)
        made = OpenOrder(
            asker.utility, asker.mobile, *what, due.bill_id, due.amount, link, asker.at, expires_at
        )
        self._note(made)
        state = OrderState.CREATED.value
        ids = (due.bill_id or None, due.payment_id or None)
        who = (asker.utility, *what, link, asker.mobile, asker.line or None)
        times = (asker.at, asker.at, expires_at)
        self._new.append((self.ids.one(), *who, *ids, due.amount, state, *times))
        return link

    def _note(self, order: OpenOrder) -> None:
        self._open[order.utility, order.mobile].append(order)

    def store(self, connection: Connection) -> None:
        """One statement."""
        insert_rows(connection, orders, NEW_ORDER, self._new)


def _same(known: OpenOrder, due: Due) -> bool:
    return (
        known.subscriber_id == due.subscriber_id
        and known.request_id == due.request_id
        and known.instalment_id == due.instalment_id
        and (known.bill_id or "") == due.bill_id
        and known.amount == due.amount
    )


def _variants(bill_id: str) -> set[str]:
    return {bill_id, plain(bill_id)} - {""}


def _ms(terms: PaymentTerms) -> int:
    return int(terms.same_within.total_seconds() * 1000)


NEW_ORDER = (
    "id",
    "utility",
    "subscriber_id",
    "request_id",
    "instalment_id",
    "link",
    "mobile",
    "line",
    "bill_id",
    "payment_id",
    "amount",
    "state",
    "created_at",
    "changed_at",
    "expires_at",
)

_asked = unfolded({"bill_id": Text(), "payment_id": Text()})
_none = null().cast(BigInteger)


def _utility_of(subscriber_id: ColumnElement[int]) -> ColumnElement[str]:
    """The utility of a subscription.

    Were it a condition of the lookup, PostgreSQL might begin with all subscriptions of the one.
    """
    return select(subscribers.c.utility).where(subscribers.c.id == subscriber_id).scalar_subquery()


def _is_asked(table: Table) -> ColumnElement[bool]:
    """Whether a row has the pair: a subscription's bills all have one bill ID."""
    plain_id = func.ltrim(table.c.payment_id, literal_column("'0'"))
    return (table.c.bill_id == _asked.c.bill_id) & (plain_id == _asked.c.payment_id)


_bill_dues = select(
    _utility_of(bills.c.subscriber_id).label("utility"),
    bills.c.bill_id,
    bills.c.payment_id,
    bills.c.payable,
    bills.c.subscriber_id,
    _none.label("request_id"),
    _none.label("instalment_id"),
    literal(0).label("paid"),
).join_from(_asked, bills, _is_asked(bills))
_request_dues = (
    select(
        requests.c.utility,
        requests.c.bill_id,
        requests.c.payment_id,
        requests.c.fee,
        requests.c.subscriber_id,
        requests.c.id,
        _none,
        requests.c.paid_at.is_not(None).cast(Integer),
    )
    .join_from(_asked, requests, _is_asked(requests))
    .where(requests.c.fee.is_not(None))
)
_instalment_dues = select(
    _utility_of(instalments.c.subscriber_id),
    instalments.c.bill_id,
    instalments.c.payment_id,
    instalments.c.amount,
    instalments.c.subscriber_id,
    _none,
    instalments.c.id,
    instalments.c.paid_at.is_not(None).cast(Integer),
).join_from(_asked, instalments, _is_asked(instalments))
_DUES: Any = union_all(_bill_dues, _request_dues, _instalment_dues)

_askers = unfolded({"mobile": Text(), "since": BigInteger()})
# Not by state: PostgreSQL would go through all that are in it for each asker.
_OPEN = (
    select(*(orders.c[name] for name in OpenOrder._fields))
    .join_from(
        _askers,
        orders,
        (orders.c.mobile == _askers.c.mobile) & (orders.c.created_at >= _askers.c.since),
    )
    .order_by(orders.c.created_at, orders.c.id)
)
