"""How much one address may ask for: guessing links must not pay off, nor may one flood us."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class Allowance(NamedTuple):
    """So many in a time, given back steadily."""

    most: int
    seconds: float


class Limiter:
    """A bucket for each address; the longest unused are forgotten beyond ``addresses``."""

    def __init__(self, allowance: Allowance, addresses: int = 10_000) -> None:
        self._most, self._seconds = allowance
        self._addresses = addresses
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, address: str, now: float) -> None:
        """Count one against an address; ``now`` in seconds."""
        self._spent[address] = (self._left_over(address, now) + 1, now)
        self._spent.move_to_end(address)
        while len(self._spent) > self._addresses:
            self._spent.popitem(last=False)

    def is_spent(self, address: str, now: float) -> bool:
        """Whether an address has had all it may."""
        return self._left_over(address, now) > self._most - 1

    def wait(self, address: str, now: float) -> float:
        """In how many seconds an address may ask for one more; 0 when it may now."""
        beyond = self._left_over(address, now) - (self._most - 1)
        return max(0.0, beyond * self._seconds / self._most)

    def _left_over(self, address: str, now: float) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) * self._most / self._seconds)
