"""A USSD door over HTTP: to the daemon a connection, to a USSD gateway a place to post to.

A request is a delivery, and its response is the screen that answers it: so a request waits
until the batch that it went into is committed and its screen is shown. When no screen comes
in time, the session ends without one. What could not be stored is refused with 503, so that
the gateway tries again or gives up: nothing of it has happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

from gateway.messages import (
    BindListener,
    Delivery,
    OutboundSms,
    Screen,
    ScreenKind,
    SendResult,
    SendStatus,
    Temporary,
    UssdEvent,
    UssdInput,
)
from gateway.outbound import Clock
from gateway.ussd.http.dialect import Asked, Dialect

OK: Final = 200
UNAVAILABLE: Final = 503
MOST_WAITING: Final = 2_000
"""Requests that may wait for their answer at once."""
_ANSWERABLE: Final = frozenset({UssdEvent.BEGIN, UssdEvent.ANSWER})
_connections = count(-1, -1)
"""Below zero, so that they differ from those of binds."""

Answer = Callable[[int, bytes], None]
"""``answer(status, body)``: ends a request."""


@dataclass(slots=True)
class _Waiting:
    asked: Asked
    session: str
    turn: str
    answer: Answer
    timer: Any
    is_acknowledged: bool = False


class Door:
    """Implements ``messages.Connection``: open from ``open`` to ``close``."""

    def __init__(
        self, name: str, dialect: Dialect, listener: BindListener, clock: Clock, deadline: float
    ) -> None:
        """``deadline``: seconds in which a request is answered."""
        self.name = name
        self.id = next(_connections)
        self.is_open = False
        self.acknowledged = 0
        self.counters: Counter[str] = Counter()
        """``requests``, ``screens``; ``refused`` (503), ``late`` (no screen in time), ``gone``
        (nobody waited any more), ``rejected`` (not understood), ``forbidden``."""
        self.dialect = dialect
        self._listener = listener
        self._clock = clock
        self._deadline = deadline
        self._is_reading = True
        self._sequences = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._of_session: dict[str, list[int]] = {}

    @property
    def confirmed(self) -> int:
        """As many as were acknowledged: whoever waits for a response reads it, or asks again."""
        return self.acknowledged

    @property
    def waiting(self) -> int:
        """How many requests wait for their answer."""
        return len(self._waiting)

    def open(self) -> None:
        """Take requests from now on."""
        self.is_open = True
        self._listener.bound(self.name, self)

    def close(self) -> None:
        """Take none any more; whoever waits is told to try again."""
        if not self.is_open:
            return
        self.is_open = False
        self._refuse(list(self._waiting))
        self._listener.lost(self.name, self, "the door is closed")

    # --- what a page tells ------------------------------------------------------------

    def take(self, asked: Asked, answer: Answer) -> int:
        """A request: ``answer`` is called once, now or later. Returns its sequence number."""
        self.counters["requests"] += 1
        sequence = next(self._sequences)
        if asked.input is None:
            answer(OK, self._end_of(asked))
        elif not self.is_open or not self._is_reading or len(self._waiting) >= MOST_WAITING:
            self.counters["refused"] += 1
            answer(UNAVAILABLE, b"")
        else:
            self._wait(sequence, asked, asked.input, answer)
        return sequence

    def _wait(self, sequence: int, asked: Asked, given: UssdInput, answer: Answer) -> None:
        timer = self._clock.callLater(self._deadline, partial(self._too_late, sequence))
        self._waiting[sequence] = _Waiting(asked, given.session, given.turn, answer, timer)
        self._of_session.setdefault(given.session, []).append(sequence)
        self._listener.arrived(self.name, self, [Delivery(sequence, given)])

    def gone(self, sequence: int) -> None:
        """Whoever sent a request does not wait for its answer any more."""
        if self._forget(sequence):
            self.counters["gone"] += 1

    # --- what the daemon asks ---------------------------------------------------------

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """These are stored: their screens follow, or nothing does when their session is over."""
        self.acknowledged += len(sequences)
        for sequence in sequences:
            one = self._waiting.get(sequence)
            if one is None:
                continue
            one.is_acknowledged = True
            if one.asked.input and one.asked.input.event not in _ANSWERABLE:
                self._answer(sequence, OK, self._end_of(one.asked))

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:  # noqa: ARG002
        """These could not be stored: 503."""
        self.acknowledged += len(sequences)
        self._refuse(sequences)

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Texts do not go out through a door."""
        results = [SendResult(one.id, SendStatus.PERMANENT, "", 0) for one in messages]
        self._listener.sent(self.name, self, results)

    def show(self, screens: Sequence[Screen]) -> None:
        """Answer the requests that these screens are for.

        One that nobody waits for is dropped for good: a later request of the session waits
        for another screen. Nor can a door begin a session.
        """
        results = [SendResult(screen.id, self._show(screen), "", 0) for screen in screens]
        self._listener.shown(self.name, self, results)

    def _show(self, screen: Screen) -> SendStatus:
        begins = screen.kind in (ScreenKind.OPEN, ScreenKind.NOTIFY)
        sequence = None if begins else self._asking_for(screen)
        if sequence is None:
            return SendStatus.PERMANENT
        asked = self._waiting[sequence].asked
        ends = screen.kind is ScreenKind.LAST
        body = self.dialect.write(asked, screen.text, ends=ends, mark=str(screen.id))
        self.counters["screens"] += 1
        self._answer(sequence, OK, body)
        return SendStatus.ACCEPTED

    def _asking_for(self, screen: Screen) -> int | None:
        """The first stored request of the session, of the same turn where the screen has one."""
        for sequence in self._of_session.get(screen.session, ()):
            one = self._waiting[sequence]
            if one.is_acknowledged and screen.turn in ("", one.turn):
                return sequence
        return None

    def pause_reading(self) -> None:
        """Refuse what comes until ``resume_reading``."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Take requests again."""
        self._is_reading = True

    # --- help -------------------------------------------------------------------------

    def _end_of(self, asked: Asked) -> bytes:
        return self.dialect.write(asked, "", ends=True, mark="")

    def _refuse(self, sequences: Sequence[int]) -> None:
        for sequence in sequences:
            if sequence in self._waiting:
                self.counters["refused"] += 1
                self._answer(sequence, UNAVAILABLE, b"")

    def _too_late(self, sequence: int) -> None:
        one = self._waiting[sequence]
        self.counters["late"] += 1
        if one.is_acknowledged:
            self._answer(sequence, OK, self._end_of(one.asked))
        else:
            self._answer(sequence, UNAVAILABLE, b"")

    def _answer(self, sequence: int, status: int, body: bytes) -> None:
        one = self._forget(sequence)
        if one:
            one.answer(status, body)

    def _forget(self, sequence: int) -> _Waiting | None:
        one = self._waiting.pop(sequence, None)
        if one is None:
            return None
        if one.timer.active():
            one.timer.cancel()
        others = self._of_session[one.session]
        others.remove(sequence)
        if not others:
            del self._of_session[one.session]
        return one
