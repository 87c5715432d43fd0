"""Alerts as signed JSON, posted to an address.

The header ``X-Peyk-Signature`` is ``sha256=`` and the HMAC-SHA256, in hex, of the header
``X-Peyk-Timestamp`` (Unix seconds), a dot, and the body, under ``[alerts.webhook] secret``.
``id`` is the same whenever the same thing is posted again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import treq
from twisted.internet.defer import Deferred
from twisted.web.client import Agent

from gateway.alert_settings import WebhookSettings
from gateway.alerts.book import kind_of
from gateway.alerts.telling import NotTold, Telling


class WebhookWay:
    """One address. Implements ``gateway.alerts.telling.Way``."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, reactor: Any, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._reactor = reactor
        self._agent: Any = Agent(reactor, connectTimeout=settings.timeout)
        self._now = now_ms

    def tell(self, telling: Telling) -> Deferred[None]:
        """Post it; any answer but 2xx is a failure."""
        return Deferred.fromCoroutine(self._post(telling))

    async def _post(self, telling: Telling) -> None:
        settings = self._settings
        body = json.dumps(as_json(telling), ensure_ascii=False).encode()
        timestamp = str(self._now() // 1000)
        secret = settings.secret.get_secret_value()
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "User-Agent": "peyk",
            "X-Peyk-Timestamp": timestamp,
            "X-Peyk-Signature": signature(secret, timestamp, body),
        }
        asked = treq.post(
            settings.url, body, headers=headers, agent=self._agent, allow_redirects=False,
            timeout=settings.timeout, unbuffered=True,
        )  # fmt: skip
        try:
            response = await asked
            # What it says is of no use, however long it is; but the connection has to end.
            await treq.collect(response, lambda _piece: None).addTimeout(
                settings.timeout, self._reactor
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            raise NotTold(f"{_host(settings.url)}: {_words(error)}") from None
        code = response.code
        if not 200 <= code < 300:  # noqa: PLR2004 - HTTP's classes
            raise NotTold(f"{_host(settings.url)} answers {code}")


def as_json(telling: Telling) -> dict[str, object]:
    """What is posted."""
    alert = telling.alert
    ended = alert.ended_at if telling.is_end else None
    return {
        "id": telling.key,
        "alert": str(alert.id),
        "state": "test" if telling.is_test else "ended" if telling.is_end else "open",
        "trouble": alert.trouble,
        "kind": kind_of(alert.trouble),
        "about": telling.about,
        "english": telling.english,
        "persian": telling.persian,
        "since": _iso(alert.since),
        "ended": None if ended is None else _iso(ended),
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes too, to know whose it is."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _host(url: str) -> str:
    return url.split("/")[2]


def _words(error: Exception) -> str:
    reasons = getattr(error, "reasons", None)
    if reasons:
        return str(reasons[0].value)
    return str(error) or type(error).__name__
