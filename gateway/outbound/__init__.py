"""Due messages on their way out: who sends them, at which pace, and who takes which.

``Sends`` is what a bind's ``Sender`` and a panel's have in common; ``Router`` picks among them.
"""

from __future__ import annotations

from gateway.outbound.router import Router
from gateway.outbound.sender import MIN_ROOM, Sender, SenderSettings
from gateway.outbound.sends import HasBind, SenderStatus, Sends, Submitted, unnoticed
from gateway.outbound.turn import Clock, Turn

__all__ = [
    "MIN_ROOM",
    "Clock",
    "HasBind",
    "Router",
    "Sender",
    "SenderSettings",
    "SenderStatus",
    "Sends",
    "Submitted",
    "Turn",
    "unnoticed",
]
