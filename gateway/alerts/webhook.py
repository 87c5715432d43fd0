"""Alerts as signed JSON, posted to an address as ``gateway.signed_posts`` does.

``id`` is the same whenever the same thing is posted again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from core.jalali import iso
from gateway.alerts.book import kind_of
from gateway.alerts.telling import NotTold, Telling
from gateway.settings.alerts import WebhookSettings
from gateway.signed_posts import NotTaken, Poster


class WebhookWay:
    """One address. Implements ``gateway.alerts.telling.Way``."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, reactor: Any, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._poster = Poster(reactor, settings.timeout, now_ms)

    def tell(self, telling: Telling) -> Deferred[None]:
        """Post it; any answer but 2xx is a failure."""
        return Deferred.fromCoroutine(self._post(telling))

    async def _post(self, telling: Telling) -> None:
        body = json.dumps(as_json(telling), ensure_ascii=False).encode()
        secret = self._settings.secret.get_secret_value()
        try:
            await self._poster.post(self._settings.url, body, secret)
        except NotTaken as error:
            raise NotTold(str(error)) from None


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
        "since": iso(alert.since),
        "ended": None if ended is None else iso(ended),
    }
