"""How the daemon is and what it has done of late: made once for all who look.

A look at the database for each page of each visitor would be many; here whoever asks within
two seconds is given the same. What came and went is read of ``core.minutes``, whose rows do
not grow with the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from core.alerts import Alert
from core.database import DatabaseUnavailable
from core.minutes import MINUTE_MS, NOTHING, Counts, counts_since, store_counts, total
from gateway.database_doors import Doors
from gateway.health import Health, Snapshot, assess
from gateway.minutes import Minutes
from gateway.vitals import Vitals

log = structlog.get_logger(__name__)

FRESH_MS: Final = 2_000
"""For so long a look is good for others too …"""
OTHERS_FRESH_MS: Final = 10_000
"""… and what other processes have counted, which they store no more often."""
HOUR_MS: Final = 3_600_000
HALF_HOUR_MS: Final = HOUR_MS // 2
"""By which an hour in Tehran begins after one of UTC."""
DAY_HOURS: Final = 24


class Span(NamedTuple):
    """What came and went from ``at`` (UTC milliseconds) on, for a minute or an hour."""

    at: int
    counts: Counts


class Beat(NamedTuple):
    """The daemon at one moment, and the day before it."""

    snapshot: Snapshot
    health: Health
    hour: Sequence[Span]
    """The last sixty minutes, the one that has begun last."""
    day: Sequence[Span]
    """The last 24 hours, likewise."""
    alerts: Sequence[Alert] = ()
    """Those that are open, as this daemon knows them."""

    @property
    def now(self) -> int:
        """When it was: UTC milliseconds."""
        return self.snapshot.now

    @property
    def last_hour(self) -> Counts:
        """All that came and went in the last sixty minutes."""
        return total([span.counts for span in self.hour])

    @property
    def last_day(self) -> Counts:
        """… and in the last 24 hours."""
        return total([span.counts for span in self.day])

    def a_minute(self, what: str) -> int:
        """How many of ``what`` there are in a minute now: the last whole one fades out."""
        passed = (self.now % MINUTE_MS) / MINUTE_MS
        before, current = (int(getattr(span.counts, what)) for span in self.hour[-2:])
        return round(current + before * (1 - passed))


class Pulse:
    """Feels it on demand; reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        vitals: Vitals,
        minutes: Minutes,
        doors: Doors,
        *,
        oldest_waiting: float,
        open_alerts: Callable[[], Sequence[Alert]],
        now_ms: Callable[[], int],
    ) -> None:
        """``oldest_waiting``: for how many seconds a message may be due."""
        self._open_alerts = open_alerts
        self._vitals = vitals
        self._minutes = minutes
        self._doors = doors
        self._oldest_waiting = oldest_waiting
        self._now = now_ms
        self._beat: Beat | None = None
        self._others: Mapping[int, Counts] = {}
        self._others_at = 0
        self._waiting: list[Deferred[Beat]] | None = None
        self._is_storing = False

    def feel(self) -> Deferred[Beat]:
        """How it is now, or was a moment ago."""
        if self._beat is not None and 0 <= self._now() - self._beat.now < FRESH_MS:
            return succeed(self._beat)
        asked: Deferred[Beat] = Deferred()
        if self._waiting is not None:
            self._waiting.append(asked)
            return asked
        self._waiting = [asked]
        Deferred.fromCoroutine(self._look()).addBoth(self._felt)
        return asked

    def forget(self) -> None:
        """Something was changed: whoever asks next is told how it is after that."""
        self._beat = None

    def _felt(self, found: Beat | Failure) -> None:
        waiting, self._waiting = self._waiting or [], None
        if isinstance(found, Beat):
            self._beat = found
        for asked in waiting:
            if isinstance(found, Failure):
                asked.errback(found)
            else:
                asked.callback(found)

    async def _look(self) -> Beat:
        snapshot = await self._vitals.snapshot()
        now = snapshot.now
        if now - self._others_at >= OTHERS_FRESH_MS:
            try:
                self._others = await self._doors.read(
                    "minutes", counts_since, _first_hour(now), self._minutes.writer
                )
                self._others_at = now
            except DatabaseUnavailable:
                log.warning("pulse.counts_unknown")
        self._minutes.look()
        health = assess(snapshot, self._oldest_waiting)
        hour, day = spans(now, self._others, self._minutes.own)
        return Beat(snapshot, health, hour, day, self._open_alerts())

    def store(self) -> Deferred[None]:
        """Store what was counted; called every few seconds, and at the end."""
        self._minutes.look()
        taken = self._minutes.take()
        if self._is_storing or not taken:
            self._minutes.take_back(taken)
            return succeed(None)
        self._is_storing = True
        done = self._doors.transact("minutes", store_counts, self._minutes.writer, taken)

        def stored(found: object) -> None:
            self._is_storing = False
            if isinstance(found, Failure):
                self._minutes.take_back(taken)
                found.trap(DatabaseUnavailable)
                log.warning("pulse.counts_not_stored", error=found.getErrorMessage())

        return done.addBoth(stored)


def spans(now: int, *counted: Mapping[int, Counts]) -> tuple[Sequence[Span], Sequence[Span]]:
    """The last sixty minutes, and the last 24 hours, of counts by minute."""
    together: dict[int, Counts] = {}
    for each in counted:
        for minute, counts in each.items():
            together[minute] = together.get(minute, NOTHING).plus(counts)
    this_minute = now // MINUTE_MS * MINUTE_MS
    minutes = [this_minute - back * MINUTE_MS for back in range(59, -1, -1)]
    by_hour: dict[int, list[Counts]] = {}
    for minute, counts in together.items():
        by_hour.setdefault(minute - (minute - HALF_HOUR_MS) % HOUR_MS, []).append(counts)
    first = _first_hour(now)
    hours = [first + number * HOUR_MS for number in range(DAY_HOURS)]
    return (
        [Span(minute, together.get(minute, NOTHING)) for minute in minutes],
        [Span(hour, total(by_hour.get(hour, []))) for hour in hours],
    )


def _first_hour(now: int) -> int:
    """When the first of the last 24 hours began, by the clocks of Tehran."""
    current = now - (now - HALF_HOUR_MS) % HOUR_MS
    return current - (DAY_HOURS - 1) * HOUR_MS
