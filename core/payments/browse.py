"""Looking orders up, for people: lists by filter, and where the money of each went."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from core.ids import first_id_at
from core.payments.ledger import SELECT, Order, as_order
from core.tables import orders, subscribers


class OrderFilter(NamedTuple):
    """Which orders; what is None is not asked for."""

    mobile: str | None = None
    subscription: str | None = None
    state: str | None = None
    provider: str | None = None
    utility: str | None = None
    reference: str | None = None
    since: int | None = None
    """Made at this instant or later …"""
    until: int | None = None
    """… and before this one: UTC milliseconds."""
    limit: int | None = 50


def list_orders(connection: Connection, wanted: OrderFilter) -> list[Order]:
    """The orders that a filter lets through, the newest first."""
    statement = SELECT.order_by(orders.c.id.desc()).limit(wanted.limit)
    for name in ("mobile", "state", "provider", "utility", "reference"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(orders.c[name] == value)
    if wanted.subscription is not None:
        statement = statement.where(subscribers.c.number == wanted.subscription)
    if wanted.since is not None:
        statement = statement.where(orders.c.id >= first_id_at(wanted.since))
    if wanted.until is not None:
        statement = statement.where(orders.c.id < first_id_at(wanted.until))
    return [as_order(row) for row in connection.execute(statement)]
