"""Orders to work with, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from core.calls import Outcome
from core.database import Database
from core.ids import IdMaker
from core.payments import ledger
from core.payments.ledger import Clerk, Order
from core.tables import bills, orders, subscribers

NOW = 1_790_000_000_000
MOBILE = "989130000001"
LINE = "100034122"

MakeOrder = Callable[..., Order]


def words(_line: str, outcome: Outcome) -> Sequence[str]:
    """A receipt of two parts."""
    return (f"{outcome.kind} {outcome.facts['amount']}", "…")


@pytest.fixture
def clerk() -> Clerk:
    """Ids and words."""
    return Clerk(IdMaker(0, lambda: NOW), words)


@pytest.fixture
def make_order(database: Database, clerk: Clerk) -> MakeOrder:
    """Put an order into the database: of 200,000 rial on a bill, unless told otherwise."""

    def fill(connection: Connection) -> None:
        connection.execute(
            insert(subscribers).values(
                id=1, utility="kerman-water", number="10000001", name="مریم کرمانی", changed_at=0
            )
        )
        connection.execute(
            insert(bills).values(
                subscriber_id=1, period="1405/1", amount=1, payable=200_000, issued_at=NOW - 9
            )
        )

    database.transact("fill", fill)

    def make(**values: Any) -> Order:
        order_id = clerk.ids.one()
        row = {
            "id": order_id,
            "utility": "kerman-water",
            "subscriber_id": 1,
            "link": f"link{order_id}",
            "mobile": MOBILE,
            "line": LINE,
            "bill_id": "2050327604613",
            "payment_id": "20000189",
            "amount": 200_000,
            "state": "created",
            "created_at": NOW,
            "changed_at": NOW,
            "expires_at": NOW + 86_400_000,
            **values,
        }
        database.transact("order", lambda c: c.execute(insert(orders).values(row)))
        found = database.read("order", ledger.by_id, order_id)
        assert found is not None
        return found

    return make
