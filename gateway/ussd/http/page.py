"""The HTTP of a door: who is let in, what is a request, and how an answer is written."""

from __future__ import annotations

from typing import Any, Final

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.messages import BindListener
from gateway.outbound import Clock
from gateway.settings.doors import HttpDialect, UssdDoor
from gateway.ussd.http.africastalking import AfricasTalking
from gateway.ussd.http.dialect import Dialect, Rejected
from gateway.ussd.http.door import Door
from gateway.ussd.http.hubtel import Hubtel
from gateway.ussd.http.restcomm import RestComm
from gateway.web.guard import Guard
from gateway.web.site import live_on

log = structlog.get_logger(__name__)

DIALECTS: Final[dict[HttpDialect, Dialect]] = {
    HttpDialect.AFRICASTALKING: AfricasTalking(),
    HttpDialect.HUBTEL: Hubtel(),
    HttpDialect.RESTCOMM: RestComm(),
}
COMPLAINT_SECONDS = 60.0
"""A door says no more often that it turned somebody away."""
_PLAIN = "text/plain; charset=utf-8"


class DoorPage(Resource):
    """What a site serves at a door's path, with or without a secret behind it."""

    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(
        self, settings: UssdDoor, listener: BindListener, clock: Clock, *, behind_proxy: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        dialect = DIALECTS[settings.dialect]
        self.settings = settings
        self.door = Door(settings.name, dialect, listener, clock, settings.deadline)
        secret = settings.secret.get_secret_value()
        self._guard = Guard(settings.path, secret, settings.allow, behind_proxy=behind_proxy)
        self._clock = clock
        self._complain_at = 0.0

    def render(self, request: Any) -> Any:
        """Take one request."""
        if not self._guard.lets_in(request):
            return self._turn_away(request, "forbidden", 403, "this door is not open to you")
        live_on(request)
        if request.method != b"POST":
            request.setHeader("allow", "POST")
            return self._turn_away(request, "rejected", 405, "post to this door")
        dialect = self.door.dialect
        header: bytes = request.getHeader(b"content-type") or b""
        kind = header.decode("latin-1").partition(";")[0].strip().lower()
        if kind not in dialect.takes:
            takes = ", ".join(sorted(dialect.takes))
            return self._turn_away(request, "rejected", 415, f"the content type must be {takes}")
        try:
            asked = dialect.read(request.content.read())
        except Rejected as error:
            return self._turn_away(request, "rejected", 400, str(error))
        answering = _Answering(request, dialect.gives)
        sequence = self.door.take(asked, answering.answer)
        answering.when_gone(lambda: self.door.gone(sequence))
        return NOT_DONE_YET

    def _turn_away(self, request: Any, what: str, status: int, words: str) -> bytes:
        self.door.counters[what] += 1
        now = self._clock.seconds()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAINT_SECONDS
            log.warning("ussd_door.turned_away", door=self.door.name, status=status, why=words)
        _headers(request, status, _PLAIN)
        return f"{words}\n".encode()


class _Answering:
    """A request until it is answered, or nobody waits for the answer any more."""

    def __init__(self, request: Any, kind: str) -> None:
        self._request = request
        self._kind = kind
        self._is_over = False
        finished: Deferred[None] = request.notifyFinish()
        finished.addErrback(self._disconnected)
        self._on_gone: Any = None

    def answer(self, status: int, body: bytes) -> None:
        self._is_over = True
        _headers(self._request, status, self._kind)
        self._request.setHeader("content-length", str(len(body)))
        self._request.write(body)
        self._request.finish()

    def when_gone(self, on_gone: Any) -> None:
        self._on_gone = None if self._is_over else on_gone

    def _disconnected(self, _failure: Failure) -> None:
        if not self._is_over and self._on_gone:
            self._on_gone()


def _headers(request: Any, status: int, kind: str) -> None:
    request.setResponseCode(status)
    request.setHeader("content-type", kind)
    request.setHeader("cache-control", "no-store")
    request.setHeader("x-content-type-options", "nosniff")
