"""From the link to the booked payment, and every way in which it can go wrong between."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from sqlalchemy import insert
from twisted.internet.defer import Deferred, gatherResults

from core.payments import ledger
from core.payments.states import OrderState, Step
from core.tables import events, outbox, payments
from gateway.banks.simulated import Fault

LINK = "abcdefghijkmn"
BACK = f"/p/{LINK}/return"


@pytest_twisted.ensureDeferred
async def test_a_link_is_opened_paid_booked_and_told(world: Any) -> None:
    """The whole way, as a cheap phone's browser goes it."""
    page = await world.get(f"/p/{LINK}")
    assert page.texts["amount"] == "۲۰۰٬۰۰۰ ریال"
    assert page.texts["bill_id"] == "۲۰۵۰۳۲۷۶۰۴۶۱۳"
    authority = await world.go_to_bank()
    assert world.order().state is OrderState.REDIRECTED
    back = await world.post(f"/bank/pg/StartPay/{authority}", data={"pay": "1"})
    assert back.location.startswith(f"{world.url}{BACK}?")
    shown = await world.get(back.location)
    assert (shown.code, shown.location) == (303, f"/p/{LINK}")
    page = await world.get(f"/p/{LINK}")
    assert page.texts["state"] == "پرداخت شد"
    payment = world.rows(payments)[0]
    assert (payment.amount, payment.channel) == (200_000, "demo")
    assert payment.reference == world.order().reference != ""
    assert [row.text for row in world.rows(outbox)] == ["booked 200000"]
    assert [row.kind for row in world.rows(events)] == ["payment_booked"]
    assert world.told == 1
    assert world.bank.asked == {"request": 1, "verify": 1}


@pytest_twisted.ensureDeferred
async def test_who_cancels_may_begin_again(world: Any) -> None:
    """With another order and token: the old one could still turn out to be paid."""
    authority = await world.go_to_bank()
    await world.get(world.bank.pay(authority, ok=False))
    page = await world.get(f"/p/{LINK}")
    assert page.texts["state"] == "پرداخت انجام نشد."
    again = await world.post(f"/p/{LINK}")
    link = again.location.removeprefix("/p/")
    assert link != LINK
    assert world.order(link).amount == 200_000
    assert (await world.post(again.location)).onward.startswith(f"{world.url}/bank/pg/StartPay/")
    assert world.rows(payments) == []


@pytest_twisted.ensureDeferred
async def test_the_browsers_word_is_not_believed(world: Any) -> None:
    """Neither "OK" of who has not paid, nor "NOK" of who has, nor an amount."""
    authority = await world.go_to_bank()
    await world.get(f"{BACK}?Authority={authority}&Status=OK&Amount=200000")
    assert world.rows(payments) == []
    assert world.order().state is OrderState.UNKNOWN
    world.bank.pay(authority)
    await world.get(f"{BACK}?Authority={authority}&Status=NOK&Amount=1")
    assert world.rows(payments)[0].amount == 200_000


@pytest_twisted.ensureDeferred
async def test_a_return_with_another_token_is_nothing(world: Any) -> None:
    """The bank is not even asked."""
    authority = await world.go_to_bank()
    world.bank.pay(authority)
    for query in ("", "?Status=OK", "?Authority=A1&Status=OK", "?Authority=&Status=OK"):
        await world.get(BACK + query)
    assert "verify" not in world.bank.asked
    assert world.order().state is OrderState.REDIRECTED


@pytest_twisted.ensureDeferred
async def test_many_returns_at_once_and_the_reconciliation_book_once(world: Any) -> None:
    """A browser that repeats itself, a bank that calls by itself, and our own loop."""
    authority = await world.go_to_bank()
    address = world.bank.pay(authority)
    world.now_ms.advance(1300)
    returns = [world.get(address) for _ in range(5)]
    await gatherResults(
        [Deferred.fromCoroutine(each) for each in (*returns, world.cashier.reconcile())]
    )
    assert len(world.rows(payments)) == len(world.rows(outbox)) == 1
    assert world.order().state is OrderState.BOOKED


@pytest_twisted.ensureDeferred
async def test_a_lost_answer_is_found_again(world: Any) -> None:
    """The bank verified and we do not know: "already verified" is what settles it."""
    authority = await world.go_to_bank()
    address = world.bank.pay(authority)
    world.bank.faults["verify"] = Fault.LOST_ANSWER
    await world.get(address)
    assert world.order().state is OrderState.UNKNOWN
    page = await world.get(f"/p/{LINK}")
    assert ("meta", {"http-equiv": "refresh", "content": "10"}) in page.tags
    assert (await world.post(f"/p/{LINK}")).location == f"/p/{LINK}"
    world.bank.faults.clear()
    world.now_ms.advance(31)
    assert await world.cashier.reconcile() == 1
    assert world.order().state is OrderState.BOOKED
    assert len(world.rows(payments)) == 1
    assert await world.cashier.reconcile() == 0


