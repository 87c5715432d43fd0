"""What the daemon does again and again for as long as it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from core.batch import Done
from core.database import DatabaseUnavailable
from gateway.daemon.ground import Ground
from gateway.inbound import Inbound
from gateway.logs import failed
from gateway.upkeep import Upkeep

log = structlog.get_logger(__name__)


class Rounds:
    """Functions that are called every so many seconds, until all of them are stopped."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._loops: list[LoopingCall] = []

    def every(self, seconds: float, function: Callable[[], object]) -> None:
        """Call it every so many seconds, first after so many; one that raises ends."""
        loop = LoopingCall(function)
        loop.clock = self._reactor
        loop.start(seconds, now=False).addErrback(_log_end)
        self._loops.append(loop)

    def stop(self) -> None:
        """Call nothing any more."""
        for loop in self._loops:
            loop.stop()


def putting_back(ground: Ground) -> Callable[[], Deferred[None]]:
    """Return what empties SQLite's write-ahead log a little, beside the batches.

    What fails is left for the next time: that the database is away, the batches tell.
    """

    def tick() -> Deferred[None]:
        return ground.workers.put_back().addErrback(_left_in_log)

    return tick


class Tidying:
    """Tidies the database beside the batches, and sends what that brings about."""

    def __init__(
        self, ground: Ground, upkeep: Upkeep, inbound: Inbound, on_queued: Callable[[], None]
    ) -> None:
        self._ground = ground
        self._upkeep = upkeep
        self._inbound = inbound
        self._on_queued = on_queued

    def tick(self) -> None:
        """Tidy, unless the database is away."""
        if self._inbound.database_error:
            return
        in_writer, now = self._ground.workers.in_writer, self._ground.now_ms()
        done: Deferred[Done] = in_writer(self._upkeep.tidy, now)
        done.addCallback(self._tidied).addErrback(failed, log, "database.tidy_failed")

    def _tidied(self, done: Done) -> None:
        self._inbound.dialled(done)
        if done.queued:
            self._on_queued()


def _log_end(failure: Failure) -> None:
    log.critical("daemon.loop_failed", failure=failure.getTraceback())


def _left_in_log(failure: Failure) -> None:
    failure.trap(DatabaseUnavailable)
    log.info("database.left_in_log", error=failure.getErrorMessage())
