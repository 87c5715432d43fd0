"""Whether a template is made of something that happened, and on that day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.calls import Scalar
from core.jalali import day_of, midnight_ms
from core.schedules import next_after
from core.templates.types import Definition, OnEvents

MISSED_AFTER_MS: Final = 600_000
"""What is later than this was missed: a daemon takes a while to be started again."""


def wants(definition: Definition, kind: str, facts: Mapping[str, Scalar]) -> bool:
    """Whether an event of this kind, with these facts, makes a message of the template."""
    trigger = definition.trigger
    return (
        isinstance(trigger, OnEvents)
        and kind in trigger.kinds
        and all(facts.get(name) == value for name, value in trigger.where.items())
    )


def is_in_season(definition: Definition, instant_ms: int) -> bool:
    """Whether the instant's day in Tehran is none before its first or after its last."""
    if definition.starts is None and definition.ends is None:
        return True
    day = day_of(instant_ms)
    return (definition.starts is None or definition.starts <= day) and (
        definition.ends is None or day <= definition.ends
    )


def next_planned(definition: Definition, after: int) -> int | None:
    """The first instant of its schedule after ``after``, in its season; None: there is none."""
    if definition.produce is None:
        return None
    if definition.starts is not None:
        begins = midnight_ms(definition.starts)
        after = max(after, begins - 1)
    found = next_after(definition.produce, after)
    return found if found is not None and is_in_season(definition, found) else None
