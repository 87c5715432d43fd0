"""A template as people write it: a table of TOML, or the options of a command.

Whatever is left out is as the defaults here say. ``made`` gives the settings as the core
keeps them; what is wrong names the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from core.calls import Scalar
from core.events import EventKind
from core.events.facts import FactKind, facts_of_all
from core.jalali import DateError, jalali, parse_date
from core.schedules import Schedule
from core.schedules.tokens import ScheduleError
from core.schedules.windows import parse_windows, write_windows
from core.schedules.words import parse_schedule, write_schedule
from core.templates.checks import DefinitionError
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
from core.text import normalise
from gateway.configuration import Frozen
from gateway.templates.durations import (
    DurationError,
    parse_duration,
    parse_durations,
    write_duration,
    write_durations,
)

_KNOWN_EVENTS: Final = frozenset(kind.value for kind in EventKind)


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _as_text(given: Any) -> Any:
    """A line's number is digits, with or without quotation marks; a day needs none either."""
    if isinstance(given, bool) or not isinstance(given, int | date):
        return given
    return str(given)


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Plain = Annotated[str, BeforeValidator(_as_text)]


class TemplateForm(Frozen):
    """What may be written of a template."""

    line: Plain = ""
    """The number it goes out from; "": the first line of the utility."""
    audience: Audience = Audience.SERVICE
    topic: str = "notices"
    required: bool = False
    language: str = "fa"
    receivers: Receivers = Receivers.CONTACTS
    on: Names = ()
    """The kinds of events that it is made of …"""
    where: dict[str, str | int | bool] = Field(default_factory=dict)
    report: str = ""
    """… or the report …"""
    parameters: dict[str, str | int | date] = Field(default_factory=dict)
    outage_before: str = ""
    """… or how long before an outage …"""
    outage_cancelled: bool = False
    """… or an outage that was told of and is cancelled."""
    produce: str = ""
    missed: Missed = Missed.ONCE
    starts: Plain = ""
    ends: Plain = ""
    attempts: int = 5
    pauses: str = "1m 5m 30m 2h"
    growth: int = 100
    retry_on: Names = ()
    hours: str = ""
    validity: str = "2d"
    priority: int = 5
    uncertain: Uncertain = Uncertain.LEAVE
    body: str = ""

    def made(self) -> Definition:
        """The settings, as far as each can be read. Raises ``DefinitionError``."""
        return Definition(
            line=normalise(self.line),
            audience=self.audience,
            topic=normalise(self.topic).strip(),
            required=self.required,
            language=self.language,
            trigger=self._trigger(),
            receivers=self.receivers,
            produce=self._schedule(),
            missed=self.missed,
            starts=_day("starts", self.starts),
            ends=_day("ends", self.ends),
            attempts=self.attempts,
            validity=_span("validity", self.validity),
            priority=self.priority,
            uncertain=self.uncertain,
            policy=self._policy(),
        )

    @property
    def words(self) -> str:
        """The body, as it is kept: without empty lines around it."""
        return "\n".join(self.body.strip().splitlines())

    def _trigger(self) -> Trigger:
        given = {
            "on": self.on,
            "report": self.report,
            "outage_before": self.outage_before,
            "outage_cancelled": self.outage_cancelled,
        }
        said = [name for name, value in given.items() if value]
        if len(said) != 1:
            raise DefinitionError(
                said[1] if said else "on",
                "say one of on, report, outage_before and outage_cancelled: what it is made of",
            )
        for key, needs in (("where", "on"), ("parameters", "report")):
            if getattr(self, key) and said != [needs]:
                raise DefinitionError(key, f"goes with {needs} only")
        if self.report:
            return OnReport(self.report, dict(self.parameters))
        if self.on:
            return OnEvents(self.on, _conditions(self.on, self.where))
        if self.outage_cancelled:
            return OnOutage(0, cancelled=True)
        return OnOutage(_span("outage_before", self.outage_before) // 60)

    def _schedule(self) -> Schedule | None:
        try:
            return parse_schedule(self.produce) if self.produce.strip() else None
        except ScheduleError as error:
            raise DefinitionError("produce", str(error)) from None

    def _policy(self) -> SendPolicy:
        try:
            pauses = parse_durations(self.pauses)
        except DurationError as error:
            raise DefinitionError("pauses", str(error)) from None
        try:
            hours = parse_windows(self.hours)
        except ScheduleError as error:
            raise DefinitionError("hours", str(error)) from None
        return SendPolicy(pauses, self.growth, hours, frozenset(self.retry_on))


def _conditions(kinds: tuple[str, ...], where: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Conditions with figures for facts that are figures: an option of a command is a text."""
    if not _KNOWN_EVENTS.issuperset(kinds):
        return dict(where)
    facts = facts_of_all(map(EventKind, kinds))
    return {
        name: int(normalise(value))
        if isinstance(value, str)
        and facts.get(name) is FactKind.NUMBER
        and normalise(value).isdecimal()
        else value
        for name, value in where.items()
    }


def _span(key: str, text: str) -> int:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise DefinitionError(key, str(error)) from None


def _day(key: str, text: str) -> date | None:
    try:
        return parse_date(text) if text.strip() else None
    except DateError as error:
        raise DefinitionError(key, str(error)) from None


def form_of(definition: Definition, body: str) -> dict[str, Any]:
    """What somebody would have written for these settings and words."""
    policy, trigger = definition.policy, definition.trigger
    on, where, report, parameters, before = (), {}, "", {}, ""  # type: Any, Any, Any, Any, Any
    cancelled = False
    match trigger:
        case OnEvents():
            on, where = trigger.kinds, dict(trigger.where)
        case OnReport():
            report, parameters = trigger.report, dict(trigger.parameters)
        case OnOutage(cancelled=True):
            cancelled = True
        case OnOutage():
            before = write_duration(trigger.before_minutes * 60)
    return {
        "line": definition.line,
        "audience": definition.audience.value,
        "topic": definition.topic,
        "required": definition.required,
        "language": definition.language,
        "receivers": definition.receivers.value,
        "on": list(on),
        "where": where,
        "report": report,
        "parameters": parameters,
        "outage_before": before,
        "outage_cancelled": cancelled,
        "produce": write_schedule(definition.produce) if definition.produce else "",
        "missed": definition.missed.value,
        "starts": jalali(definition.starts) if definition.starts else "",
        "ends": jalali(definition.ends) if definition.ends else "",
        "attempts": definition.attempts,
        "pauses": write_durations(policy.pauses),
        "growth": policy.growth_percent,
        "retry_on": sorted(policy.retry_on),
        "hours": write_windows(policy.hours),
        "validity": write_duration(definition.validity),
        "priority": definition.priority,
        "uncertain": definition.uncertain.value,
        "body": body,
    }
