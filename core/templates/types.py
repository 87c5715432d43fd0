"""What a template says besides its words, and how a message of it is sent and tried again.

A template's settings and its words are kept together as versions that never change, so that a
message can always say what it was made by. ``SendPolicy`` is the part that sending needs later:
it is stored once, whatever number of messages and versions share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.calls import Scalar
from core.schedules import Schedule, Window


class Receivers(StrEnum):
    """Whose mobiles a row about a subscription goes to."""

    CONTACTS = "contacts"
    """Every mobile that is registered to the subscription."""
    FIRST_CONTACT = "first_contact"
    """The one that was registered first."""
    RECIPIENTS = "recipients"
    """The mobiles that asked for its bills by SMS (210), and only they."""
    ROW = "row"
    """The mobile that the event or the report's row names."""


class Audience(StrEnum):
    """What kind of line it may go out from (DOMAIN 8)."""

    SERVICE = "service"
    """Informs a company's own subscribers: reaches those who blocked advertising."""
    ADVERTISING = "advertising"


class Uncertain(StrEnum):
    """What becomes of a submission whose response was never seen."""

    LEAVE = "leave"
    """Nobody gets it twice; some may not get it."""
    RESEND = "resend"


class Missed(StrEnum):
    """What becomes of planned runs whose time passed while no daemon ran."""

    ONCE = "once"
    """However many were missed, one is made up for."""
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class OnEvents:
    """Made of events of the core (``core.events.EventKind``)."""

    kinds: tuple[str, ...]
    where: Mapping[str, Scalar]
    """Facts that the event must have, such as ``{"kind": "contract_correction"}``."""


@dataclass(frozen=True, slots=True)
class OnReport:
    """Made of the rows of a named report, on a schedule or when somebody asks."""

    report: str
    parameters: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class OnOutage:
    """Made for the subscribers of a region before a planned interruption of the supply."""

    before_minutes: int
    cancelled: bool = False
    """Instead, when an outage is cancelled that was told of already."""


Trigger = OnEvents | OnReport | OnOutage


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How a message is sent and tried again. Immutable: see ``send_policies``."""

    pauses: tuple[int, ...]
    """Seconds before the second attempt, the third …; the last one is repeated."""
    growth_percent: int
    """How much longer each repetition of the last pause is than the one before; 100: twice."""
    hours: tuple[Window, ...]
    """When it may go out, in Tehran; empty: at any time. What is due outside them waits."""
    retry_on: frozenset[str]
    """Receipts after which it is tried again: ``undeliverable``, ``expired``."""


@dataclass(frozen=True, slots=True)
class Definition:
    """All of a template but its words."""

    line: str
    """The number that it goes out from, as in the settings."""
    audience: Audience
    topic: str
    """What a subscriber may opt out of: ``bills``, ``receipts``, ``outages``, ``notices`` …"""
    required: bool
    """The law requires it: it goes also to those who opted out."""
    language: str
    trigger: Trigger
    receivers: Receivers
    produce: Schedule | None
    """When messages are made; None: at once (events), or only when somebody asks (reports)."""
    missed: Missed
    starts: date | None
    """The first and the last day (in Tehran) on which messages are made."""
    ends: date | None
    attempts: int
    validity: int
    """Seconds from being made until it helps nobody any more."""
    priority: int
    """1 to 9; answers to people are 0 and go first."""
    uncertain: Uncertain
    policy: SendPolicy


@dataclass(frozen=True, slots=True)
class Version:
    """A template as it was saved."""

    template_id: int
    utility: str
    name: str
    version: int
    definition: Definition
    body: str
    policy_id: int
