"""What every ``peyk template`` works with: the lines, the reports, and a template by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import click

from core.database import Database
from core.operations import REGISTRY
from core.reporting.sources import Sources
from core.reporting.types import ParameterError, SourceError
from core.templates import store
from core.templates.checks import DefinitionError
from core.templates.codec import StoredTemplateError
from core.templates.store import Template, TemplateError, TemplateFilter
from core.templates.types import Definition, OnEvents, OnOutage, OnReport, Version
from core.text import nearest_hint
from core.triggers import next_planned
from gateway.commands.context import CommandError, Context
from gateway.minds import LineMind, minds_of
from gateway.profiles import Profile, load_profile
from gateway.report_files import sources_of
from gateway.templates.checking import Checker
from gateway.templates.durations import write_duration
from gateway.templates.errors import BodyError
from gateway.templates.form import form_of
from gateway.templates.written import FormError

MISTAKES = (
    DefinitionError, BodyError, FormError, TemplateError, SourceError, ParameterError,
    StoredTemplateError,
)  # fmt: skip
"""What can be wrong with a template, each in words for whoever wrote it."""


class TemplateDesk:
    """One call of ``peyk template``: everything is read when it is first needed."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """The profile of every line, by its folder's name. Raises ``ConfigError``."""
        settings = self.context.settings
        names = dict.fromkeys(line.profile for line in settings.lines)
        return {name: load_profile(settings.profile_folder(name), REGISTRY) for name in names}

    @cached_property
    def minds(self) -> dict[str, LineMind]:
        """Every line that is texted, by its number."""
        return minds_of(self.context.settings, self.profiles)

    @cached_property
    def sources(self) -> Sources:
        """The reports of every utility."""
        return sources_of(self.context.settings, self.profiles.values())

    @cached_property
    def checker(self) -> Checker:
        """What looks at a template before it is saved."""
        lines = self.context.settings.lines
        return Checker(self.minds, self.sources, {line.number: line.audience for line in lines})

    @cached_property
    def utilities(self) -> list[str]:
        """Those that have a line."""
        return list(dict.fromkeys(mind.utility for mind in self.minds.values()))

    def utility(self, said: str | None) -> str:
        """The utility that is meant. Raises ``CommandError``."""
        if said is None and len(self.utilities) == 1:
            return self.utilities[0]
        if said is None:
            known = ", ".join(sorted(self.utilities)) or "there is none"
            raise CommandError(f"say which with --utility: {known}")
        if said not in self.utilities:
            raise CommandError(f"no line serves {said!r}; {nearest_hint(said, self.utilities)}")
        return said

    def named(self, database: Database, utility: str | None, name: str) -> Template:
        """A template, of whichever utility has one by this name. Raises ``CommandError``."""
        with told():
            if utility is not None or len(self.utilities) == 1:
                return database.read("cli.template", store.named, self.utility(utility), name)
            every = database.read("cli.templates", store.list_templates, TemplateFilter())
        found = [each for each in every if each.newest.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            whose = ", ".join(each.newest.utility for each in found)
            raise CommandError(f"{whose} have a template {name!r}: say which with --utility")
        hint = nearest_hint(name, {each.newest.name for each in every})
        raise CommandError(
            f"there is no template {name!r}; {hint or '`peyk template load --all` brings some'}"
        )

    def price_of(self, line: str) -> float:
        """Rial for each part; 0: nobody says."""
        return next((each.price for each in self.context.settings.lines if each.number == line), 0)

    def cost(self, line: str, parts: int) -> str:
        """``3 parts, 447 rial``, or the parts alone where no price is set."""
        said = f"{parts:,} part{'' if parts == 1 else 's'}"
        price = self.price_of(line)
        return f"{said}, {round(parts * price):,} rial" if price else said


def never_comes(definition: Definition, now: int) -> bool:
    """Whether its schedule has no time any more, between its first day and its last."""
    return definition.produce is not None and next_planned(definition, now) is None


def warn_of_schedule(version: Version, now: int) -> None:
    """Say on standard error that a template's schedule makes nothing, where that is so."""
    if never_comes(version.definition, now):
        click.echo(
            f"note: no time of the schedule of {version.name} is to come: it makes nothing by "
            "itself; see its produce, starts and ends",
            err=True,
        )


@contextmanager
def told() -> Iterator[None]:
    """Whatever is wrong with a template is one line for the operator, and exit code 1."""
    try:
        yield
    except MISTAKES as error:
        raise CommandError(said_of(error)) from None


def said_of(error: Exception) -> str:
    """What is wrong, with the part of the template that it is about."""
    return f"body: {error}" if isinstance(error, BodyError) else str(error)


def made_of(definition: Definition) -> str:
    """What a template is made of, in a few words."""
    match definition.trigger:
        case OnEvents(kinds, where):
            conditions = ", ".join(f"{name}={value}" for name, value in where.items())
            return "|".join(kinds) + (f" ({conditions})" if conditions else "")
        case OnReport(report, parameters):
            given = ", ".join(f"{name}={value}" for name, value in parameters.items())
            return f"report {report}" + (f" ({given})" if given else "")
        case OnOutage(cancelled=True):
            return "outage, when it is cancelled"
        case OnOutage(before):
            return f"outage, {write_duration(before * 60)} before"


def as_record(template: Template) -> dict[str, Any]:
    """A template as JSON has it: its form, and how it stands."""
    version = template.newest
    return {
        "utility": version.utility,
        "name": version.name,
        "version": version.version,
        "enabled": template.enabled,
        **form_of(version.definition, version.body),
    }
