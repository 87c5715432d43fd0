"""The orders that are not over: which to ask the provider about, which to close.

A crash, an answer that was lost, a payer who never came back: whatever it was, the order is
still in one of these states, and asking again settles it.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select, update

from core.payments.ledger import SELECT, Order, as_order
from core.payments.states import IN_DOUBT, OVER, OrderState, Step, after
from core.tables import orders

SOON_MS = 30_000
"""What is in doubt is first asked about after this long …"""
LATE_MS = 6 * 3_600_000
"""… then ever more rarely, and in the end this often."""
UNPAID_MS = 20 * 60_000
"""How long somebody may stay at the provider before it is asked about them."""


def to_reconcile(connection: Connection, now: int, limit: int = 50) -> list[Order]:
    """The orders that the provider has to be asked about now, longest waiting first.

    The pause before each further question is as long as the order has been in doubt.
    """
    age = orders.c.changed_at - orders.c.created_at
    quiet = now - orders.c.changed_at
    is_away = orders.c.state == OrderState.REDIRECTED.value
    is_due = or_(
        and_(is_away, quiet >= UNPAID_MS),
        and_(~is_away, or_(quiet >= age / 2, quiet >= LATE_MS)),
    )
    rows = connection.execute(
        SELECT.where(
            orders.c.state.in_(sorted(IN_DOUBT)), orders.c.changed_at <= now - SOON_MS, is_due
        )
        .order_by(orders.c.changed_at)
        .limit(limit)
    )
    return [as_order(row) for row in rows]


def count_in_doubt(connection: Connection) -> int:
    """How many orders are with a provider, or paid and not booked."""
    statement = select(func.count()).select_from(orders)
    return connection.execute(statement.where(orders.c.state.in_(sorted(IN_DOUBT)))).scalar_one()


def expire(connection: Connection, now: int) -> int:
    """Close the orders that nobody went to pay in time; returns how many."""
    closed = connection.execute(
        update(orders)
        .where(orders.c.state == OrderState.CREATED.value, orders.c.expires_at <= now)
        .values(state=after(Step.EXPIRE).value, changed_at=now)
    )
    return closed.rowcount


def note(connection: Connection, order_id: int, now: int, error: str) -> None:
    """Note why an order stays where it is, and that it was looked at now."""
    connection.execute(
        update(orders)
        .where(orders.c.id == order_id, orders.c.state.not_in(sorted(OVER)))
        .values(changed_at=now, error=error)
    )
