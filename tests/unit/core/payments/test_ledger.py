"""Booking an order: once, with everything that belongs to it, whoever comes first."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from core.database import Database
from core.payments import doubts, ledger
from core.payments.doubts import LATE_MS, SOON_MS, UNPAID_MS
from core.payments.ledger import Clerk, NotBookable, Order
from core.payments.states import OrderState, Step
from core.tables import contacts, events, instalments, orders, outbox, payments, requests
from core.templates.types import OnEvents
from tests.campaigning import DEFINITION
from tests.happening import in_use
from tests.unit.core.payments.conftest import MOBILE

NOW = 1_790_000_000_000
VERIFIED = {"state": "verified", "provider": "zarinpal", "token": "A1", "reference": "201"}
MakeOrder = Callable[..., Order]


def rows(database: Database, table: Table) -> list[Any]:
    """Everything in a table."""
    return database.transact("rows", lambda c: list(c.execute(select(table))))


def state(database: Database, order: Order) -> OrderState:
    """Where an order stands now."""
    found = database.read("state", ledger.by_id, order.id)
    assert found is not None
    return found.state


def test_a_verified_order_becomes_a_payment_an_event_and_a_receipt(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """Channel and reference are the provider's; the text goes out by the line that was texted."""
    order = make_order(**VERIFIED)
    assert database.transact("book", ledger.book, clerk, order.id, NOW)
    payment = rows(database, payments)[0]
    assert (payment.subscriber_id, payment.amount, payment.channel, payment.reference) == (
        1,
        200_000,
        "zarinpal",
        "201",
    )
    assert (payment.bill_id, payment.payment_id, payment.paid_at) == (
        order.bill_id,
        order.payment_id,
        NOW,
    )
    event = rows(database, events)[0]
    assert (event.kind, event.subscriber_id) == ("payment_booked", 1)
    assert json.loads(event.about)["reference"] == "201"
    receipt = rows(database, outbox)
    assert [(r.part, r.mobile, r.line, r.state) for r in receipt] == [
        (1, order.mobile, order.line, "queued"),
        (2, order.mobile, order.line, "queued"),
    ]
    assert receipt[0].text == "booked 200000"


def test_booking_again_does_nothing(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """A callback that comes twice."""
    order = make_order(**VERIFIED)
    booked = [database.transact("book", ledger.book, clerk, order.id, NOW) for _ in range(3)]
    assert booked == [True, False, False]
    assert len(rows(database, payments)) == len(rows(database, events)) == 1


def test_of_many_at_once_one_books(database: Database, make_order: MakeOrder, clerk: Clerk) -> None:
    """Callbacks and the reconciliation race, in threads of their own."""
    made = [make_order(**{**VERIFIED, "token": f"A{i}", "reference": str(i)}) for i in range(4)]
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(database.transact, "book", ledger.book, clerk, order.id, NOW)
            for order in made
            for _ in range(6)
        ]
        booked = [future.result() for future in futures]
    assert sum(booked) == 4
    assert sorted(row.reference for row in rows(database, payments)) == ["0", "1", "2", "3"]
    assert len(rows(database, outbox)) == 8


