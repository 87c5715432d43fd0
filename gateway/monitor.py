"""The daemon's health and metrics over HTTP: on the server of ``[web]``, or on one of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from core.database import Database
from core.storage import database_bytes
from gateway.exposition import Exposition, Seen
from gateway.health import Health
from gateway.inbound import Inbound
from gateway.production import Production
from gateway.settings.monitoring import MonitoringSettings
from gateway.settings.payments import WebSettings
from gateway.tally import Tally
from gateway.vitals import Vitals
from gateway.web.monitoring import pages, root
from gateway.web_service import WebService

log = structlog.get_logger(__name__)

SIZE_SECONDS: Final = 3.0
"""A database that does not say how large it is by then keeps nobody waiting."""


class Watched(NamedTuple):
    """The parts of the daemon that metrics tell of."""

    vitals: Vitals
    inbound: Inbound
    production: Production
    tally: Tally
    database: Database
    read: Callable[..., Deferred[Any]]


class Monitor(MultiService):
    """Answers ``/health`` and ``/metrics`` from start to stop."""

    def __init__(
        self, settings: MonitoringSettings, web: WebSettings | None, watched: Watched, reactor: Any
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._watched = watched
        self._reactor = reactor
        behind_proxy = settings.is_on_web and web is not None and web.behind_proxy
        exposition = Exposition(watched.tally)
        self.pages = pages(settings, exposition, self.look, behind_proxy=behind_proxy)
        """By the first step of their paths."""
        if not settings.is_on_web:
            own = WebSettings(listen=settings.listen, url=f"http://{settings.listen}")
            self.server = WebService(own, root(self.pages), reactor)
            self.server.setServiceParent(self)  # type: ignore[no-untyped-call]

    def look(self) -> Deferred[Seen]:
        """How the daemon is now."""
        watched = self._watched
        size = watched.read("metrics", database_bytes).addTimeout(SIZE_SECONDS, self._reactor)
        # Without the database there is all the more to tell of.
        size.addErrback(_unknown)
        both = gatherResults([watched.vitals.judged(), size])
        return both.addCallback(self._seen)

    def _seen(self, found: list[Any]) -> Seen:
        health, size = found
        assert isinstance(health, Health)  # noqa: S101 - the first of the two
        return Seen(
            health, self._watched.inbound.counters, len(self._watched.production.runs), size
        )


def _unknown(failure: Failure) -> None:
    log.debug("monitoring.no_size", error=failure.getErrorMessage())
