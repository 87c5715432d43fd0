"""``[api]``: what other systems talk to."""

from __future__ import annotations

from gateway.configuration import Frozen


class ApiSettings(Frozen):
    """``[api]``; it is served by the server of ``[web]``."""

    enabled: bool = True
    """Whether it is served at all."""
