"""Whether a reading can follow the last one, and whether it is likely."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bills import LastBill
from core.policy import Policy
from core.readings import DAY_MS, is_plausible, used_since

POLICY = Policy()


def bill(used: int, days: int = 60) -> LastBill:
    """A last bill of ``used`` units over ``days`` days from the first of March."""
    end = date.fromordinal(date(2026, 3, 1).toordinal() + days)
    return LastBill(1, 100_000, None, None, None, date(2026, 3, 1), end, 1000, 1000 + used, 0)


@pytest.mark.parametrize(
    ("reading", "last", "digits", "used"),
    [
        (1250, 1200, 5, 50),
        (1200, 1200, 5, 0),
        (20, 99_990, 5, 30),  # passed its highest figure
        (1199, 1200, 5, None),  # below, and no meter turns 99,999 units in between
        (0, 90_000, 5, None),  # a tenth of the range is not "a small part" of it
        (1, 90_001, 5, None),
        (1, 90_002, 5, 9_999),
        (5, 9_999, 4, 6),
    ],
)
def test_use_between_two_readings(reading: int, last: int, digits: int, used: int | None) -> None:
    """Forward, unchanged, rolled over, or impossible."""
    assert used_since(reading, last, digits, POLICY) == used


@given(st.integers(1, 9), st.data())
def test_use_is_never_negative_and_less_than_the_range(digits: int, data: st.DataObject) -> None:
    """Whatever two figures a meter can show."""
    top = 10**digits - 1
    reading, last = data.draw(st.integers(0, top)), data.draw(st.integers(0, top))
    used = used_since(reading, last, digits, POLICY)
    assert used is None or 0 <= used <= top


def test_five_times_the_billed_use_is_plausible_and_more_is_not() -> None:
    """The policy's factor, on the same number of days."""
    assert is_plausible(200, 60 * DAY_MS, bill(40), POLICY)
    assert not is_plausible(201, 60 * DAY_MS, bill(40), POLICY)


def test_the_billed_use_is_scaled_to_the_days_since() -> None:
    """Half the days, half of what is plausible."""
    assert not is_plausible(101, 30 * DAY_MS, bill(40), POLICY)
    assert is_plausible(100, 30 * DAY_MS, bill(40), POLICY)


def test_little_use_is_plausible_even_after_a_bill_of_nothing() -> None:
    """A house that was empty is lived in again."""
    assert is_plausible(POLICY.plausible_units, DAY_MS, bill(0), POLICY)
    assert not is_plausible(POLICY.plausible_units + 1, DAY_MS, bill(0), POLICY)


def test_without_a_bill_to_compare_with_anything_is_plausible() -> None:
    """A new subscription has no average."""
    assert is_plausible(90_000, DAY_MS, None, POLICY)
    assert is_plausible(90_000, DAY_MS, bill(40)._replace(from_reading=None), POLICY)
