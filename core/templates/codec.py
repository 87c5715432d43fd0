"""Templates' settings as JSON, as they are stored: one line, the same for the same settings.

What is stored says by which form it was written. Reading is strict: whatever the form does
not have is an error, since a setting that nobody reads would be one that nobody keeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from core import scalars
from core.schedules.words import parse_schedule, write_schedule
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnEvents,
    OnOutage,
    OnReport,
    Receivers,
    SendPolicy,
    Trigger,
    Uncertain,
)

FORM: Final = 1
"""What this version writes."""


class StoredTemplateError(Exception):
    """A stored template cannot be read: a newer version wrote it, or a hand did."""


def write_definition(definition: Definition) -> str:
    """All of a definition but its policy, which is stored once for all that share it."""
    produce, starts, ends = definition.produce, definition.starts, definition.ends
    return _line(
        {
            "form": FORM,
            "line": definition.line,
            "audience": definition.audience.value,
            "topic": definition.topic,
            "required": definition.required,
            "language": definition.language,
            "trigger": _written_trigger(definition.trigger),
            "receivers": definition.receivers.value,
            "produce": None if produce is None else write_schedule(produce),
            "missed": definition.missed.value,
            "starts": None if starts is None else starts.isoformat(),
            "ends": None if ends is None else ends.isoformat(),
            "attempts": definition.attempts,
            "validity": definition.validity,
            "priority": definition.priority,
            "uncertain": definition.uncertain.value,
        }
    )


def read_definition(stored: str, policy: SendPolicy) -> Definition:
    """What ``write_definition`` wrote. Raises ``StoredTemplateError``."""
    try:
        given = _given(stored)
        made = Definition(
            line=given.pop("line"),
            audience=Audience(given.pop("audience")),
            topic=given.pop("topic"),
            required=given.pop("required"),
            language=given.pop("language"),
            trigger=_read_trigger(given.pop("trigger")),
            receivers=Receivers(given.pop("receivers")),
            produce=None if (text := given.pop("produce")) is None else parse_schedule(text),
            missed=Missed(given.pop("missed")),
            starts=_read_day(given.pop("starts")),
            ends=_read_day(given.pop("ends")),
            attempts=given.pop("attempts"),
            validity=given.pop("validity"),
            priority=given.pop("priority"),
            uncertain=Uncertain(given.pop("uncertain")),
            policy=policy,
        )
        _empty(given)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoredTemplateError(f"a stored template cannot be read: {error}") from None
    return made


def read_kinds(stored: str) -> frozenset[str]:
    """The kinds of events that a definition is made of. Raises ``StoredTemplateError``."""
    try:
        trigger = _read_trigger(_given(stored)["trigger"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoredTemplateError(f"a stored template cannot be read: {error}") from None
    return frozenset(trigger.kinds if isinstance(trigger, OnEvents) else ())


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _given(stored: str) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(stored)
    form = given.pop("form")
    if form != FORM:
        raise ValueError(f"it is of form {form}, and this version reads form {FORM}")
    return given


def _empty(given: Mapping[str, Any]) -> None:
    if given:
        raise ValueError(f"it has what nobody knows: {', '.join(sorted(given))}")


def _written_trigger(trigger: Trigger) -> dict[str, Any]:
    match trigger:
        case OnEvents(kinds, where):
            return {"events": list(kinds), "where": scalars.written(where)}
        case OnReport(report, parameters):
            return {"report": report, "parameters": scalars.written(parameters)}
        case OnOutage(cancelled=True):
            return {"outage_cancelled": True}
        case OnOutage(before):
            return {"outage_before": before}


def _read_trigger(given: dict[str, Any]) -> Trigger:
    made: Trigger
    if "events" in given:
        made = OnEvents(tuple(given.pop("events")), scalars.read(given.pop("where")))
    elif "report" in given:
        made = OnReport(given.pop("report"), scalars.read(given.pop("parameters")))
    elif given.pop("outage_cancelled", False) is True:
        made = OnOutage(0, cancelled=True)
    else:
        made = OnOutage(given.pop("outage_before"))
    _empty(given)
    return made


def _read_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
