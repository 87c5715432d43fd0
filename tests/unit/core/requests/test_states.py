"""The states of a request as a table: what may follow what, and that every way ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.requests.states import (
    ABOUT_FEES,
    EDITABLE,
    FINAL,
    MOVES,
    WITHOUT_FEE,
    RequestState,
    may_follow,
)

ALL = frozenset(RequestState)


def test_every_state_has_its_row_and_can_be_reached() -> None:
    """From a registered request on."""
    assert MOVES.keys() == ALL
    reached = {RequestState.REGISTERED}
    for _ in RequestState:
        reached |= {new for state in reached for new in MOVES[state]}
    assert reached == ALL


def test_an_end_is_an_end() -> None:
    """Done, rejected and cancelled requests stay so."""
    assert {"done", "rejected", "cancelled"} == FINAL
    assert FINAL.isdisjoint(EDITABLE)


@given(st.lists(st.sampled_from(RequestState), max_size=30))
def test_whatever_is_tried_the_work_is_never_undone(tried: list[RequestState]) -> None:
    """Once operational, a request is never edited or cancelled again (counter service 3)."""
    state, was_operational = RequestState.REGISTERED, False
    for new in tried:
        if may_follow(state, new, ALL):
            state = new
        was_operational |= state is RequestState.OPERATIONAL
        if was_operational:
            assert state not in EDITABLE
            assert state is not RequestState.CANCELLED


@pytest.mark.parametrize("state", sorted(EDITABLE - {RequestState.PAID}))
def test_what_is_not_paid_may_be_cancelled(state: RequestState) -> None:
    """Until the company is at work on it; what is paid is for a person to give back."""
    assert RequestState.CANCELLED in MOVES[state]
    assert RequestState.CANCELLED not in MOVES[RequestState.PAID]


def test_a_kind_without_a_fee_passes_no_state_about_one() -> None:
    """And still comes from registered to done."""
    allowed = frozenset(WITHOUT_FEE)
    assert allowed.isdisjoint(ABOUT_FEES)
    assert may_follow(RequestState.IN_REVIEW, RequestState.OPERATIONAL, allowed)
    assert not may_follow(RequestState.IN_REVIEW, RequestState.FEE_ANNOUNCED, allowed)
