"""Requests to others over HTTP with every limit there is: time, size, no detours.

Who asks says what a failure means to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import treq
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers


class NoUsableAnswer(Exception):
    """It was asked, and answered too late or too much; says which."""


class LimitedClient:
    """An HTTP client whose requests end, one way or the other."""

    def __init__(  # noqa: PLR0913 - each is a limit
        self,
        reactor: Any,
        clock: Any,
        *,
        connect_seconds: float,
        seconds: float,
        most_bytes: int,
        idle_seconds: int = 0,
    ) -> None:
        """``idle_seconds``: for so long a connection is kept for further requests; 0: not."""
        self._clock = clock
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._pool = HTTPConnectionPool(reactor, persistent=idle_seconds > 0)
        self._pool.cachedConnectionTimeout = idle_seconds
        self._pool.retryAutomatically = False
        agent: Any = Agent(reactor, connectTimeout=connect_seconds, pool=self._pool)
        self._client = treq.client.HTTPClient(agent)

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], **content: Any
    ) -> tuple[int, bytes]:
        """Ask; returns status and body. ``content`` is treq's: ``data``, ``params`` and such.

        Raises ``NoUsableAnswer``, and whatever else breaks as it is.
        """
        asked = Deferred.fromCoroutine(self._ask(method, url, headers, content))
        asked.addTimeout(self._seconds, self._clock, onTimeoutCancel=_too_late)
        return await asked

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        response = await self._client.request(
            method,
            url,
            headers=Headers({name: [value] for name, value in headers.items()}),
            allow_redirects=False,
            unbuffered=True,
            **content,
        )
        collected = bytearray()

        def collect(data: bytes) -> None:
            if len(collected) + len(data) > self._most_bytes:
                raise NoUsableAnswer(f"an answer of more than {self._most_bytes} bytes")
            collected.extend(data)

        await read_body(response, collect)
        return response.code, bytes(collected)

    def close(self) -> Deferred[None]:
        """Let go of connections that are kept."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed


def read_body(response: Any, take: Callable[[bytes], object]) -> Deferred[None]:
    """Hand over a body piece by piece; done when it is complete.

    When ``take`` raises, or whoever waits cancels, the connection ends at once: a peer that
    says more and more is not listened to any longer. (``treq.collect`` goes on listening.)
    """
    reading = _Reading(take)
    response.deliverBody(reading)
    return reading.done


class _Reading(Protocol):
    """One body on its way."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self.done: Deferred[None] = Deferred(lambda _done: self._hang_up())

    def dataReceived(self, data: bytes) -> None:
        """A piece has come."""
        if self.done.called:
            return
        try:
            self._take(data)
        except Exception:  # noqa: BLE001 - told to whoever waits
            told = Failure()
            self._hang_up()
            self.done.errback(told)

    def connectionLost(self, reason: Failure = ResponseDone) -> None:  # type: ignore[assignment]
        """All of it is there, or the connection has ended before."""
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(None)
        else:
            self.done.errback(reason)

    def _hang_up(self) -> None:
        # Ends the socket underneath, also of TLS, whose loseConnection waits for the peer.
        transport: Any = self.transport
        if transport is not None:
            transport.stopProducing()


def _too_late(_result: object, seconds: float) -> NoReturn:
    raise NoUsableAnswer(f"no answer within {seconds:g} s")
