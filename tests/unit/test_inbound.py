"""What waits in memory for the database: when reading pauses, and that it always goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from core.batch import Done
from gateway.inbound import MOST_ARRIVALS, TOO_LATE_MS, Inbound
from gateway.messages import Delivery, InboundSms, OutboundSms, Screen, Temporary
from gateway.outbound import Router

MOST_WAITING = 100


class Line:
    """A connection that counts how its deliveries were answered."""

    id = 1
    is_open = True
    confirmed = 0

    def __init__(self) -> None:
        self.acknowledged = 0
        self.refused = 0
        self.is_reading = True

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Count."""
        self.acknowledged += len(sequences)

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Count."""
        self.refused += len(sequences)

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Not used here."""

    def show(self, screens: Sequence[Screen]) -> None:
        """Not used here."""

    def pause_reading(self) -> None:
        """Remember."""
        self.is_reading = False

    def resume_reading(self) -> None:
        """Remember."""
        self.is_reading = True


class Rig:
    """An ``Inbound`` whose database answers when the test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000)
        self.line = Line()
        self.pending: list[Deferred[Any]] = []
        self.happened = 0
        numbers = count(1)
        desk = SimpleNamespace(
            ids=SimpleNamespace(one=lambda: next(numbers)),
            keys=SimpleNamespace(fingerprint=lambda *_marks: 1),
            talkers={},
        )
        self.inbound = Inbound(
            cast("Any", None),
            cast("Any", desk),
            Router({}, {}),
            profiles={},
            clock=self.clock,
            in_thread=self._in_thread,
            recover=lambda _in_hand, _now: None,
            smsc_of={"mci": "mci"},
            max_waiting=MOST_WAITING,
            on_happened=self._happen,
        )
        self.inbound.bound("mci", self.line)

    def _in_thread(self, _function: Callable[..., Any], *_arguments: Any) -> Deferred[Any]:
        self.pending.append(Deferred())
        return self.pending[-1]

    def _happen(self) -> None:
        self.happened += 1

    def arrive(self, how_many: int) -> None:
        """So many texts come."""
        sms = InboundSms("989131234567", "100034122", 0, b"010", "010", None)
        self.inbound.arrived("mci", self.line, [Delivery(i, sms) for i in range(how_many)])

    def commit(self, done: Done | None = None) -> None:
        """The batch that is with the database is committed."""
        self.pending.pop(0).callback(done or Done())


def test_events_of_a_batch_are_told_of_at_once() -> None:
    """Whoever makes messages of them does not wait for a clock."""
    rig = Rig()
    rig.arrive(1)
    rig.commit()
    assert rig.happened == 0
    rig.arrive(1)
    rig.commit(Done(happened=True))
    assert rig.happened == 1


def test_reading_pauses_beyond_the_bound_and_goes_on_below_half_of_it() -> None:
    """What waits in memory is bounded."""
    rig = Rig()
    rig.arrive(1)
    rig.arrive(MOST_WAITING)
    assert rig.line.is_reading

    rig.arrive(1)
    assert not rig.line.is_reading
    assert rig.inbound.is_paused

    rig.commit()
    assert rig.line.is_reading
    assert not rig.inbound.is_paused


def test_what_waited_too_long_is_refused_at_once_and_reading_goes_on() -> None:
    """After one very slow commit everything is late: nothing may be left to wait for traffic."""
    rig = Rig()
    rig.arrive(1)
    rig.arrive(3 * MOST_ARRIVALS)
    assert not rig.line.is_reading

    rig.clock.advance(TOO_LATE_MS / 1000 + 1)
    rig.commit()

    assert rig.line.refused == 3 * MOST_ARRIVALS
    assert rig.inbound.waiting == 0
    assert rig.line.is_reading


def test_what_is_not_late_goes_on_to_the_database() -> None:
    """Behind the late ones are those that can still be answered in time."""
    rig = Rig()
    rig.arrive(1)
    rig.arrive(2)
    rig.clock.advance(TOO_LATE_MS / 1000 + 1)
    rig.arrive(3)
    rig.commit()
    rig.commit()

    assert (rig.line.acknowledged, rig.line.refused) == (1 + 3, 2)
