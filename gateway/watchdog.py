"""What the daemon tells its service manager: that it is ready, that it lives, that it stops.

systemd's notification protocol (sd_notify(3)): datagrams to the socket that ``NOTIFY_SOCKET``
names. ``WATCHDOG=1`` is sent only after work has gone through the thread that writes to the
database, begun by the reactor's clock: a daemon whose reactor or whose database thread hangs
says nothing, and is started anew. One that cannot *reach* its database works on: starting it
anew would help nobody.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gateway.outbound import Clock

log = structlog.get_logger(__name__)

SOCKET: Final = "NOTIFY_SOCKET"
INTERVAL: Final = "WATCHDOG_USEC"
PROCESS: Final = "WATCHDOG_PID"
_TIMES: Final = 3
"""How often within the interval: one that is late is not the end."""


class Manager:
    """The service manager, if there is one that wants to hear."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get(SOCKET, "")
        # A name that begins with @ is one of the abstract namespace.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        meant = environment.get(PROCESS, "")
        said = environment.get(INTERVAL, "")
        is_ours = not meant or meant == str(os.getpid())
        self.interval = int(said) / 1e6 if said.isdigit() and is_ours and name else 0.0
        """Seconds within which it wants to hear that we live; 0: it does not ask."""

    def tell(self, **said: str) -> None:
        """Tell it, such as ``READY="1"``; nobody is kept waiting, and nothing fails of it."""
        if not self._address:
            return
        lines = "\n".join(f"{name}={value}" for name, value in said.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as door:
                door.sendto(lines.encode(), self._address)
        except OSError as error:
            log.warning("watchdog.not_heard", error=str(error))


class Watchdog(Service):
    """Says that the daemon is ready when it starts, then that it lives, then that it stops."""

    def __init__(
        self, manager: Manager, in_writer: Callable[..., Deferred[Any]], clock: Clock
    ) -> None:
        """``in_writer(function)`` runs a function on the thread that writes to the database."""
        self._manager = manager
        self._in_writer = in_writer
        self._clock = clock
        self._next: Any = None
        self._is_asking = False

    def startService(self) -> None:
        """Say that the daemon is ready, and begin."""
        super().startService()  # type: ignore[no-untyped-call]
        self._manager.tell(READY="1", STATUS="running; `peyk health` says how it is")
        if self._manager.interval:
            self._look()

    def stopService(self) -> None:
        """Say that it stops, which takes as long as it takes."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._manager.tell(STOPPING="1", STATUS="finishing what is under way")
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        self._next = self._clock.callLater(self._manager.interval / _TIMES, self._look)
        if not self._is_asking:
            self._is_asking = True
            self._in_writer(_nothing).addCallbacks(self._lives, _log_failure)

    def _lives(self, _result: object) -> None:
        self._is_asking = False
        if self.running:
            self._manager.tell(WATCHDOG="1")


def _nothing() -> None:
    """Whoever runs this works."""


def _log_failure(failure: Failure) -> None:
    log.critical("watchdog.failed", failure=failure.getTraceback())
