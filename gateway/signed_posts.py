"""JSON posted to somebody else, signed so that the receiver knows whose it is.

The header ``X-Peyk-Signature`` is ``sha256=`` and the HMAC-SHA256, in hex, of the header
``X-Peyk-Timestamp`` (Unix seconds), a dot, and the body, under a secret that both know.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import treq
from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as TooLate
from twisted.web.client import Agent

from gateway.elsewhere import Elsewhere
from gateway.http_client import read_body

_MOST_WORDS: Final = 300
_MOST_BODY: Final = 1024 * 1024
"""How much a receiver may say before it is hung up on, in bytes."""


class NotTaken(Exception):
    """The receiver could not be reached, or refused; ``status`` where it said one."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words[:_MOST_WORDS])
        self.status = status


class Poster:
    """Posts from one daemon."""

    def __init__(self, reactor: Any, timeout: float, now_ms: Callable[[], int]) -> None:
        """``timeout``: seconds for the receiver to answer."""
        self._reactor = reactor
        self._timeout = timeout
        self._agent: Any = Agent(reactor, connectTimeout=timeout)
        self._elsewhere: Any = Agent.usingEndpointFactory(reactor, Elsewhere(reactor, timeout))
        self._now = now_ms

    async def post(
        self,
        url: str,
        body: bytes,
        secret: str,
        headers: Mapping[str, str] | None = None,
        *,
        elsewhere: bool = False,
    ) -> int:
        """The status with which it was taken, 2xx. Raises ``NotTaken``.

        ``elsewhere``: not where its name leads to this machine.
        """
        timestamp = str(self._now() // 1000)
        sent: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "User-Agent": "peyk",
            "X-Peyk-Timestamp": timestamp,
            "X-Peyk-Signature": signature(secret, timestamp, body),
        }
        sent.update(headers or {})
        asked = treq.post(
            url, body, headers=sent, agent=self._elsewhere if elsewhere else self._agent,
            allow_redirects=False, timeout=self._timeout, unbuffered=True,
        )  # fmt: skip
        try:
            response = await asked
            # What it says is of no use; but it has to end, and so has the connection.
            await read_body(response, _Ear()).addTimeout(self._timeout, self._reactor)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            raise NotTaken(f"{_host(url)}: {self._words(error)}") from None
        code: int = response.code
        if not 200 <= code < 300:  # noqa: PLR2004 - HTTP's classes
            raise NotTaken(f"{_host(url)} answers {code}", code)
        return code

    def _words(self, error: Exception) -> str:
        reasons = getattr(error, "reasons", None)
        reason = reasons[0].value if reasons else error
        if isinstance(reason, TooLate | CancelledError):
            return f"no whole answer within {self._timeout:g} seconds"
        return str(reason) or type(reason).__name__


class _Ear:
    """Hears what a receiver says, and keeps none of it."""

    def __init__(self) -> None:
        self._heard = 0

    def __call__(self, piece: bytes) -> None:
        self._heard += len(piece)
        if self._heard > _MOST_BODY:
            raise OverflowError(f"its answer has more than {_MOST_BODY} bytes; say 200 and no more")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes too, to know whose it is."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _host(url: str) -> str:
    return url.split("/")[2]