@pytest_twisted.ensureDeferred
async def test_whoever_closes_the_browser_at_the_bank_has_paid_all_the_same(world: Any) -> None:
    """Nobody comes back; after a while we ask by ourselves."""
    authority = await world.go_to_bank()
    world.bank.pay(authority)
    world.now_ms.advance(19 * 60)
    assert await world.cashier.reconcile() == 0
    world.now_ms.advance(60)
    assert await world.cashier.reconcile() == 1
    assert world.order().state is OrderState.BOOKED


@pytest_twisted.ensureDeferred
async def test_who_is_still_at_the_bank_is_left_alone_and_given_up_after_a_day(world: Any) -> None:
    """Paid or not, the provider has the last word."""
    await world.go_to_bank()
    world.now_ms.advance(1300)
    await world.cashier.reconcile()
    assert world.order().state is OrderState.REDIRECTED
    world.now_ms.advance(86_400)
    await world.cashier.reconcile()
    assert world.order().state is OrderState.EXPIRED


@pytest_twisted.ensureDeferred
async def test_a_crash_between_the_banks_word_and_the_booking_is_healed(world: Any) -> None:
    """Killed after verify, before we stored it; and killed after we stored that it is verified."""
    authority = await world.go_to_bank()
    world.bank.pay(authority)
    world.database.transact("returned", ledger.step, 1, Step.RETURN, world.now_ms())
    world.bank.answer("verify", {"authority": authority, "amount": 200_000})
    world.now_ms.advance(31)
    await world.cashier.reconcile()
    assert world.order().state is OrderState.BOOKED


@pytest_twisted.ensureDeferred
async def test_what_is_verified_is_booked_without_asking_again(world: Any) -> None:
    """The other half of the same crash; the bank need not even be up."""
    authority = await world.go_to_bank()
    world.database.transact(
        "verified", lambda c: ledger.step(c, 1, Step.VERIFY, world.now_ms(), reference="7")
    )
    assert authority
    world.bank.faults["verify"] = Fault.ERROR
    world.now_ms.advance(31)
    await world.cashier.reconcile()
    assert world.rows(payments)[0].reference == "7"


@pytest_twisted.ensureDeferred
async def test_a_bank_that_collected_another_amount_is_not_booked(world: Any) -> None:
    """It stays in doubt with both of its words, for a person to look at."""
    world.bank.faults["request"] = Fault.WRONG_AMOUNT
    authority = await world.go_to_bank()
    await world.get(world.bank.pay(authority))
    order = world.order()
    assert (order.state, order.error) == (OrderState.UNKNOWN, "verify -50, inquiry PAID")
    assert world.rows(payments) == []


@pytest_twisted.ensureDeferred
async def test_a_bank_that_is_down_is_said_and_tried_again(world: Any) -> None:
    """Nobody was redirected, so nothing is in doubt."""
    world.bank.faults["request"] = Fault.ERROR
    page = await world.post(f"/p/{LINK}")
    assert page.code == 503
    assert "بانک اکنون پاسخ نمی‌دهد" in page.texts["state"]
    assert world.order().state is OrderState.CREATED
    world.bank.faults.clear()
    await world.go_to_bank()


@pytest_twisted.ensureDeferred
async def test_the_button_pressed_again_leads_to_the_same_payment(world: Any) -> None:
    """Back in the browser, and pay once more."""
    assert await world.go_to_bank() == await world.go_to_bank()
    assert world.bank.asked["request"] == 1


@pytest_twisted.ensureDeferred
async def test_a_link_that_is_too_old_pays_nothing(world: Any) -> None:
    """Neither before the loop has closed it nor after."""
    world.now_ms.advance(86_400)
    for _ in range(2):
        page = await world.get(f"/p/{LINK}")
        assert "مهلت" in page.texts["state"]
        assert "form" not in [tag for tag, _attributes in page.tags]
        assert (await world.post(f"/p/{LINK}")).location == f"/p/{LINK}"
        await world.cashier.reconcile()
    assert world.order().state is OrderState.EXPIRED
    assert "request" not in world.bank.asked


@pytest_twisted.ensureDeferred
async def test_what_was_paid_elsewhere_is_not_paid_again(world: Any) -> None:
    """At a bank's counter, after the text: the button leads to words, not to the provider."""
    row = {
        "utility": "kerman-water",
        "subscriber_id": 1,
        "amount": 200_000,
        "paid_at": world.now_ms(),
        "channel": "bank",
        "reference": "1",
    }
    world.database.transact("paid", lambda c: c.execute(insert(payments).values(row)))
    assert (await world.post(f"/p/{LINK}")).location == f"/p/{LINK}"
    assert "پرداخت شده" in (await world.get(f"/p/{LINK}")).texts["state"]
    assert "request" not in world.bank.asked


@pytest_twisted.ensureDeferred
async def test_a_bank_that_gives_one_token_twice_is_refused(world: Any) -> None:
    """Two orders behind one token would be booked as one."""
    authority = await world.go_to_bank()
    second = await world.cashier.begin_again(world.order())
    world.bank._numbers = iter([int(authority[1:])])
    page = await world.post(f"/p/{second}")
    assert page.code == 503
    assert world.order(second).state is OrderState.CREATED
