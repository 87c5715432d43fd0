"""What a template's settings must be, beyond their types. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from core.bills import MID_PERIOD, PERIOD
from core.events import EventKind
from core.events.facts import FactKinds, facts_of_all, is_a
from core.requests.kinds import Services
from core.requests.states import RequestState
from core.templates.types import Definition, OnEvents, OnOutage, OnReport, SendPolicy
from core.text import nearest_hint, normalise

MOST_ATTEMPTS: Final = 50
LEAST_VALIDITY: Final = 60
MOST_VALIDITY: Final = 30 * 86_400
MOST_PAUSE: Final = 7 * 86_400
MOST_GROWTH: Final = 1_000
LEAST_URGENT: Final = 9
RETRIED: Final = frozenset({"undeliverable", "expired"})
"""Receipts after which a message can be tried again."""
LANGUAGES: Final = ("fa", "en")

_NAME: Final = re.compile(r"\w[\w.\-]{0,59}")


class DefinitionError(ValueError):
    """A template's setting is wrong, in words for whoever wrote it."""

    def __init__(self, key: str, problem: str) -> None:
        self.key = key
        """The setting, as in ``TemplateForm``: ``attempts``, ``hours`` …"""
        self.problem = problem
        super().__init__(f"{key}: {problem}")


def checked_name(name: str) -> str:
    """A template's name, in one spelling. Raises ``DefinitionError``."""
    found = normalise(name).strip()
    if not _NAME.fullmatch(found):
        raise DefinitionError(
            "name", f"{name!r}: a name is letters, digits, '-', '_' and '.', at most 60 of them"
        )
    return found


def check(definition: Definition) -> None:
    """Raise ``DefinitionError`` for the first setting that cannot be."""
    _within("attempts", definition.attempts, 1, MOST_ATTEMPTS)
    if not LEAST_VALIDITY <= definition.validity <= MOST_VALIDITY:
        raise DefinitionError("validity", "is not between a minute (1m) and 30 days (30d)")
    _within("priority", definition.priority, 1, LEAST_URGENT)
    if not definition.topic.strip():
        raise DefinitionError("topic", "is empty; write what people may opt out of, such as bills")
    if definition.language not in LANGUAGES:
        raise _unknown("language", "language", definition.language, LANGUAGES)
    if definition.starts and definition.ends and definition.ends < definition.starts:
        raise DefinitionError("ends", "is before it starts")
    _check_policy(definition.policy)
    _check_trigger(definition)


def _within(key: str, value: int, least: int, most: int, unit: str = "") -> None:
    if not least <= value <= most:
        raise DefinitionError(key, f"{value} is not between {least} and {most}{unit}")


def _check_policy(policy: SendPolicy) -> None:
    if not policy.pauses:
        raise DefinitionError("pauses", "are missing; write such as: 1m 5m 30m")
    for pause in policy.pauses:
        _within("pauses", pause, 1, MOST_PAUSE, " seconds")
    _within("growth", policy.growth_percent, 0, MOST_GROWTH, " percent")
    for window in policy.hours:
        if not 0 <= window.begins < window.ends <= 24 * 60 or not window.weekdays:
            raise DefinitionError("hours", "have a window without a minute")
    for receipt in sorted(policy.retry_on - RETRIED):
        raise _unknown("retry_on", "such receipt", receipt, RETRIED)


def _check_trigger(definition: Definition) -> None:
    trigger = definition.trigger
    match trigger:
        case OnEvents(kinds, where):
            known = {kind.value for kind in EventKind}
            for kind in kinds:
                if kind not in known:
                    raise DefinitionError(
                        "on", f"there is no event {kind!r}; {nearest_hint(kind, known)}"
                    )
            if not kinds:
                raise DefinitionError("on", f"names no event; {nearest_hint('', known)}")
            facts = facts_of_all(map(EventKind, kinds))
            for name, value in where.items():
                _check_condition(name, value, facts)
        case OnReport(report):
            if not report:
                raise DefinitionError("report", "is empty")
        case OnOutage(before):
            _within("outage_before", before, 0, 30 * 24 * 60, " minutes")
            if definition.produce is not None:
                raise DefinitionError("produce", "an outage is told when it is due, by itself")


def _check_condition(name: str, value: object, facts: FactKinds) -> None:
    kind = facts.get(name)
    if kind is None:
        raise DefinitionError(
            "where", f"these events have no {name!r}; {nearest_hint(name, facts)}"
        )
    if value == "" or not is_a(kind, value):
        raise DefinitionError("where", f"{name} is compared with {value!r}, but it is a {kind}")


def check_conditions(trigger: OnEvents, services: Services) -> None:
    """Raise ``DefinitionError`` for a condition that no event of the utility can meet."""
    kinds = {EventKind(kind) for kind in trigger.kinds}
    bills = {"kind": (PERIOD, MID_PERIOD)} if EventKind.BILL_ISSUED in kinds else {}
    requests = _of_requests(services) if kinds & _OF_REQUESTS else {}
    for name, value in trigger.where.items():
        known = {*bills.get(name, ()), *requests.get(name, ())}
        if known and value not in known:
            problem = f"{name} is never {value!r}; {nearest_hint(str(value), known)}"
            raise DefinitionError("where", problem)


def _of_requests(services: Services) -> Mapping[str, Iterable[str]]:
    """All that these facts of a request's events may be."""
    return {
        "kind": services.kinds,
        "service": [each.title for each in services.kinds.values()],
        "state": [services.state_title(state) for state in RequestState],
        "state_key": list(RequestState),
    }


_OF_REQUESTS: Final = frozenset({
    EventKind.REQUEST_REGISTERED, EventKind.REQUEST_CHANGED, EventKind.VOUCHER_ISSUED,
})  # fmt: skip


def _unknown(key: str, what: str, name: str, known: Iterable[str]) -> DefinitionError:
    return DefinitionError(key, f"there is no {what} {name!r}; {nearest_hint(name, known)}")
