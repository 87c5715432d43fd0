"""The token bucket and the pause after throttling, with time as plain numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbound.pace import FIRST_PAUSE, LONGEST_PAUSE, SLOWEST, Pace


def test_without_a_rate_everything_may_go() -> None:
    """Rate 0 is no limit."""
    assert Pace(0, 0.0).take(10_000, 0.0) == 10_000


@pytest.mark.parametrize("rate", [1.0, 7.0, 100.0, 2_500.0])
def test_a_minute_sends_the_rate_within_one_percent(rate: float) -> None:
    """Whoever asks as often as ``wait`` says gets the rate, and no more."""
    pace, now, gone = Pace(rate, 0.0), 0.0, 0
    while now < 60:
        gone += pace.take(1_000, now)
        now += max(0.001, pace.wait(now))
    assert abs(gone - 60 * rate) <= max(1.5, 0.01 * 60 * rate)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), st.integers(1, 1000))
def test_no_stretch_of_time_sends_more_than_rate_and_burst(gaps: list[float], rate: int) -> None:
    """However irregularly one asks."""
    pace, now, gone = Pace(rate, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        gone += pace.take(10_000, now)
    assert gone <= now * rate + max(1.0, rate / 10) + 1


def test_throttling_pauses_and_doubles_while_it_goes_on() -> None:
    """The SMSC is asked again after half a second, then one, two … up to the longest."""
    pace, now, pauses = Pace(0, 0.0), 0.0, []
    for _ in range(8):
        pace.throttled(now)
        assert pace.take(1, now) == 0
        pauses.append(pace.wait(now))
        now += pauses[-1]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 16, 16]
    assert pauses[-1] == LONGEST_PAUSE


def test_the_rest_of_a_throttled_window_counts_once() -> None:
    """Fifty responses of one window are one reason to slow down, not fifty."""
    pace = Pace(0, 0.0)
    for _ in range(50):
        pace.throttled(0.0)
    assert pace.wait(0.0) == FIRST_PAUSE


def _in_a_second(pace: Pace, start: float) -> int:
    """How many go within one second to somebody who asks every ten milliseconds."""
    return sum(pace.take(10_000, start + tick / 100) for tick in range(100))


@pytest.mark.parametrize("rate", [0, 1_000])
def test_throttling_halves_the_speed_and_calm_gives_it_back(rate: float) -> None:
    """Multiplicative decrease, additive increase; with a rate and without one."""
    pace = Pace(rate, 0.0)
    for tick in range(200):
        pace.take(10, tick / 100)
    assert pace.slowed_to(2.0) == 0

    pace.throttled(2.0)
    assert pace.slowed_to(2.0) == pytest.approx(500, rel=0.05)
    first = _in_a_second(pace, 2.5)
    assert first == pytest.approx(500, rel=0.15)
    speeds = [first, *(_in_a_second(pace, 3.5 + second) for second in range(4))]
    steps = [after - before for before, after in pairwise(speeds)]
    assert all(step == pytest.approx(50, abs=15) for step in steps)
    assert _in_a_second(pace, 200.0) >= 1_000
    assert pace.slowed_to(201.0) == 0


def test_each_throttling_halves_what_the_last_one_left() -> None:
    """Down to a trickle, and never faster than the rate that was set."""
    pace, now, speeds = Pace(100, 0.0), 0.0, []
    for tick in range(200):
        pace.take(10, tick / 100)
    now = 2.0
    for _ in range(9):
        pace.throttled(now)
        speeds.append(pace.slowed_to(now))
        now += pace.wait(now)
    assert speeds[0] == pytest.approx(50, rel=0.05)
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == SLOWEST

    slow = Pace(0.5, 0.0)
    slow.throttled(0.0)
    assert 0 < slow.slowed_to(0.0) <= 0.5


def test_after_a_calm_time_the_pause_is_short_again() -> None:
    """What happened this morning is forgiven."""
    pace = Pace(0, 0.0)
    pace.throttled(0.0)
    pace.throttled(0.5)
    pace.throttled(100.0)
    assert pace.wait(100.0) == FIRST_PAUSE
