"""When a sender may go on: its pace, its share of the rate, the lease of what it holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from gateway.outbound.pace import Pace

ROOM_SECONDS = 2
"""No more is held in memory than the rate lets go within this time: what is claimed goes
whatever becomes of it meanwhile."""


class Clock(Protocol):
    """The part of a reactor that gives time."""

    def seconds(self) -> float:
        """Now."""

    def callLater(self, delay: float, function: Callable[..., object], /) -> Any:  # noqa: N802
        """Call ``function`` after ``delay`` seconds."""


class Turn:
    """Lets messages go, and calls ``pump`` again when more may."""

    def __init__(
        self, rate: float, clock: Clock, pump: Callable[[], None], *, shared: bool = False
    ) -> None:
        """``shared``: other daemons may send by this name too; a rate is for all together."""
        self._rate = rate
        self._clock = clock
        self._pump = pump
        self._pace = Pace(rate, clock.seconds(), shared=shared)
        self._leased_until = math.inf
        self._alarm: Any = None

    @property
    def is_shared(self) -> bool:
        """Whether there is a rate that is for several daemons."""
        return self._pace.is_shared

    @property
    def share(self) -> float:
        """How much of the rate is this daemon's now: 0 … 1."""
        return self._pace.own(self._clock.seconds()) / self._rate if self._rate else 1.0

    def give(self, share: float, until: float) -> None:
        """This much of the rate (0 … 1) is this daemon's until then (seconds)."""
        if self.is_shared:
            self._pace.give(share, self._clock.seconds(), until)
            self.stop()
            self._pump()

    def lease(self, until: float) -> None:
        """What is here is ours until then (seconds), and may be another daemon's afterwards."""
        self._leased_until = until
        self._pump()

    @property
    def is_leased(self) -> bool:
        """Whether what is here is still ours."""
        return self._clock.seconds() < self._leased_until

    def room(self, most: int) -> int:
        """How much may be held in memory, of ``most`` at the most."""
        a_second = self._pace.own(self._clock.seconds())
        return most if a_second == math.inf else min(most, math.ceil(a_second * ROOM_SECONDS))

    def take(self, wanted: int) -> int:
        """How many of ``wanted`` may go now; for the others ``pump`` is called later."""
        granted = self._pace.take(wanted, self._clock.seconds())
        if granted < wanted:
            self.wake_later()
        return granted

    def throttled(self) -> None:
        """Less speed was asked for."""
        self._pace.throttled(self._clock.seconds())

    @property
    def held(self) -> float:
        """Seconds for which throttling still holds everything back; 0 when it does not."""
        return self._pace.held(self._clock.seconds())

    @property
    def slowed_to(self) -> float:
        """Messages a second that throttling has left; 0 when it takes nothing away."""
        return self._pace.slowed_to(self._clock.seconds())

    def wake_later(self) -> None:
        """Have ``pump`` called as soon as a message may go."""
        delay = max(0.001, self._pace.wait(self._clock.seconds()))
        # Without an end, a share of the rate is waited for: ``give`` brings it.
        if delay < math.inf and (self._alarm is None or not self._alarm.active()):
            self._alarm = self._clock.callLater(delay, self._pump)

    def stop(self) -> None:
        """Forget the alarm."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
