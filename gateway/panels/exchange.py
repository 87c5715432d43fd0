"""Requests to panels over HTTP: with every limit there is, and what failed told apart.

Nothing here ever says an address: keys stand in some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from OpenSSL.SSL import Error as TlsError
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.web.client import RequestTransmissionFailed, ResponseFailed

from gateway.http_client import LimitedClient, NoUsableAnswer
from gateway.outbound import Clock
from gateway.panels.port import NotSent, Unclear

MOST_BYTES: Final = 4 * 1024 * 1024
IDLE_SECONDS: Final = 5
"""A connection that was idle for longer is not used again: the panel may just close it."""
_NEVER_LEFT: Final = (ConnectError, ConnectTimeout, DNSLookupError)


class Asked(NamedTuple):
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str]
    auth: tuple[str, str] | None
    query: Mapping[str, str]
    body: bytes | None


class Answer(NamedTuple):
    """What came back."""

    http_status: int
    data: Any
    """The JSON; None where the body is none."""


class Exchange:
    """The HTTP client of one panel."""

    def __init__(
        self,
        reactor: Any,
        clock: Clock,
        *,
        seconds: float,
        connect_seconds: float,
        persistent: bool,
    ) -> None:
        """``persistent``: connections are kept for further requests.

        One that the panel closes just as a request is written leaves that request in doubt, so
        a panel that cannot be asked about such requests gets a new connection for each.
        """
        self._client = LimitedClient(
            reactor,
            clock,
            connect_seconds=connect_seconds,
            seconds=seconds,
            most_bytes=MOST_BYTES,
            idle_seconds=IDLE_SECONDS if persistent else 0,
        )

    async def ask(self, asked: Asked) -> Answer:
        """Ask. Raises ``NotSent`` or ``Unclear``."""
        try:
            status, body = await self._client.ask(
                asked.method,
                asked.url,
                asked.headers,
                params=dict(asked.query) or None,
                data=asked.body,
                auth=asked.auth,
            )
        except NoUsableAnswer as error:
            raise Unclear(str(error)) from None
        except _NEVER_LEFT as error:
            raise NotSent(_in_words(error)) from error
        except (ResponseFailed, RequestTransmissionFailed) as error:
            if any(_is_about_tls(reason.value) for reason in error.reasons):
                raise NotSent("its certificate or TLS is not accepted") from error
            raise Unclear("the connection broke before the answer") from error
        except Exception as error:
            # Whatever broke, and where: it may have taken effect over there.
            raise Unclear(f"no answer: {type(error).__name__}") from error
        return Answer(status, _decoded(body))

    def close(self) -> Deferred[None]:
        """Let go of connections that are kept."""
        return self._client.close()


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, UnicodeDecodeError):
        return None


def _is_about_tls(error: object) -> bool:
    """Whether a connection ended in its handshake, before anything was asked."""
    if isinstance(error, VerificationError):
        return True
    return isinstance(error, TlsError) and any(
        word in str(error).lower() for word in ("certificate", "handshake", "protocol")
    )


def _in_words(error: BaseException) -> str:
    words = str(error).strip().rstrip(".")
    return words[:1].lower() + words[1:] if words else type(error).__name__
