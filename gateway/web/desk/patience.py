"""A report's way to the database that ends when nobody waits for it any more, or too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any, Final

from core.database import Reader

SECONDS: Final = 60.0
"""So long a report may take: a thread is kept busy by it, and a daemon that stops waits for it."""


class Impatient(Exception):
    """The report has taken too long, or whoever asked for it has gone."""


class Patience:
    """Implements ``core.database.Reader``; each page of a report asks whether to go on."""

    def __init__(
        self, whole: Reader, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._whole = whole
        self._clock = clock
        self._until = clock() + seconds
        self._is_gone = Event()

    def give_up(self, _reason: object = None) -> None:
        """Nobody waits any more; may be called on any thread."""
        self._is_gone.set()

    def read(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As ``Database.read``. Raises ``Impatient``."""
        if self._is_gone.is_set() or self._clock() > self._until:
            raise Impatient
        return self._whole.read(name, function, *args, **kwargs)
