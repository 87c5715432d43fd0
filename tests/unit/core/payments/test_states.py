"""The table of an order's states: nothing ends anywhere but where the money is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.payments.states import IN_DOUBT, OVER, PAYABLE, OrderState, Step, after, before, move


def test_every_state_is_reached_and_is_open_or_over() -> None:
    """No state is forgotten: each can come about, and is somebody's to go on with."""
    reached = {after(step) for step in Step} | {OrderState.CREATED}
    assert reached == set(OrderState)
    assert set(OrderState) == PAYABLE | IN_DOUBT | OVER
    assert not IN_DOUBT & OVER


def test_what_is_booked_stays_booked() -> None:
    """A payment is never taken back by what happens to its order."""
    assert all(move(OrderState.BOOKED, step) is None for step in Step)


def test_only_what_the_provider_verified_is_booked() -> None:
    """No way round the question to the provider."""
    assert before(Step.BOOK) == {OrderState.VERIFIED, OrderState.SETTLED}
    assert before(Step.SETTLE) == {OrderState.VERIFIED}


def test_money_that_shows_up_late_is_booked() -> None:
    """An order that was given up, or failed, and is found paid after all."""
    for state in (OrderState.EXPIRED, OrderState.FAILED, OrderState.UNKNOWN):
        verified = move(state, Step.VERIFY)
        assert verified is OrderState.VERIFIED
        assert move(verified, Step.BOOK) is OrderState.BOOKED


@given(st.lists(st.sampled_from(list(Step)), max_size=40))
def test_however_events_come_an_order_is_booked_at_most_once(steps: list[Step]) -> None:
    """And never without having been verified before."""
    state, done = OrderState.CREATED, []
    for step in steps:
        moved = move(state, step)
        if moved is not None:
            state = moved
            done.append(step)
    assert done.count(Step.BOOK) <= 1
    if Step.BOOK in done:
        assert Step.VERIFY in done[: done.index(Step.BOOK)]
        assert Step.REDIRECT in done[: done.index(Step.VERIFY)] or Step.EXPIRE in done
