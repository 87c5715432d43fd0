"""What ``make bench`` measures, how much of it, and what it has to come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WINDOWS: Final = (1, 50, 200)
RATES: Final = (500, 1000, 2000)
WIDEST: Final = 200
TARGETS: Final = {"SQLite": 1 / 2, "PostgreSQL": 1 / 3}
"""Least share of the rate of smpplib alone, at window 200 (issue 1)."""
P99_MS: Final = 20.0
P99_AT: Final = 1000
DEAREST: Final = 0.15
"""Most that a million subscribers may cost of the rate."""

MATRIX: Final = "matrix"
PAIR: Final = "pair"
RECEIPTS: Final = "receipts"
MIXED: Final = "mix"
MEMORY: Final = "memory"
USSD: Final = "ussd"
CAMPAIGN: Final = "campaign"
DESK: Final = "desk"
MEASUREMENTS: Final = (MATRIX, PAIR, RECEIPTS, MIXED, USSD, MEMORY, CAMPAIGN, DESK)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done."""

    rounds: int = 3
    seconds: float = 4.0
    warm_up: float = 1.0
    few: int = 1_000
    many: int = 1_000_000
    mixed: int = 20_000
    """Subscribers of the mix: enough that nobody tells two readings."""
    dialling: int = 20_000
    """Subscribers of which every second one has a mobile that dials, once."""
    sessions: int = 100_000
    """Open at once when their memory is read."""
    messages: int = 200_000
    """After so many the memory is read."""
    minute: float = 60.0
    """Seconds over which the rate of a bind is counted."""
    sending: float = 30.0
    """Seconds over which a campaign is sent as fast as it goes."""
    at_desk: float = 15.0
    """Seconds for which people are at the desk."""
    only: frozenset[str] = frozenset(MEASUREMENTS)
    engine: str = ""
    """The one engine that is measured; empty: both."""


QUICK: Final = Plan(
    rounds=1,
    seconds=1.0,
    warm_up=0.3,
    many=20_000,
    mixed=1_000,
    dialling=2_000,
    sessions=10_000,
    messages=10_000,
    minute=5.0,
    sending=2.0,
    at_desk=3.0,
)
