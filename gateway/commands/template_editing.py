"""``peyk template add`` and ``edit``: from options, from a file, or in an editor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from core.reporting.types import SourceError
from core.templates import store
from core.templates.checks import DefinitionError
from core.templates.store import Draft
from core.templates.types import Version
from gateway.commands.context import CommandError, now_ms
from gateway.commands.template_desk import TemplateDesk, said_of, told, warn_of_schedule
from gateway.configuration import ConfigError, as_model
from gateway.templates.bodies import FILTERS
from gateway.templates.checking import Checked
from gateway.templates.errors import BodyError
from gateway.templates.form import TemplateForm, form_of
from gateway.templates.written import FormError, WrittenToml, write_form

_SOURCE: Final = (
    "on", "where", "report", "parameters", "outage_before", "outage_cancelled",
)  # fmt: skip
"""What a template is made of: naming one of them takes the place of all."""
_CONDITION_OF: Final[Mapping[str, str]] = {"where": "on", "parameters": "report"}
_WRONG: Final = (DefinitionError, BodyError, FormError, SourceError)


class Given(NamedTuple):
    """What a command was told."""

    options: Mapping[str, Any]
    """Keys of ``TemplateForm``; None: not said."""
    file: Path | None
    by: str

    @property
    def said(self) -> dict[str, Any]:
        """The options that were given."""
        return {name: value for name, value in self.options.items() if value not in (None, ())}


def add(desk: TemplateDesk, utility: str, name: str, given: Given, *, enabled: bool) -> None:
    """Save a new template, written in the options, a file or an editor."""
    head = f"A new template {name!r} of {utility}."
    begin = {**TemplateForm().model_dump(mode="json"), **_plain(given.said)}
    in_editor = "body" not in given.said
    checked = _checked(desk, utility, given, (head, begin), in_editor=in_editor)
    draft = Draft(utility, name, checked.definition, checked.body, given.by, now_ms())
    with desk.context.database() as database, told():
        saved = database.transact("cli.template_add", store.add, draft, enabled=enabled)
    _say(desk, saved, checked, "enabled" if enabled else "not in use: `peyk template enable`")


def edit(desk: TemplateDesk, utility: str | None, name: str, given: Given) -> None:
    """Save a version after the newest one."""
    with desk.context.database() as database:
        template = desk.named(database, utility, name)
        was = template.newest
        head = f"Template {was.name!r} of {was.utility}, version {was.version}."
        begin = _merged(form_of(was.definition, was.body), given.said)
        checked = _checked(desk, was.utility, given, (head, begin), in_editor=not given.said)
        draft = Draft("", "", checked.definition, checked.body, given.by, now_ms())
        with told():
            saved = database.transact("cli.template_edit", store.edit, was, draft)
    if saved == was:
        click.echo(f"{was.name}: nothing is different; version {was.version} stays")
        return
    _say(desk, saved, checked, "enabled" if template.enabled else "not in use")


def _say(desk: TemplateDesk, saved: Version, checked: Checked, state: str) -> None:
    cost = desk.cost(checked.definition.line, checked.parts)
    click.echo(
        f"{saved.name} of {saved.utility}: version {saved.version}, {state}; "
        f"{cost} with example figures"
    )
    warn_of_schedule(saved, now_ms())


def _checked(
    desk: TemplateDesk,
    utility: str,
    given: Given,
    begin: tuple[str, dict[str, Any]],
    *,
    in_editor: bool,
) -> Checked:
    head, form = begin
    if given.file is not None:
        if given.said:
            raise click.UsageError("give a file, or options; not both")
        with told():
            return _of_text(desk, utility, _read(given.file), str(given.file))
    if in_editor:
        footer = f"Filters: {', '.join(FILTERS)}."
        return _edited(
            write_form(head, form, footer), lambda text: _of_text(desk, utility, text, "")
        )
    try:
        made = as_model(Path(), form, TemplateForm)
    except ConfigError as error:
        problem = f"{error.key}: {error.problem}" + (f"; {error.hint}" if error.hint else "")
        raise CommandError(problem) from None
    with told():
        return desk.checker.check(utility, made.made(), made.words)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None


def _of_text(desk: TemplateDesk, utility: str, text: str, where: str) -> Checked:
    """A written template, checked. Raises ``FormError`` with the place of a mistake."""
    written = WrittenToml(text, where)
    form = written.form()
    try:
        return desk.checker.check(utility, form.made(), form.words)
    except DefinitionError as error:
        raise written.of_definition(error) from None
    except BodyError as error:
        raise written.of_body(error) from None


def _edited(text: str, check: Callable[[str], Checked]) -> Checked:
    """Let an editor have a text until it is right, or comes back as it was sent."""
    if not (sys.stdin.isatty() or os.environ.get("EDITOR") or os.environ.get("VISUAL")):
        raise click.UsageError("there is no terminal for an editor: give --body, or --file")
    sent = text
    problem = "nothing was changed"
    while True:
        try:
            back = click.edit(sent, extension=".toml")
        except click.ClickException as error:
            raise CommandError(f"the editor cannot be used: {error.format_message()}") from None
        if back is None or _without_head(back) == _without_head(sent):
            raise CommandError(f"{problem}; nothing is saved")
        try:
            return check(back)
        except _WRONG as error:
            problem = said_of(error)
            click.echo(problem, err=True)
            # In the place of the first line, so that the others keep their numbers.
            sent = f"# {problem}\n{_without_head(back)}"


def _without_head(text: str) -> str:
    head, _, rest = text.partition("\n")
    return rest if head.startswith("#") else text


def _merged(form: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """``form`` with what was said; another source takes the place of the one it had."""
    new = _plain(said)
    for condition, source in _CONDITION_OF.items():
        if condition in new and source not in new:
            # More conditions on the same source.
            new[condition] = {**form[condition], **new[condition]}
    if any(source in new for source in _SOURCE if source not in _CONDITION_OF):
        empty = TemplateForm().model_dump(mode="json")
        form = {**form, **{key: empty[key] for key in _SOURCE}}
    return {**form, **new}


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the form has them: NAME=VALUE pairs as a table."""
    plain = dict(said)
    for key in _CONDITION_OF:
        if key in plain:
            plain[key] = dict(_pair(key, each) for each in plain[key])
    return plain


def _pair(key: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"{key}: {text!r} is not NAME=VALUE")
    return name.strip(), value.strip()
