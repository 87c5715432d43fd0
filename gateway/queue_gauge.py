"""How much waits to go out, counted as often as that can be afforded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from core.sending import Depths

QUICK_MS: Final = 50.0
"""A count that takes no longer is made whenever somebody asks."""
REST: Final = 50
"""After a longer one (some hundred milliseconds for a million messages) the figures stand for
so many times as long: those who are answered meanwhile need the processor, too."""


class QueueGauge:
    """Counts what waits. It is asked on any thread."""

    def __init__(
        self, count: Callable[[int], Depths], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """``count`` goes to the database, with the time; ``clock``: seconds since whenever."""
        self._count = count
        self._clock = clock
        self._found = Depths(0, 0, None)
        self._good_until = clock()

    def depths(self, now: int) -> Depths:
        """The outbox's depths, of ``now`` or of not long before. Raises ``DatabaseUnavailable``."""
        began = self._clock()
        if began >= self._good_until:
            self._found = self._count(now)
            took = self._clock() - began
            self._good_until = began + (took * REST if took * 1000 > QUICK_MS else 0)
        return self._found
