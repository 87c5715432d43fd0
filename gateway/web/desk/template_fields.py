"""A template in a form: what somebody fills in, and what is wrong with it beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.events import EventKind
from core.reporting.types import SourceError
from core.templates.checks import (
    LANGUAGES,
    LEAST_URGENT,
    MOST_ATTEMPTS,
    MOST_GROWTH,
    RETRIED,
    DefinitionError,
)
from core.templates.types import Audience, Missed, Receivers, Uncertain
from gateway.configuration import ConfigError, as_model
from gateway.templates.bodies import LONGEST
from gateway.templates.checking import Checked, Checker
from gateway.templates.errors import BodyError
from gateway.templates.form import TemplateForm
from gateway.web.desk.body_mistakes import in_words
from gateway.web.desk.forms import Form

SOURCES: Final = ("events", "report", "outage", "outage_cancelled")
"""What a template may be made of."""
_KINDS: Final = frozenset(kind.value for kind in EventKind)
_TEXTS: Final = (
    "topic", "produce", "starts", "ends", "pauses", "hours", "validity", "outage_before",
)  # fmt: skip


def filled(written: Mapping[str, Any]) -> dict[str, Any]:
    """What the form begins with, of a template as ``form_of`` writes it."""
    source = (
        "report"
        if written["report"]
        else "outage_cancelled"
        if written["outage_cancelled"]
        else "outage"
        if written["outage_before"]
        else "events"
    )
    plain = {key: value for key, value in written.items() if key != "outage_cancelled"}
    return {
        **plain,
        "source": source,
        "required": "1" if written["required"] else None,
        "where": _lines(written["where"]),
        "parameters": _lines(written["parameters"]),
    }


def _lines(table: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in table.items())


def read(form: Form, own_lines: list[str], reports: list[str]) -> dict[str, Any]:
    """The fields as ``TemplateForm`` has them; those of other sources than the chosen are empty."""
    source = form.choice("source", SOURCES)
    said: dict[str, Any] = {name: form.text(name, most=300) for name in _TEXTS}
    said |= {
        "line": form.choice("line", own_lines, required=False),
        "audience": form.choice("audience", list(Audience)),
        "receivers": form.choice("receivers", list(Receivers)),
        "missed": form.choice("missed", list(Missed)),
        "uncertain": form.choice("uncertain", list(Uncertain)),
        "language": form.choice("language", LANGUAGES),
        "required": form.tick("required"),
        "attempts": form.number("attempts", least=1, most=MOST_ATTEMPTS, required=True),
        "growth": form.number("growth", most=MOST_GROWTH, required=True),
        "priority": form.number("priority", least=1, most=LEAST_URGENT, required=True),
        "retry_on": form.choices("retry_on", RETRIED),
        "body": form.text("body", most=LONGEST, required=True),
    }
    if source == "events":
        said["on"] = form.choices("on", _KINDS)
        said["where"] = _table(form, "where")
    if source == "report":
        said["report"] = form.choice("report", reports)
        said["parameters"] = _table(form, "parameters")
    if source != "outage":
        del said["outage_before"]
    if source == "outage_cancelled":
        said["outage_cancelled"] = True
    return said


def _table(form: Form, field: str) -> dict[str, str]:
    """Lines of NAME = VALUE."""
    found = {}
    for line in form.text(field).splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip():
            found[name.strip()] = value.strip()
        elif line.strip():
            form.wrong(field, "templates.wrong.pairs")
    return found


def checked(form: Form, checker: Checker, utility: str, said: dict[str, Any]) -> Checked | None:
    """A template that may be saved; else what is wrong stands beside its field."""
    if not form.is_right:
        return None
    try:
        made = as_model(Path(), said, TemplateForm)
        return checker.check(utility, made.made(), made.words)
    except BodyError as error:
        form.wrong(
            "body",
            "templates.wrong.body",
            line=error.line,
            column=error.column,
            problem=in_words(error.problem, form.say),
        )
    except DefinitionError as error:
        wrong(form, error.key, error.problem)
    except SourceError as error:
        wrong(form, "report", str(error.problem))
    except ConfigError as error:
        wrong(form, error.key.partition(".")[0], error.problem)
    return None


def wrong(form: Form, key: str, problem: str) -> None:
    """Say beside a field how it is written, and what exactly is wrong."""
    text = f"templates.wrong.{key}" if key in _SAID else "templates.wrong.other"
    form.wrong(key, text, problem=problem)


_SAID: Final = frozenset(
    {
        "name", "line", "produce", "starts", "ends", "pauses", "hours", "validity", "on",
        "where", "report", "parameters", "outage_before", "receivers", "audience", "topic",
    }
)  # fmt: skip
"""Fields whose mistakes have words of their own."""
