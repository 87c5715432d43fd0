"""How fast a bind may send: a token bucket, and a pause when the SMSC is throttled. Pure."""

from __future__ import annotations

import math

FIRST_PAUSE = 0.5
"""Seconds without sending after a first throttling …"""
LONGEST_PAUSE = 16.0
"""… doubled with each further one, up to this …"""
FORGIVEN_AFTER = 10.0
"""… and back to the first once this many seconds passed after a pause without one."""


class Pace:
    """Says how many messages may go now, and when to look again. ``now`` is in seconds.

    With a rate of 100 there is one token every 10 ms; a burst is at most a tenth of a
    second's worth, so that any second sends the rate and no minute more than the rate.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._most = max(1.0, rate / 10)
        self._tokens = 1.0
        self._filled_at = now
        self._paused_until = -math.inf
        self._pause = FIRST_PAUSE

    def take(self, wanted: int, now: float) -> int:
        """How many of ``wanted`` may go now; they are counted as gone."""
        if now < self._paused_until:
            return 0
        if not self.rate:
            return wanted
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        # A hair's breadth below a whole token is one: the clock's rounding, not the rate's.
        granted = min(wanted, int(self._tokens + 1e-6))
        self._tokens -= granted
        return granted

    def throttled(self, now: float) -> None:
        """The SMSC asked for less speed: send nothing for a while, longer each time."""
        if now < self._paused_until:
            return  # the rest of one window says the same thing once
        calm = now - self._paused_until > FORGIVEN_AFTER
        self._pause = FIRST_PAUSE if calm else min(LONGEST_PAUSE, self._pause * 2)
        self._paused_until = now + self._pause

    def held(self, now: float) -> float:
        """Seconds for which throttling still holds everything back; 0 when it does not."""
        return max(0.0, self._paused_until - now)

    def wait(self, now: float) -> float:
        """Seconds until at least one message may go; 0 when one may go now."""
        if now < self._paused_until:
            return self._paused_until - now
        if not self.rate:
            return 0.0
        have = self._tokens + (now - self._filled_at) * self.rate
        return max(0.0, (1.0 - have) / self.rate)
