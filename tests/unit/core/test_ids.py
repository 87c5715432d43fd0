"""Ids grow, never meet, and say when they were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import (
    COMMANDS_NODE,
    EPOCH_MS,
    MAX_NODES,
    MOST,
    IdMaker,
    first_id_at,
    ids_for_command,
    made_at,
)

if TYPE_CHECKING:
    from tests.conftest import Clock

LATEST_MS = EPOCH_MS + (1 << 41) - 1
"""In the year 2094."""


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(1, 16_384)), max_size=30))
def test_each_id_is_greater_than_the_one_before(steps: list[tuple[int, int]]) -> None:
    """However the clock jumps and however many are taken at once."""
    now = EPOCH_MS + 1_000_000
    maker = IdMaker(3, lambda: now)
    last = -1
    for step, count in steps:
        now += step
        taken = maker.take(count)
        assert taken[0] > last
        assert len(taken) == count
        last = taken[-1]


def test_nodes_never_meet(now_ms: Clock) -> None:
    """Two daemons that make ids in the same millisecond make different ones."""
    first, second = IdMaker(0, now_ms), IdMaker(MAX_NODES - 1, now_ms)
    assert set(first.take(16_384)).isdisjoint(second.take(16_384))


@given(st.integers(EPOCH_MS, LATEST_MS), st.integers(0, MAX_NODES - 1))
def test_an_id_says_when_it_was_made(at: int, node: int) -> None:
    """So that a filter by date is a range of ids; all of them fit 64 signed bits."""
    made = IdMaker(node, lambda: at).take(16_384)
    assert made_at(made[0]) == made_at(made[-1]) == at
    assert first_id_at(at) <= made[0] <= made[-1] < first_id_at(at + 1)
    assert made[-1] < 1 << 63


def test_an_instant_after_all_ids_has_the_greatest() -> None:
    """A list since a day of the next century is empty, and is no number too large to look for."""
    assert first_id_at(EPOCH_MS + (1 << 43)) == MOST == (1 << 63) - 1


def test_threads_share_a_maker(now_ms: Clock) -> None:
    """No id is given out twice."""
    maker = IdMaker(1, now_ms)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: maker.one(), range(4000)))
    assert len(set(taken)) == 4000


@pytest.mark.parametrize("node", [-1, MAX_NODES])
def test_a_node_that_has_no_room(node: int, now_ms: Clock) -> None:
    """A node number beyond its bits would run into the time."""
    with pytest.raises(ValueError, match="is not between 0 and 255"):
        IdMaker(node, now_ms)


@pytest.mark.parametrize("count", [0, 16_385])
def test_too_many_at_once(count: int, now_ms: Clock) -> None:
    """A batch is never silently given fewer ids than it has rows."""
    with pytest.raises(ValueError, match="cannot take"):
        IdMaker(0, now_ms).take(count)


def test_nothing_was_made_before_the_epoch() -> None:
    """A filter that begins long ago begins at the first id."""
    assert first_id_at(0) == 0


def test_a_command_beside_the_daemons_makes_ids_that_are_none_of_theirs(now_ms: Clock) -> None:
    """Whatever the daemons make in the same millisecond."""
    theirs = {IdMaker(node, now_ms).one() for node in range(COMMANDS_NODE)}
    own = ids_for_command(now_ms).take(1000)
    assert not theirs & set(own)
    assert {made_at(each) for each in own} == {now_ms()}