def test_what_is_not_verified_is_not_booked(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """However it is asked."""
    for where in set(OrderState) - {OrderState.VERIFIED, OrderState.SETTLED}:
        order = make_order(state=where.value)
        assert not database.transact("book", ledger.book, clerk, order.id, NOW)
    assert rows(database, payments) == []


def test_two_orders_with_one_reference_are_not_both_booked(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """The second stays verified, for a person to look at, and nothing of it is stored."""
    first = make_order(**VERIFIED)
    second = make_order(**{**VERIFIED, "token": "A2"})
    database.transact("book", ledger.book, clerk, first.id, NOW)
    with pytest.raises(NotBookable, match="201"):
        database.transact("book", ledger.book, clerk, second.id, NOW)
    assert state(database, second) is OrderState.VERIFIED
    assert len(rows(database, events)) == 1


def test_an_instalment_is_paid_with_its_order(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """Its payment carries its own pair, by which a balance knows it from a bill's."""
    row = {
        "id": 7,
        "subscriber_id": 1,
        "plan": "water",
        "number": 1,
        "amount": 200_000,
        "due_date": date(2026, 11, 1),
    }
    make_order()
    database.transact("fill", lambda c: c.execute(insert(instalments).values(row)))
    order = make_order(**VERIFIED, instalment_id=7)
    assert database.transact("book", ledger.book, clerk, order.id, NOW)
    assert rows(database, instalments)[0].paid_at == NOW
    assert rows(database, payments)[0].payment_id == order.payment_id


REQUEST = {
    "id": 8,
    "utility": "kerman-water",
    "tracking": "1234567",
    "kind": "meter_test",
    "state": "voucher_issued",
    "fields": "{}",
    "source": "counter",
    "fee": 200_000,
    "payment_id": "20000189",
    "created_at": NOW,
    "changed_at": NOW,
}


def test_a_fee_is_no_payment_of_the_bill(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """The request is paid, the balance is what it was, and the payer is told."""
    make_order()
    database.transact("fill", lambda c: c.execute(insert(requests).values(REQUEST)))
    order = make_order(**VERIFIED, request_id=8)
    assert database.transact("book", ledger.book, clerk, order.id, NOW)
    assert rows(database, payments) == []
    request = rows(database, requests)[0]
    assert (request.state, request.paid_at) == ("paid", NOW)
    assert len(rows(database, outbox)) == 2


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        ({}, True),
        ({"fee": 300_000, "payment_id": "30000180"}, False),
        ({"state": "rejected", "payment_id": None}, False),
        ({"state": "paid", "paid_at": NOW}, False),
    ],
)
def test_a_voucher_that_was_replaced_or_taken_back_is_due_no_more(
    database: Database, make_order: MakeOrder, now: dict[str, Any], *, is_due: bool
) -> None:
    """A link that was texted before leads to words, not to the bank."""
    database.transact("fill", lambda c: c.execute(insert(requests).values({**REQUEST, **now})))
    order = make_order(request_id=8)
    assert database.read("due", ledger.is_still_due, order) is is_due


def test_an_order_of_a_mobile_that_is_gone_is_booked_without_a_text(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """A receipt is welcome, not a condition."""
    order = make_order(**VERIFIED, mobile=None, line=None)
    assert database.transact("book", ledger.book, clerk, order.id, NOW)
    assert rows(database, outbox) == []


def test_a_failure_is_told_once(database: Database, make_order: MakeOrder, clerk: Clerk) -> None:
    """With the provider's code kept."""
    order = make_order(state="returned", token="A1")
    failed = [database.transact("fail", ledger.fail, clerk, order, "-51", NOW) for _ in range(2)]
    assert failed == [True, False]
    assert rows(database, orders)[0].error == "-51"
    assert rows(database, outbox)[0].text == "failed 200000"


def test_the_first_token_is_the_orders(database: Database, make_order: MakeOrder) -> None:
    """The button pressed twice: both presses end at one payment."""
    order = make_order()
    first = database.transact("go", ledger.redirect, order.id, "zarinpal", "A1", NOW)
    second = database.transact("go", ledger.redirect, order.id, "zarinpal", "A2", NOW)
    assert first is not None
    assert second is not None
    assert (first.token, second.token) == ("A1", "A1")


def test_beginning_again_is_another_order(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """For the same thing, with a link of its own; the old one keeps its token."""
    order = make_order(state="failed", token="A1", provider="zarinpal")
    link = database.transact("again", ledger.begin_again, clerk.ids, order, NOW + 5)
    new = database.read("find", ledger.by_link, link)
    assert new is not None
    assert (new.amount, new.bill_id, new.mobile, new.state, new.token) == (
        order.amount,
        order.bill_id,
        order.mobile,
        OrderState.CREATED,
        None,
    )
    assert new.link != order.link


def test_beginning_again_and_again_is_one_order(
    database: Database, make_order: MakeOrder, clerk: Clerk
) -> None:
    """Neither a double press nor a program fills the table; a late one is not revived."""
    order = make_order(state="failed", token="A1", provider="zarinpal")
    other = make_order(state="failed", token="A2", provider="zarinpal", mobile="989130000002")

    def again(one: Order, now: int) -> str:
        return database.transact("again", ledger.begin_again, clerk.ids, one, now)

    link = again(order, NOW + 5)
    assert again(order, NOW + 6) == link
    assert again(other, NOW + 7) != link
    assert again(order, NOW + 5 + 86_400_000) != link


def test_what_is_in_doubt_is_asked_about_ever_more_rarely(
    database: Database, make_order: MakeOrder
) -> None:
    """First after half a minute, then after half of the time it has been in doubt."""
    order = make_order(state="unknown", token="A1")

    def due(now: int) -> bool:
        return bool(database.read("due", doubts.to_reconcile, now))

    assert not due(NOW + SOON_MS - 1)
    assert due(NOW + SOON_MS)
    hour = 3_600_000
    database.transact("note", doubts.note, order.id, NOW + hour, "no answer")
    assert not due(NOW + hour + hour // 2 - 1)
    assert due(NOW + hour + hour // 2)
    week = 7 * 24 * hour
    database.transact("note", doubts.note, order.id, NOW + week, "no answer")
    assert due(NOW + week + LATE_MS)


def test_reconciliation_takes_what_may_be_paid(database: Database, make_order: MakeOrder) -> None:
    """A crash at any point leaves an order in one of these states."""
    soon = {make_order(state=where).id for where in ("returned", "unknown", "verified", "settled")}
    away = make_order(state="redirected").id
    for where in ("created", "booked", "failed", "reversed", "expired"):
        make_order(state=where)

    def due(after_ms: int) -> set[int]:
        return {order.id for order in database.read("due", doubts.to_reconcile, NOW + after_ms)}

    assert due(SOON_MS - 1) == set()
    assert due(SOON_MS) == due(UNPAID_MS - 1) == soon
    assert due(UNPAID_MS) == due(LATE_MS * 9) == soon | {away}


def test_links_that_nobody_opened_expire(database: Database, make_order: MakeOrder) -> None:
    """Only those: whoever is at the provider may pay yet."""
    idle, away = make_order(), make_order(state="redirected", token="A1")
    assert database.transact("expire", doubts.expire, idle.expires_at - 1) == 0
    assert database.transact("expire", doubts.expire, idle.expires_at) == 1
    assert state(database, idle) is OrderState.EXPIRED
    assert state(database, away) is OrderState.REDIRECTED


def test_a_step_happens_only_where_it_may(database: Database, make_order: MakeOrder) -> None:
    """The table is kept by the database, not by whoever looked at the order before."""
    order = make_order()
    assert not database.transact("step", ledger.step, order.id, Step.VERIFY, NOW)
    assert database.transact("step", ledger.step, order.id, Step.REDIRECT, NOW, token="A1")
    assert database.transact("step", ledger.step, order.id, Step.VERIFY, NOW, reference="9")
    assert state(database, order) is OrderState.VERIFIED


@pytest.mark.parametrize(("contact", "notices"), [(MOBILE, 0), ("989139999999", 2)])
def test_a_template_that_tells_of_payments_takes_the_place_of_the_receipt(
    database: Database, make_order: MakeOrder, clerk: Clerk, contact: str, notices: int
) -> None:
    """Nobody gets two receipts for one payment; who the template does not tell gets this one."""
    order = make_order(**VERIFIED)
    in_use(database, replace(DEFINITION, trigger=OnEvents(("payment_booked",), {})), "receipt")
    about = {"utility": "kerman-water", "subscriber_id": 1, "source": "test", "created_at": 0}
    row = insert(contacts).values(mobile=contact, **about)
    database.transact("contact", lambda c: c.execute(row))
    assert database.transact("book", ledger.book, clerk, order.id, NOW)
    assert len(rows(database, outbox)) == notices
    assert len(rows(database, events)) == 1
