"""What becomes of an order after it was made: each function is one transaction's work.

Every change is a conditional update: of two that race, a callback that came twice or a
callback and the reconciliation, one finds the order already moved and does nothing. So a
paid order is booked once (docs/decisions/007-payments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.bills import load_last_bills
from core.calls import Fact, Outcome
from core.events import Event, EventKind, store_events
from core.ids import IdMaker
from core.jalali import instant_of
from core.outbox import Notice, store_notices
from core.payments.orders import NEW_ORDER, new_link
from core.payments.states import OrderState, Step, after, before
from core.requests.changes import book_fee
from core.requests.counter import Counter
from core.requests.kinds import Services
from core.tables import instalments, orders, payments, requests, subscribers
from core.told_of import told_of

NOTICE = "payment"
"""The operation of outcomes that tell what became of a payment."""
BOOKED, FAILED = "booked", "failed"
NOTICES: Mapping[str, frozenset[str]] = {
    BOOKED: frozenset({"amount", "bill_id", "payment_id", "reference", "number", "paid_at"}),
    FAILED: frozenset({"amount", "bill_id", "payment_id"}),
}
"""The kinds of messages about payments, with the facts that each may use: the amount in rial, the
provider's receipt as ``reference``, ``number`` or "", ``paid_at`` as an instant."""

Words = Callable[[str, Outcome], Sequence[str]]
"""A line and an outcome → the parts of a message in that line's words; () for none."""


class Order(NamedTuple):
    """One order, with what a page or a list shows of its subscriber."""

    id: int
    utility: str
    subscriber_id: int | None
    request_id: int | None
    instalment_id: int | None
    link: str
    mobile: str | None
    line: str | None
    bill_id: str | None
    payment_id: str | None
    amount: int
    """Rial: what the provider is asked for, and what it is asked to confirm."""
    state: OrderState
    provider: str | None
    token: str | None
    reference: str | None
    error: str | None
    created_at: int
    changed_at: int
    expires_at: int
    number: str
    name: str


_ORDER = (
    *(orders.c[name] for name in Order._fields[:-2]),
    subscribers.c.number,
    subscribers.c.name,
)
SELECT = select(*_ORDER).select_from(
    orders.outerjoin(subscribers, subscribers.c.id == orders.c.subscriber_id)
)


def as_order(row: Any) -> Order:
    """A row of ``SELECT``."""
    found = Order._make(row)
    return found._replace(
        state=OrderState(found.state), number=found.number or "", name=found.name or ""
    )


def by_link(connection: Connection, link: str) -> Order | None:
    """The order that a link is for."""
    row = connection.execute(SELECT.where(orders.c.link == link)).one_or_none()
    return as_order(row) if row else None


def by_id(connection: Connection, order_id: int) -> Order | None:
    """The order with this id."""
    row = connection.execute(SELECT.where(orders.c.id == order_id)).one_or_none()
    return as_order(row) if row else None


def step(connection: Connection, /, order_id: int, what: Step, now: int, **values: Any) -> bool:
    """Move an order, if it is where ``what`` may happen; returns whether it was."""
    moved = connection.execute(
        update(orders)
        .where(orders.c.id == order_id, orders.c.state.in_(sorted(before(what))))
        .values(state=after(what).value, changed_at=now, **values)
    )
    return moved.rowcount == 1


def is_still_due(connection: Connection, order: Order) -> bool:
    """Whether what an order is for is owed yet, and in full: it may have been paid elsewhere.

    A voucher may have been taken back or replaced by another as well.
    """
    if order.request_id is not None:
        return _is_unpaid(
            connection,
            requests,
            order.request_id,
            requests.c.fee == order.amount,
            requests.c.payment_id.is_not(None),
        )
    if order.instalment_id is not None:
        is_same = instalments.c.amount == order.amount
        return _is_unpaid(connection, instalments, order.instalment_id, is_same)
    if order.subscriber_id is None:
        return False
    bill = load_last_bills(connection, [order.subscriber_id]).get(order.subscriber_id)
    return bill is not None and bill.balance >= order.amount


def _is_unpaid(
    connection: Connection, table: Any, row_id: int, *terms: ColumnElement[bool]
) -> bool:
    unpaid = select(table.c.id).where(table.c.id == row_id, table.c.paid_at.is_(None), *terms)
    return connection.execute(unpaid).first() is not None


def redirect(
    connection: Connection, order_id: int, provider: str, token: str, now: int
) -> Order | None:
    """Remember the provider's token; returns the order as it is now.

    Two presses of the button fetch two tokens: the order has the first, and both go there.
    Raises ``NotBookable`` when another order has this token.
    """
    try:
        step(connection, order_id, Step.REDIRECT, now, provider=provider, token=token, error=None)
    except IntegrityError:
        raise NotBookable(f"{provider} gave the token of another order") from None
    return by_id(connection, order_id)


