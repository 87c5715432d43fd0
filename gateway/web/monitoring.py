"""``/health`` and ``/metrics``: how the daemon is, for who watches many of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.exposition import TYPE, Exposition, Seen
from gateway.health import Status, to_json
from gateway.settings.monitoring import MonitoringSettings
from gateway.web.guard import Guard
from gateway.web.site import live_on

log = structlog.get_logger(__name__)

JSON: Final = b"application/json; charset=utf-8"
_FORBIDDEN = b"this address or its token is not let in: see [monitoring] in the settings\n"
_BROKEN = b"it cannot be told how the daemon is: its log says why\n"

Look = Callable[[], "Deferred[Seen]"]
"""Looks at the daemon; never fails but by a mistake of ours."""


def pages(
    settings: MonitoringSettings, exposition: Exposition, look: Look, *, behind_proxy: bool = False
) -> Mapping[str, Resource]:
    """What is to be mounted, by the first step of its path.

    ``/health`` answers 200 while subscribers are answered (healthy or degraded), else 503.
    """

    def health(seen: Seen) -> tuple[int, bytes]:
        told = json.dumps(to_json(seen.health), ensure_ascii=False, indent=2) + "\n"
        return (503 if seen.health.status is Status.DOWN else 200), told.encode()

    def metrics(seen: Seen) -> tuple[int, bytes]:
        return 200, exposition.text(seen)

    def page(name: str, type_: bytes, say: Callable[[Seen], tuple[int, bytes]]) -> Resource:
        token = settings.token.get_secret_value()
        guard = Guard(f"/{name}", token, settings.allow, behind_proxy=behind_proxy)
        return _Page(guard, look, type_, say)

    return {"health": page("health", JSON, health), "metrics": page("metrics", TYPE, metrics)}


def root(mounted: Mapping[str, Resource]) -> Any:
    """A tree of these pages and nothing else."""
    tree: Any = Resource()
    for name, page in mounted.items():
        tree.putChild(name.encode(), page)
    return tree


class _Page(Resource):
    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(
        self,
        guard: Guard,
        look: Look,
        type_: bytes,
        say: Callable[[Seen], tuple[int, bytes]],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard = guard
        self._look = look
        self._type = type_
        self._say = say

    def render_GET(self, request: Any) -> Any:  # noqa: N802 - Twisted's
        """Look, and say what was seen."""
        request.setHeader(b"cache-control", b"no-store")
        if not self._guard.lets_in(request):
            _end(request, 403, _FORBIDDEN)
            return NOT_DONE_YET
        live_on(request)
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)
        done = self._look().addCallback(self._say)

        def told(answer: tuple[int, bytes]) -> None:
            if not gone:
                _end(request, *answer, type_=self._type)

        def failed(failure: Failure) -> None:
            log.critical("monitoring.failed", failure=failure.getTraceback())
            if not gone:
                _end(request, 500, _BROKEN)

        done.addCallbacks(told, failed)
        return NOT_DONE_YET


def _end(
    request: Any, status: int, body: bytes, type_: bytes = b"text/plain; charset=utf-8"
) -> None:
    request.setResponseCode(status)
    request.setHeader(b"content-type", type_)
    request.setHeader(b"content-length", b"%d" % len(body))
    request.setHeader(b"x-content-type-options", b"nosniff")
    if request.method != b"HEAD":
        request.write(body)
    request.finish()
