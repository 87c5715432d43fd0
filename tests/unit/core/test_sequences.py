"""Numbers given out one by one: none twice, whoever asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from core.database import Database
from core.sequences import take


def test_each_sequence_counts_for_itself(database: Database) -> None:
    """From its own first number on, as many as are wanted."""
    assert database.transact("take", take, "a", 3, 100) == range(100, 103)
    assert database.transact("take", take, "b", 1) == range(1, 2)
    assert database.transact("take", take, "a", 2, 100) == range(103, 105)


def test_those_who_take_the_very_first_at_once_get_different_ones(database: Database) -> None:
    """Nobody fails because the other made the sequence."""
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: database.transact("take", take, "new", 2), range(8)))
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, 17))
