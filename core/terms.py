"""What a utility sets for its operations: its policy, and later its tariff and services.

A profile is read by the gateway and handed to the core as one of these. Each part that an
operation may need is a field here with a default that means "this utility has none".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.policy import Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """One utility's own terms."""

    policy: Policy = field(default_factory=Policy)
