"""The ways to people: each tells one thing after the other, and tries again what failed.

A way that does not work holds up no other. What waits is kept in memory: an alert that nobody
has been told of when the daemon stops is told after its next start, from the database.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import structlog
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from core.alerts import Alert
from gateway.alerts.book import about_of, kind_of
from gateway.alerts.words import TEST, told_end
from gateway.outbound import Clock

log = structlog.get_logger(__name__)

FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
GIVEN_UP_AFTER: Final = 86_400.0
"""Seconds after which nobody needs to hear of it any more."""
MOST_WAITING: Final = 200


class Telling(NamedTuple):
    """Something to tell people of."""

    alert: Alert
    is_end: bool
    is_test: bool = False

    @property
    def english(self) -> str:
        """In a line."""
        if self.is_test:
            return TEST.english
        return self._end()[0] if self.is_end else self.alert.english

    @property
    def persian(self) -> str:
        """In a line."""
        if self.is_test:
            return TEST.persian
        return self._end()[1] if self.is_end else self.alert.persian

    @property
    def about(self) -> str:
        """The bind, operator or template; empty where there is one only."""
        return about_of(self.alert.trouble)

    @property
    def key(self) -> str:
        """The same whenever the same thing is told again."""
        return f"{self.alert.id}-{'ended' if self.is_end else 'open'}"

    @property
    def at(self) -> int:
        """When it came to be, UTC milliseconds."""
        return (self.alert.ended_at if self.is_end else None) or self.alert.since

    def _end(self) -> tuple[str, str]:
        kind = kind_of(self.alert.trouble)
        if kind is None:
            return (f"over: {self.alert.english}", f"رفع شد: {self.alert.persian}")
        return told_end(kind, self.about)


class NotTold(Exception):
    """A way to people has failed for now, in words for the log."""


class Way(Protocol):
    """One way to people."""

    name: str
    """``sms``, ``email``, ``webhook``."""

    def tell(self, telling: Telling) -> Deferred[None]:
        """Tell them; done when they have been told. Fails with ``NotTold`` or anything else."""


class Teller:
    """Tells one way what there is to tell, in order."""

    def __init__(self, way: Way, clock: Clock, on_told: Callable[[Telling], object]) -> None:
        self.way = way
        self._clock = clock
        self._on_told = on_told
        self._waiting: deque[tuple[Telling, float]] = deque()
        self._pause = FIRST_PAUSE
        self._is_telling = False
        self._alarm: Any = None
        self.last_error = ""

    @property
    def waiting(self) -> int:
        """How much has not been told yet."""
        return len(self._waiting)

    def tell(self, telling: Telling) -> None:
        """Tell it after what waits already; what is too much is dropped, the oldest first."""
        if len(self._waiting) >= MOST_WAITING:
            dropped, _at = self._waiting.popleft()
            log.error("alert.not_told", way=self.way.name, alert=dropped.key, error="too many")
        self._waiting.append((telling, self._clock.seconds()))
        self._next()

    def stop(self) -> None:
        """Tell nothing more."""
        self._waiting.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _next(self) -> None:
        if self._is_telling or self._alarm is not None or not self._waiting:
            return
        self._is_telling = True
        telling, since = self._waiting.popleft()
        done = maybeDeferred(self.way.tell, telling)
        done.addCallbacks(
            self._told, self._failed, callbackArgs=(telling,), errbackArgs=(telling, since)
        )
        done.addErrback(self._broken)

    def _told(self, _result: object, telling: Telling) -> None:
        self._is_telling = False
        self._pause, self.last_error = FIRST_PAUSE, ""
        log.info("alert.told", way=self.way.name, trouble=telling.alert.trouble)
        self._on_told(telling)
        self._next()

    def _failed(self, failure: Failure, telling: Telling, since: float) -> None:
        self._is_telling = False
        self.last_error = failure.getErrorMessage()
        log.error("alert.not_told", way=self.way.name, alert=telling.key, error=self.last_error)
        if self._clock.seconds() - since < GIVEN_UP_AFTER:
            self._waiting.appendleft((telling, since))
        self._alarm = self._clock.callLater(self._pause, self._again)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _again(self) -> None:
        self._alarm = None
        self._next()

    def _broken(self, failure: Failure) -> None:
        self._is_telling = False
        log.critical("alert.broken", way=self.way.name, failure=failure.getTraceback())
