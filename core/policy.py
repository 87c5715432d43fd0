"""The rules a utility may set for itself, with the figures used when it sets none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """What a profile's ``[policy]`` table says; every figure has a default."""

    code_attempts: int = 5
    """This many wrong codes …"""
    code_window: timedelta = timedelta(minutes=15)
    """… within this time lock the mobile, and the subscription, …"""
    code_lock: timedelta = timedelta(minutes=30)
    """… for this long after the last of them."""
    confirm_within: timedelta = timedelta(hours=24)
    """How long a doubtful reading may be confirmed by sending the same text again."""
    plausible_factor: int = 5
    """A reading is doubtful when the use since the last one is more than this many times
    what the last bill's daily average gives for the same days …"""
    plausible_units: int = 50
    """… and more than this many units of the meter (m³, kWh)."""
    open_operations: frozenset[str] = frozenset()
    """Operations that need no code: the number, bill ID or meter serial alone is enough.
    What they tell must be fit for anybody who has seen a bill (docs/privacy.md)."""
    rollover_share: int = 10
    """A reading below the last one is taken as a meter that passed its highest figure when
    the use that this implies is less than this percentage of the meter's whole range."""