def begin_again(connection: Connection, ids: IdMaker, order: Order, now: int) -> str:
    """A new order for what an order that came to nothing was for; returns its link.

    A token is of one order for ever, so that a payment that shows up late is still found.
    However often the button is pressed, there is one that waits to be paid.
    """
    waiting = connection.execute(_WAITING, order._asdict() | {"now": now}).scalar()
    if waiting is not None:
        return str(waiting)
    link, valid_ms = new_link(), order.expires_at - order.created_at
    old = order._asdict()
    new = {
        "id": ids.one(),
        "link": link,
        "state": OrderState.CREATED.value,
        "created_at": now,
        "changed_at": now,
        "expires_at": now + valid_ms,
    }
    values = {name: new.get(name, old.get(name)) for name in NEW_ORDER}
    connection.execute(insert(orders).values(values))
    return link


_ALIKE = (
    "utility", "subscriber_id", "request_id", "instalment_id", "mobile", "bill_id", "payment_id",
    "amount",
)  # fmt: skip
_WAITING = (
    select(orders.c.link)
    .where(
        orders.c.state == OrderState.CREATED.value,
        orders.c.expires_at > bindparam("now", type_=BigInteger()),
        *(
            orders.c[name].is_not_distinct_from(bindparam(name, type_=orders.c[name].type))
            for name in _ALIKE
        ),
    )
    .order_by(orders.c.id.desc())
    .limit(1)
)


class NotBookable(Exception):
    """A paid order that cannot become a payment: a person has to look at it."""


class Clerk(NamedTuple):
    """What booking needs besides the order."""

    ids: IdMaker
    words: Words
    services: Mapping[str, Services] = {}
    """By utility: the words for what becomes of a request whose fee is paid."""


def book(connection: Connection, clerk: Clerk, order_id: int, now: int) -> bool:
    """Make a verified order a payment, with its event and its receipt; once, whoever asks.

    Raises ``NotBookable`` when another payment has the provider's reference already.
    """
    if not step(connection, order_id, Step.BOOK, now, error=None):
        return False
    order = by_id(connection, order_id)
    assert order is not None  # noqa: S101 - it has just been moved
    if order.request_id is not None:
        # A fee is no payment of what is owed for water: the request itself is paid.
        services = clerk.services.get(order.utility, Services())
        counter = Counter(order.utility, services, clerk.ids, order.provider or "", now)
        book_fee(connection, counter, order.request_id, order.amount)
    elif order.subscriber_id is not None:
        _insert_payment(connection, order, now)
    if order.instalment_id is not None:
        _mark_paid(connection, instalments, order.instalment_id, now)
    facts = _facts(order, now)
    event = Event(
        EventKind.PAYMENT_BOOKED, order.utility, now, facts, order.subscriber_id, order.mobile
    )
    store_events(connection, [(clerk.ids.one(), event)])
    if order.mobile not in told_of(connection, event):
        tell(connection, clerk, order, Outcome(NOTICE, BOOKED, facts), now)
    return True


def fail(connection: Connection, clerk: Clerk, order: Order, error: str, now: int) -> bool:
    """Note that the provider says an order is not paid, and tell whoever had gone to pay it."""
    if not step(connection, order.id, Step.FAIL, now, error=error):
        return False
    facts = {name: value for name, value in _facts(order, now).items() if name in NOTICES[FAILED]}
    tell(connection, clerk, order, Outcome(NOTICE, FAILED, facts), now)
    return True


def tell(connection: Connection, clerk: Clerk, order: Order, outcome: Outcome, now: int) -> None:
    """Queue a message to the mobile that asked, from the line that it texted."""
    texts = clerk.words(order.line, outcome) if order.line and order.mobile else ()
    if texts:
        assert order.line  # noqa: S101
        assert order.mobile  # noqa: S101
        notice = Notice(
            clerk.ids.take(len(texts)), order.mobile, order.line, texts, order.subscriber_id, now
        )
        store_notices(connection, [notice])


def _insert_payment(connection: Connection, order: Order, now: int) -> None:
    try:
        connection.execute(insert(payments).values(_payment(order, now)))
    except IntegrityError:
        raise NotBookable(
            f"there is a payment by {order.provider} with the reference {order.reference} already"
        ) from None


def _payment(order: Order, now: int) -> dict[str, object]:
    return {
        "utility": order.utility,
        "subscriber_id": order.subscriber_id,
        "bill_id": order.bill_id,
        "payment_id": order.payment_id,
        "amount": order.amount,
        "paid_at": now,
        "channel": order.provider,
        "reference": order.reference,
    }


def _mark_paid(connection: Connection, table: Any, row_id: int, now: int) -> None:
    connection.execute(
        update(table).where(table.c.id == row_id, table.c.paid_at.is_(None)).values(paid_at=now)
    )


def _facts(order: Order, now: int) -> dict[str, Any]:
    facts: dict[str, Fact] = {
        "amount": order.amount,
        "bill_id": order.bill_id or "",
        "payment_id": order.payment_id or "",
        "reference": order.reference or "",
        "number": order.number,
        "paid_at": instant_of(now),
    }
    return facts
