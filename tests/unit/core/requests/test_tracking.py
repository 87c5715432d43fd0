"""Tracking numbers: what is mistyped is found out before anything is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import tracking
from core.identifiers import Check

places = st.integers(tracking.FIRST, tracking.LAST)


@given(places)
def test_what_is_made_is_valid_and_keeps_its_place(place: int) -> None:
    """Eight to ten digits; without the check digit it is the number that was given out."""
    made = tracking.make(place)
    assert tracking.check(made)
    assert int(tracking.body(made)) == place
    assert tracking.SHORTEST <= len(made) <= tracking.LONGEST


@given(places, st.data())
def test_any_one_wrong_digit_is_found(place: int, data: st.DataObject) -> None:
    """Whichever it is and whatever was typed instead."""
    made = tracking.make(place)
    at = data.draw(st.integers(0, len(made) - 1))
    wrong = data.draw(st.sampled_from(sorted(set("0123456789") - {made[at]})))
    assert not tracking.check(made[:at] + wrong + made[at + 1 :])


@given(places, st.data())
def test_two_neighbours_that_were_swapped_are_found(place: int, data: st.DataObject) -> None:
    """The commonest slip after a wrong digit."""
    made = tracking.make(place)
    at = data.draw(st.integers(0, len(made) - 2))
    swapped = made[:at] + made[at + 1] + made[at] + made[at + 2 :]
    assert bool(tracking.check(swapped)) is (swapped == made)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", Check.NOT_DIGITS),
        ("۱۰۰۰۰۰۰۸", Check.NOT_DIGITS),
        ("1000000", Check.LENGTH),
        ("01000008", Check.LENGTH),
        ("12345678901", Check.LENGTH),
    ],
)
def test_what_is_no_tracking_number_at_all(typed: str, found: Check) -> None:
    """ASCII digits of the right length are looked at, and nothing raises."""
    assert tracking.check(typed) is found


@pytest.mark.parametrize("place", [0, tracking.FIRST - 1, tracking.LAST + 1])
def test_a_sequence_that_left_its_range_is_an_error(place: int) -> None:
    """Rather than a number that nobody can ask after."""
    with pytest.raises(ValueError, match="no tracking number"):
        tracking.make(place)
