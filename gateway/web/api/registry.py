"""Every resource of the API: what is not named here is not served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.web.api import (
    accounts,
    campaigns,
    events,
    health,
    inbound,
    messages,
    operations,
    request_files,
    requests,
    rows,
    webhooks,
)
from gateway.web.api.routes import Routes

RESOURCES: Final[Sequence[Routes]] = (
    messages.routes,
    inbound.routes,
    campaigns.routes,
    rows.routes,
    accounts.routes,
    events.routes,
    operations.routes,
    requests.routes,
    request_files.routes,
    webhooks.routes,
    health.routes,
)
