"""The states of messages as people are told of them: eight groups, in English and Persian.

One mapping for the command, reports and whoever looks at messages later. ``docs/states.md``
has it as a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from core.outbox import State


class Group(StrEnum):
    """What a message's state means to people."""

    PENDING = "pending"
    """Not tried yet: in the queue, or held with its campaign."""
    ON_THE_WAY = "on_the_way"
    """Being sent, or with the operator."""
    DELIVERED = "delivered"
    FAILED_FOR_NOW = "failed_for_now"
    """It is tried again by itself."""
    FAILED = "failed"
    """It is not tried again: refused, undeliverable, or its time has passed."""
    UNCERTAIN = "uncertain"
    """It may have gone out."""
    SUPPRESSED = "suppressed"
    """Its receiver wants none, or is on the operator's block list."""
    CANCELLED = "cancelled"
    """Staff have taken it back."""


GROUPS: Final[Mapping[State, Group]] = {
    State.QUEUED: Group.PENDING,
    State.HELD: Group.PENDING,
    State.SENDING: Group.ON_THE_WAY,
    State.ACCEPTED: Group.ON_THE_WAY,
    State.DELIVERED: Group.DELIVERED,
    State.WAITING: Group.FAILED_FOR_NOW,
    State.UNDELIVERABLE: Group.FAILED,
    State.REJECTED: Group.FAILED,
    State.EXPIRED: Group.FAILED,
    State.UNCERTAIN: Group.UNCERTAIN,
    State.SUPPRESSED: Group.SUPPRESSED,
    State.CANCELLED: Group.CANCELLED,
}

ENGLISH: Final[Mapping[Group, str]] = {
    Group.PENDING: "waiting",
    Group.ON_THE_WAY: "on the way",
    Group.DELIVERED: "delivered",
    Group.FAILED_FOR_NOW: "failed for now",
    Group.FAILED: "failed for good",
    Group.UNCERTAIN: "uncertain",
    Group.SUPPRESSED: "suppressed",
    Group.CANCELLED: "cancelled",
}
PERSIAN: Final[Mapping[Group, str]] = {
    Group.PENDING: "در صف ارسال",
    Group.ON_THE_WAY: "در راه",
    Group.DELIVERED: "رسیده",
    Group.FAILED_FOR_NOW: "ناموفق، دوباره فرستاده می‌شود",
    Group.FAILED: "ناموفق",
    Group.UNCERTAIN: "نامشخص",
    Group.SUPPRESSED: "فرستاده نشد به خواست گیرنده",
    Group.CANCELLED: "لغو شده",
}

STATES_OF: Final[Mapping[Group, tuple[State, ...]]] = {
    group: tuple(state for state, its in GROUPS.items() if its is group) for group in Group
}


_STATES: Final = frozenset(state.value for state in State)


def group_of(state: str) -> Group:
    """The group of a state; raises ``ValueError`` for a word that is none."""
    return GROUPS[State(state)]


def states_named(word: str) -> tuple[State, ...]:
    """The states that a word means: one state by its own name, or those of a group.

    Raises ``ValueError`` for a word that is neither. No group has the name of a state but
    those that are one state with it.
    """
    if word in _STATES:
        return (State(word),)
    return STATES_OF[Group(word)]


CHOICES: Final = tuple(dict.fromkeys([*(s.value for s in State), *(g.value for g in Group)]))
"""Every word that ``states_named`` takes."""
