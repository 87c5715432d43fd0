"""People's messages go before pages.

Whoever draws a page keeps the interpreter to itself but for a moment now and then, and a batch
lets go of it at each of its statements: while a page is drawn a batch takes five times as long.
So threads that do what can wait for a few milliseconds stop while a batch is in work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

LONGEST_WAIT: Final = 0.004
"""Seconds for which they stop at most; where batches never end, pages are drawn between them."""
SLICE: Final = 0.0003
"""Seconds for which they go on before they look again."""


class Precedence:
    """Whether a batch is in work, and waiting until it is not."""

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, longest: float = LONGEST_WAIT
    ) -> None:
        """``clock``: seconds since whenever; ``longest``: seconds for which somebody stops."""
        self._clock = clock
        self._longest = longest
        self._free = threading.Event()
        self._free.set()

    def begin(self) -> None:
        """A batch is in work."""
        self._free.clear()

    def end(self) -> None:
        """It has been answered."""
        self._free.set()

    def give_way(self) -> None:
        """Stop while a batch is in work; never on the reactor's thread."""
        if not self._free.is_set():
            self._free.wait(self._longest)

    def drawn(self, pieces: Iterable[str]) -> str:
        """The pieces of a page together, made one after the other."""
        found = []
        self.give_way()
        until = self._clock() + SLICE
        for piece in pieces:
            found.append(piece)
            if self._clock() >= until:
                self.give_way()
                until = self._clock() + SLICE
        return "".join(found)
