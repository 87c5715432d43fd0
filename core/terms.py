"""What a utility sets for its operations: its policy, and later its tariff and services.

A profile is read by the gateway and handed to the core as one of these. Each part that an
operation may need is a field here with a default that means "this utility has none".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from core.policy import Policy
from core.requests.kinds import Services
from core.tariff import Tariff


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How a utility's subscribers may pay; every part may be missing."""

    link: str = ""
    """What a payment link begins with, such as ``https://pay.example.ir/p/``; "" for none."""
    dial: str = ""
    """What to dial, with ``{bill_id}`` and ``{payment_id}`` to fill in; "" for nothing."""
    valid_for: timedelta = timedelta(hours=24)
    """How long a link may be used …"""
    same_within: timedelta = timedelta(minutes=15)
    """… and how long asking again for the same gives the same link."""


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """What a utility's own bills carry: ``[billing]`` of its profile."""

    company: str = ""
    """Three digits of the bill IDs that are made here; "" makes none."""
    service: str = "1"
    """1 water, 2 electricity, 3 gas (DOMAIN section 4)."""
    due_days: int = 15
    """Days from a bill's issue to its deadline, when nothing was owed before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One utility's own terms."""

    policy: Policy = field(default_factory=Policy)
    payments: PaymentTerms = PaymentTerms()
    billing: BillingTerms = BillingTerms()
    tariff: Tariff | None = None
    """None: this utility's bills are not computed here."""
    services: Services = field(default_factory=Services)
    """The kinds of requests it takes."""
