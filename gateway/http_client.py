"""Requests to others over HTTP with every limit there is: time, size, no detours.

Who asks says what a failure means to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import treq
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, HTTPConnectionPool
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

        await treq.collect(response, collect)
        return response.code, bytes(collected)

    def close(self) -> Deferred[None]:
        """Let go of connections that are kept."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed


def _too_late(_result: object, seconds: float) -> NoReturn:
    raise NoUsableAnswer(f"no answer within {seconds:g} s")
