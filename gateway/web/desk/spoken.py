"""How the daemon is, in the visitor's language: durations, problems, services and their states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from core.alerts import Alert
from gateway.alerts.troubles import Kind
from gateway.health import BindHealth, Problem, ServiceHealth, ServiceState
from gateway.service_list import NOT_RUNNING

Say = Callable[..., str]
_ENDING: Final = "_seconds"
_DETAILS: Final = {
    NOT_RUNNING: "services.detail.not_running",
    "another daemon keeps the schedules": "services.detail.elsewhere",
    "it does not go round": "services.detail.silent",
    "it is being asked": "services.detail.asking",
    "the database cannot be reached": "services.detail.database",
}


def lasting(say: Say, seconds: float) -> str:
    """A duration as people say it, two units at most: ``۵ ساعت و ۱۲ دقیقه``."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return say("spoken.seconds", count=max(0, round(seconds)))
    if hours < 1:
        return say("spoken.minutes", count=minutes)
    if days < 1:
        return say("spoken.hours", hours=hours, minutes=minutes % 60)
    return say("spoken.days", days=days, hours=hours % 24)


class Spoken(NamedTuple):
    """A problem as it is shown."""

    words: str
    because: str
    """What somebody else said of it, in their own language."""


def spoken(say: Say, problem: Problem) -> Spoken:
    """A problem in the language of ``say``."""
    values: dict[str, Any] = {}
    for name, value in problem.values.items():
        if name.endswith(_ENDING):
            values[f"{name.removesuffix(_ENDING)}_time"] = lasting(say, value)
        else:
            values[name] = value
    return Spoken(say(f"spoken.problem.{problem.key}", **values), problem.because)


def service_title(say: Say, name: str) -> str:
    """What a service is called: ``اتصال main``."""
    kind, _, own = name.partition(":")
    return say(f"services.kind.{kind}", name=own) if own else say(f"services.one.{kind}")


def service_effect(say: Say, name: str) -> str:
    """What pausing it stops."""
    return say(f"services.effect.{name.partition(':')[0]}")


def service_detail(say: Say, service: ServiceHealth) -> Spoken:
    """Why it is as it is: in our words where they are ours."""
    if service.state is ServiceState.PAUSED:
        return Spoken("", service.detail)
    if service.detail in _STATES:
        return Spoken(say(f"spoken.state.{service.detail}"), "")
    known = _DETAILS.get(service.detail)
    return Spoken(say(known), "") if known else Spoken("", service.detail)


_STATES: Final = frozenset({"stopped", "connecting", "binding", "bound", "waiting", "unbinding"})


def bind_state(say: Say, bind: BindHealth) -> str:
    """Where a bind stands."""
    return say(f"spoken.state.{bind.state}")


def concerns(alert: Alert, scope: frozenset[str] | None) -> bool:
    """Whether an alert is about everybody's, or about a utility of ``scope`` (None: every one)."""
    kind, _, about = alert.trouble.partition(":")
    if scope is None or kind != Kind.SCHEDULE_LATE:
        return True
    return about.partition("/")[0] in scope
