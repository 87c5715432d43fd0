"""Due messages on their way out: who sends them, at which pace, and who takes which.

``Sends`` is what a bind's ``Sender`` and a panel's have in common; ``Router`` picks among them.
"""

from __future__ import annotations

from gateway.outbound.router import Router
from gateway.outbound.sender import MIN_ROOM, ROOM_SECONDS, Sender, SenderSettings
from gateway.outbound.sends import Clock, HasBind, SenderStatus, Sends, Submitted, unnoticed

__all__ = [
    "MIN_ROOM",
    "ROOM_SECONDS",
    "Clock",
    "HasBind",
    "Router",
    "Sender",
    "SenderSettings",
    "SenderStatus",
    "Sends",
    "Submitted",
    "unnoticed",
]
