"""A process that is an operator's end of a measurement: one bind, figures as lines of JSON.

It listens on a free port of 127.0.0.1 and takes one bind. Each line on standard input is one
measurement in JSON; its figures come back as one line on standard output.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench import wire

PATIENCE = 20.0
"""Seconds without a single answer after which a measurement has failed."""
NEVER = float("inf")


class LoadError(Exception):
    """What was measured did not behave; its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a measurement; times are milliseconds until the last part of an answer."""

    answered: int
    parts: int
    """Of the answers: a submit_sm each."""
    seconds: float
    rate: float
    """Answers a second, of however many parts."""
    p50: float
    p99: float
    worst: float
    submitted: int = 0
    """Every submit_sm that came in those seconds, whoever it was for."""


class Link(ABC):
    """One bound connection."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._out = bytearray()
        self._rest = b""
        self._sequence = 0
        # An id must not come twice in one database, and measurements have one in common.
        self._message_id = time.time_ns() // 1000

    @abstractmethod
    def measure(self, asked: dict[str, Any]) -> Figures:
        """Make one measurement, until everything is answered."""

    @abstractmethod
    def _read(self, data: bytes, now: float) -> None:
        """Take the PDUs that came at ``now``, and keep what is left of the last as ``_rest``."""

    def wait(self, seconds: float) -> bool:
        """Read what comes within that time; whether anything came."""
        # Not selectors: epoll's clock ticks in milliseconds.
        if not select.select((self._link,), (), (), max(0.0, seconds))[0]:
            return False
        data = self._link.recv(1 << 18)
        # A peer that leaves Nagle's algorithm on would wait for acknowledgements of ours,
        # which are otherwise delayed by 40 ms.
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not data:
            raise LoadError("the connection was closed")
        self._read(self._rest + data, time.perf_counter())
        self._flush()
        return True

    def _flush(self) -> None:
        if self._out:
            self._link.sendall(self._out)
            self._out.clear()

    def _other(self, command: int, status: int, sequence: int) -> None:
        """Answer what keeps a bind alive; nothing else may come."""
        if command not in (wire.BIND_TRANSCEIVER, wire.ENQUIRE_LINK, wire.UNBIND):
            raise LoadError(f"PDU 0x{command:08X} came with status 0x{status:02X}")
        body = b"bench\0" if command == wire.BIND_TRANSCEIVER else b""
        self._out += wire.pack(command | wire.RESPONSE, 0, sequence, body)


def figures_of(times: list[float], parts: int, seconds: float) -> Figures:
    """What came of these times, in seconds. Raises ``LoadError`` when there are none."""
    if not times:
        raise LoadError("nothing was answered")
    times.sort()
    p50, p99 = (times[int(len(times) * share)] for share in (0.5, 0.99))
    return Figures(
        answered=len(times),
        parts=parts,
        seconds=seconds,
        rate=len(times) / seconds,
        p50=p50 * 1000,
        p99=p99 * 1000,
        worst=times[-1] * 1000,
    )


def run(begin: Callable[[socket.socket], Link]) -> None:
    """Measure until standard input ends; a failure is said as ``error``, and is exit code 1."""
    gc.disable()
    try:
        _serve(begin)
    except LoadError as error:
        _say({"error": str(error)})
        sys.exit(1)


def _serve(begin: Callable[[socket.socket], Link]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        _say({"port": server.getsockname()[1]})
        server.settimeout(PATIENCE)
        try:
            connection, _ = server.accept()
        except TimeoutError:
            raise LoadError("nobody has bound") from None
    connection.settimeout(PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        link = begin(connection)
        link.wait(PATIENCE)
        _say({"bound": True})
        while True:
            ready = select.select((connection, sys.stdin), (), ())[0]
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                _say(asdict(link.measure(json.loads(line))))
            else:
                link.wait(0)


def _say(what: dict[str, Any]) -> None:
    """Tell whoever started this process."""
    print(json.dumps(what), flush=True)
