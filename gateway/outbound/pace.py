"""How fast a bind may send: a token bucket that gives way when the SMSC is throttled. Pure.

An SMSC that answers "throttled" is given a pause and then half of what it was being sent
(multiplicative decrease); each calm second adds a little (additive increase), until the
rate that was set is reached again.
"""

from __future__ import annotations

import math

FIRST_PAUSE = 0.5
"""Seconds without sending after a first throttling …"""
LONGEST_PAUSE = 16.0
"""… doubled with each further one, up to this …"""
FORGIVEN_AFTER = 10.0
"""… and back to the first once this many seconds passed after a pause without one."""
DECREASE = 0.5
"""What is left of the speed after a throttling …"""
INCREASE = 0.05
"""… and how much of the speed that was too much comes back each second …"""
LEAST_INCREASE = 1.0
"""… but at least so many messages a second."""
SLOWEST = 1.0
"""Messages a second that are always tried."""
FREE_AGAIN = 4.0
"""A bind without a rate is let go once it may send so many times what was too much."""


class Pace:
    """Says how many messages may go now, and when to look again. ``now`` is in seconds.

    With a rate of 100 there is one token every 10 ms; a burst is at most a tenth of a
    second's worth, so that any second sends the rate and no minute more than the rate.

    A rate that is ``shared`` with other daemons lets nothing go until a share is given, nor
    after that has lapsed.
    """

    def __init__(self, rate: float, now: float, *, shared: bool = False) -> None:
        self.rate = rate
        self.is_shared = shared and rate > 0
        self._own = 0.0 if self.is_shared else rate or math.inf
        self._lapses_at = -math.inf if self.is_shared else math.inf
        self._limit = self._own
        self._too_much = math.inf
        self._grown_at = now
        self._tokens = 0.0 if self.is_shared else 1.0
        self._filled_at = now
        self._gone = _Gone(now)
        self._paused_until = -math.inf
        self._pause = FIRST_PAUSE

    def take(self, wanted: int, now: float) -> int:
        """How many of ``wanted`` may go now; they are counted as gone."""
        if now < self._paused_until or now >= self._lapses_at:
            return 0
        self._grow(now)
        granted = wanted if self._limit == math.inf else self._from_bucket(wanted, now)
        self._gone.add(granted, now)
        return granted

    def give(self, share: float, now: float, lapses_at: float) -> None:
        """Of a rate that is shared, this much is ours (0 … 1), until ``lapses_at``."""
        self._grow(now)
        if now < self._lapses_at:
            self._fill(now)
        self._filled_at = max(self._filled_at, now)
        self._own = self.rate * share
        is_calm = self._too_much == math.inf
        self._limit = self._own if is_calm else min(self._limit, self._own)
        self._tokens = min(self._tokens, max(1.0, self._limit / 10))
        self._lapses_at = lapses_at

    def own(self, now: float) -> float:
        """Messages a second that are ours of the rate as it was set; infinity without one."""
        return self._own if now < self._lapses_at else 0.0

    def _fill(self, now: float) -> None:
        most = max(1.0, self._limit / 10)
        since = max(0.0, now - self._filled_at)
        self._tokens = min(most, self._tokens + since * self._limit)
        self._filled_at = max(self._filled_at, now)

    def _from_bucket(self, wanted: int, now: float) -> int:
        self._fill(now)
        # A hair's breadth below a whole token is one: the clock's rounding, not the rate's.
        granted = min(wanted, int(self._tokens + 1e-6))
        self._tokens -= granted
        return granted

    def throttled(self, now: float) -> None:
        """The SMSC asked for less speed: send nothing for a while, then half as fast."""
        if now < self._paused_until:
            return  # the rest of one window says the same thing once
        calm = now - self._paused_until > FORGIVEN_AFTER
        self._pause = FIRST_PAUSE if calm else min(LONGEST_PAUSE, self._pause * 2)
        self._paused_until = now + self._pause
        self._grow(now)
        slowest = min(SLOWEST, self._own)
        self._too_much = max(slowest, min(self._limit, self._gone.a_second(now)))
        self._limit = max(slowest, self._too_much * DECREASE)
        self._tokens = 1.0
        self._grown_at = self._filled_at = self._paused_until

    def _grow(self, now: float) -> None:
        """Give back speed for the calm time since it was last looked at."""
        if self._too_much == math.inf or now <= self._grown_at:
            return
        step = max(LEAST_INCREASE, self._too_much * INCREASE)
        self._limit += step * (now - self._grown_at)
        self._grown_at = now
        if self._limit >= (self._own if self.rate else self._too_much * FREE_AGAIN):
            self._limit, self._too_much = self._own, math.inf

    def held(self, now: float) -> float:
        """Seconds for which throttling still holds everything back; 0 when it does not."""
        return max(0.0, self._paused_until - now)

    def slowed_to(self, now: float) -> float:
        """Messages a second that throttling has left; 0 when it takes nothing away."""
        self._grow(now)
        return 0.0 if self._too_much == math.inf else self._limit

    def wait(self, now: float) -> float:
        """Seconds until at least one message may go; 0 when one may go now.

        Infinity while nothing of a shared rate is ours: ``give`` tells.
        """
        if now >= self._lapses_at:
            return math.inf
        if now < self._paused_until:
            return self._paused_until - now
        self._grow(now)
        if self._limit == math.inf:
            return 0.0
        if self._limit <= 0:
            return math.inf
        have = self._tokens + (now - self._filled_at) * self._limit
        return max(0.0, (1.0 - have) / self._limit)


class _Gone:
    """How many messages a second have gone lately."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._count = 0
        self._before = 0.0

    def add(self, count: int, now: float) -> None:
        """Count messages as gone."""
        if now - self._since >= 1:
            self._before = self._count / (now - self._since)
            self._since, self._count = now, 0
        self._count += count

    def a_second(self, now: float) -> float:
        """The more of this second and the one before it."""
        return max(self._before, self._count / max(1.0, now - self._since))
