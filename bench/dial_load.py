"""The network's end of a measurement of USSD: a process whose handsets dial and type.

Each measurement is ``Dials``; the dialect is ``sixdee``. A step's time runs from when its input
was due (a dial) or written (an answer) until its screen was read. Handsets do not think: the next
key follows a screen at once.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from bench import wire
from bench.link import NEVER, PATIENCE, Figures, Link, LoadError, figures_of, run

CODE: Final = "*1522#"
KEYS: Final = (CODE, "4", "0", "1")
"""Kerman's menu: the bills, back again, and the debt, which is read from the database."""
_BEGIN, _ANSWER = 0x01, 0x12
_TAIL: Final = struct.Struct(">HHBHHH")
"""The TLVs at the end of a screen: ussd_service_op, its_session_info."""
_SESSIONS: Final = 0x7FFF


@dataclass(frozen=True, slots=True)
class Dials:
    """One measurement."""

    rate: float = 0.0
    """New sessions a second, at random (Poisson); 0: ``window`` inputs are always open."""
    window: int = 0
    seconds: float = NEVER
    warm_up: float = 1.0
    most: int = 1 << 60
    """Sessions, after which it ends."""
    steps: int = len(KEYS)
    """Of each session; it is left open after the last of them."""


class Network(Link):
    """One bound connection, and the handsets that are in a session."""

    def __init__(self, link: socket.socket, mobiles: range) -> None:
        super().__init__(link)
        self._mobiles = iter(mobiles)
        self._live: dict[int, tuple[int, int, float]] = {}
        """By mobile: its session's number, the steps before this one, since when it waits."""
        self._dials = Dials()
        self._left = 0
        self._times: list[float] = []
        self._count_from = self._until = 0.0

    def measure(self, asked: dict[str, Any]) -> Figures:
        """Dial and type until it is over and every screen has come."""
        dials = Dials(**asked)
        self._dials, self._left, self._times = dials, dials.most, []
        dice = Random(self._sequence)  # noqa: S311 - arrivals need not be secret
        began = last = time.perf_counter()
        self._count_from = began + dials.warm_up
        self._until = self._count_from + dials.seconds
        due = began if dials.rate else NEVER
        for _ in range(dials.window):
            self._dial(began)
        while self._live or due < self._until:
            now = time.perf_counter()
            while due <= now and due < self._until:
                self._dial(due)
                due += dice.expovariate(dials.rate)
            self._flush()
            if self.wait(min(due - now, 1.0)):
                last = now
            elif self._live and now - last > PATIENCE:
                raise LoadError(f"{len(self._live)} handsets wait for a screen")
        ended = min(self._until, time.perf_counter())
        return figures_of(self._times, len(self._times), ended - self._count_from)

    def _dial(self, since: float) -> None:
        if self._left > 0:
            self._left -= 1
            mobile = next(self._mobiles)
            self._tell(mobile, mobile % _SESSIONS + 1, 0, since)

    def _tell(self, mobile: int, session: int, step: int, since: float) -> None:
        self._sequence += 1
        self._live[mobile] = (session, step, since)
        self._out += _deliver_sm(self._sequence, mobile, session, step)

    def _read(self, data: bytes, now: float) -> None:
        at, end = 0, len(data)
        while end - at >= wire.HEADER.size:
            length, command, status, sequence = wire.HEADER.unpack_from(data, at)
            if end - at < length:
                break
            if command == wire.SUBMIT_SM:
                self._message_id += 1
                self._out += wire.submit_sm_resp(sequence, b"%d" % self._message_id)
                mobile, _parts = wire.recipient(data, at)
                self._shown(mobile, data[at + length - _TAIL.size : at + length], now)
            elif command != wire.DELIVER_SM_RESP or status:
                self._other(command, status, sequence)
            at += length
        self._rest = data[at:]

    def _shown(self, mobile: int, tail: bytes, now: float) -> None:
        session, step, since = self._live.pop(mobile)
        if _TAIL.unpack(tail)[-1] >> 1 != session:
            raise LoadError("a screen came for another session")
        if self._count_from <= since < self._until:
            self._times.append(now - since)
        if step + 1 < self._dials.steps:
            self._tell(mobile, session, step + 1, now)
        elif self._dials.window:
            self._dial(now)


def _deliver_sm(sequence: int, mobile: int, session: int, step: int) -> bytes:
    tail = _TAIL.pack(0x0501, 1, _ANSWER if step else _BEGIN, 0x1383, 2, session << 1)
    body = wire.message(str(mobile), CODE, 0, 0, KEYS[step].encode()) + tail
    return wire.pack(wire.DELIVER_SM, 0, sequence, body)


def main() -> None:
    """``python -m bench.dial_load FIRST_MOBILE STEP COUNT``."""
    first, step, count = map(int, sys.argv[1:])
    mobiles = range(first, first + step * count, step)
    run(lambda link: Network(link, mobiles))


if __name__ == "__main__":
    main()
