"""The operator's end of a measurement: a process that texts a line and times the answers.

Each measurement is a ``Phase``. The texts are made before anything is timed, and of what comes
only headers and recipients are read: on one core it takes several times what a daemon can give.

Two kinds of load. *Closed*: ``window`` texts are always open, and each answer lets the
next one go. *Open*: texts arrive at random (Poisson) at ``rate`` a second whether answers
come or not, and an answer's time counts from when its text was *due*, so that a daemon
which stalls is charged for all who had to wait.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bench import wire
from bench.link import NEVER, PATIENCE, Figures, Link, LoadError, figures_of, run
from bench.texts import Texts

FIRST_RECEIPT = 1 << 30
"""Receipts have sequence numbers from here, texts those below."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One measurement: exactly one of ``window`` and ``rate`` is given."""

    seconds: float = NEVER
    window: int = 0
    rate: float = 0.0
    most: int = 1 << 60
    """Texts, after which it ends even if ``seconds`` have not passed."""
    warm_up: float = 1.0
    """Seconds before what is counted begins."""
    receipts: bool = False
    """Whether each answer is followed by its delivery receipt."""
    bulk: bool = False
    """Whether messages come besides the answers, to mobiles that have not asked. With a rate
    and without an end it goes on until a line comes on standard input."""


class Operator(Link):
    """One bound connection, and what is open on it."""

    def __init__(self, link: socket.socket, texts: Texts) -> None:
        super().__init__(link)
        self._texts = texts
        self._receipts = FIRST_RECEIPT
        self._started = [0.0] * len(texts)
        self._missing: dict[int, int] = {}
        self._open = 0
        self._unacknowledged = 0
        self._phase = Phase()
        self._count_from = self._send_until = 0.0
        self._times: list[float] = []
        self._parts = 0
        self._left = 0
        self._submitted = 0

    def measure(self, asked: dict[str, Any]) -> Figures:
        """Send and count until the phase is over and everything is answered."""
        self._phase = phase = Phase(**asked)
        self._times = []
        self._parts = self._submitted = 0
        self._left = phase.most
        began = time.perf_counter()
        self._count_from = began + phase.warm_up
        self._send_until = self._count_from + phase.seconds
        for _ in range(phase.window):
            self._send(time.perf_counter())
        self._exchange(self._schedule(began) if phase.rate else iter(()))
        until = min(self._send_until, time.perf_counter())
        figures = figures_of(self._times, self._parts, until - self._count_from)
        return replace(figures, submitted=self._submitted)

    def _schedule(self, began: float) -> Iterator[float]:
        dice = Random(self._sequence)  # noqa: S311 - arrivals need not be secret
        due = began
        while (due := due + dice.expovariate(self._phase.rate)) < self._send_until:
            yield due
            if self._send_until == NEVER and select.select((sys.stdin,), (), (), 0)[0]:
                sys.stdin.readline()
                self._send_until = time.perf_counter()

    def _exchange(self, schedule: Iterator[float]) -> None:
        due = next(schedule, NEVER)
        last_heard = time.perf_counter()
        while self._open or self._unacknowledged or due < NEVER:
            now = time.perf_counter()
            while due <= now:
                self._send(due)
                due = next(schedule, NEVER)
            self._flush()
            if self.wait(min(due - now, 1.0)):
                last_heard = now
            elif self._open and now - last_heard > PATIENCE:
                raise LoadError(f"{self._open} texts are not answered")

    def _send(self, since: float) -> None:
        """Send the next text; its answer's time counts from ``since``."""
        if self._left <= 0:
            return
        self._left -= 1
        self._sequence = (self._sequence + 1) % FIRST_RECEIPT
        place = self._sequence % len(self._started)
        if self._started[place]:
            raise LoadError(f"{len(self._started)} texts are waiting for their answers")
        self._started[place] = since
        self._open += 1
        self._unacknowledged += 1
        self._out += self._texts.take(self._sequence)

    def _read(self, data: bytes, now: float) -> None:
        at, end = 0, len(data)
        unpack = wire.HEADER.unpack_from
        while end - at >= wire.HEADER.size:
            length, command, status, sequence = unpack(data, at)
            if end - at < length:
                break
            if command == wire.SUBMIT_SM:
                mobile, parts = wire.recipient(data, at)
                self._taken(mobile, sequence)
                if self._count_from <= now < self._send_until:
                    self._submitted += 1
                place = mobile - self._texts.first_mobile
                if not self._phase.bulk or 0 <= place < len(self._started):
                    self._answered(place, parts, now)
            elif command == wire.DELIVER_SM_RESP and not status:
                self._unacknowledged -= 1
            else:
                self._other(command, status, sequence)
            at += length
        self._rest = data[at:]

    def _taken(self, mobile: int, sequence: int) -> None:
        """Acknowledge a submit_sm."""
        self._message_id += 1
        message_id = b"%d" % self._message_id
        self._out += wire.submit_sm_resp(sequence, message_id)
        if self._phase.receipts:
            self._receipts += 1
            self._unacknowledged += 1
            self._out += wire.receipt(mobile, message_id, self._receipts)

    def _answered(self, place: int, parts: int, now: float) -> None:
        """Count an answer when the last of its parts has come."""
        if not self._started[place]:
            # Who texts twice was answered the first time: then it is the second.
            place = self._texts.later.get(place, place)
        since = self._started[place]
        if not since:
            raise LoadError("a mobile was answered that had not asked")
        missing = self._missing.pop(place, parts) - 1
        if missing:
            self._missing[place] = missing
            return
        self._started[place] = 0.0
        self._open -= 1
        if self._count_from <= since < self._send_until:
            self._times.append(now - since)
            self._parts += parts
        if self._phase.window and now < self._send_until:
            self._send(now)


def main() -> None:
    """``python -m bench.load WHAT SUBSCRIBERS FIRST_MOBILE``."""
    texts = Texts(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    run(lambda link: Operator(link, texts))


if __name__ == "__main__":
    main()
