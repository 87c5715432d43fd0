"""The lock-out: computed from wrong codes, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.identity import locked_until, minutes_left
from core.policy import Policy

MINUTE = 60_000
POLICY = Policy(code_attempts=5, code_window=timedelta(minutes=15), code_lock=timedelta(minutes=30))


def test_four_wrong_codes_do_not_lock() -> None:
    """A person may mistype four times."""
    assert locked_until([0, 1, 2, 3], POLICY) == 0


def test_the_fifth_wrong_code_locks_for_half_an_hour_from_then() -> None:
    """The lock counts from the last of the five."""
    times = [minute * MINUTE for minute in (0, 1, 2, 3, 4)]
    assert locked_until(times, POLICY) == 34 * MINUTE


def test_five_wrong_codes_over_more_than_the_window_do_not_lock() -> None:
    """Four minutes apart, five of them span sixteen minutes."""
    assert locked_until([i * 4 * MINUTE for i in range(5)], POLICY) == 0


def test_five_wrong_codes_within_the_window_lock_even_after_older_ones() -> None:
    """The window slides: it does not start at the first mistake ever made."""
    times = [0, *(minute * MINUTE for minute in (20, 22, 24, 26, 28))]
    assert locked_until(times, POLICY) == 58 * MINUTE


@given(st.lists(st.integers(0, 120 * MINUTE), max_size=30).map(sorted))
def test_a_lock_ends_within_its_time_of_the_last_failure(times: list[int]) -> None:
    """However the mistakes are spread, nobody is locked for longer than the policy says."""
    until = locked_until(times, POLICY)
    assert until == 0 or until <= times[-1] + 30 * MINUTE


def test_a_person_is_told_whole_minutes_and_never_none() -> None:
    """Half a second left is still "one minute": zero would invite a try that fails."""
    assert minutes_left(500, 0) == 1
    assert minutes_left(30 * MINUTE, 0) == 30
    assert minutes_left(30 * MINUTE + 1, 0) == 31
