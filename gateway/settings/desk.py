"""``[desk]``: the pages for staff, and how long they stay logged in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.access.sessions import Lifetime
from gateway.configuration import Frozen


class DeskSettings(Frozen):
    """``[desk]``; it is served by the server of ``[web]``."""

    enabled: bool = True
    """Whether it is served at all."""
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    """Who does nothing for so long has to log in again …"""
    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 12
    """… and everybody after so long."""

    @property
    def lifetime(self) -> Lifetime:
        """The same in milliseconds."""
        return Lifetime(self.idle_minutes * 60_000, self.session_hours * 3_600_000)
