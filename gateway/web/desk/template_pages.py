"""Templates: what there is, one of them with its versions, tried and put to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import ndiff
from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import Permission
from core.events import EventKind
from core.new_messages import NobodyWantsIt, try_out
from core.outbox import Notice
from core.reporting.types import ParameterError, SourceError
from core.templates import store
from core.templates.checks import DefinitionError
from core.templates.store import Template, TemplateFilter
from core.templates.types import Definition, OnReport, Version
from core.triggers import next_planned
from gateway.templates.errors import BodyError
from gateway.templates.form import form_of
from gateway.templates.wordings import LineGone
from gateway.web.desk import workshop
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit
from gateway.web.desk.workshop import Preview

routes = Routes()
ROWS: Final = 3
"""Messages that a preview shows."""
INSTANTS: Final = 5
"""Of a schedule that are told beforehand."""
_ROUTE: Final = "/templates/<int:template_id>"
_MISTAKES: Final = (DefinitionError, BodyError, SourceError, ParameterError, LineGone)


@routes.route("GET", "/templates", Permission.TEMPLATE_SEE)
async def show(visit: Visit) -> bytes:
    """All that the visitor may see, by utility and name."""
    asked = visit.query
    utilities = visit.utilities(Permission.TEMPLATE_SEE)
    state = asked.choice("state", ("enabled", "disabled"), required=False)
    wanted = TemplateFilter(
        asked.choice("utility", utilities, required=False) or None,
        {"enabled": True, "disabled": False}.get(state),
        asked.text("topic", most=60) or None,
        asked.choice("event", [each.value for each in EventKind], required=False) or None,
    )
    found = await visit.read("templates", store.list_templates, wanted) if asked.is_right else []
    scope = visit.scope(Permission.TEMPLATE_SEE)
    return visit.page(
        "template_list.html",
        code=200 if asked.is_right else 422,
        form=asked,
        templates=[each for each in found if scope is None or each.newest.utility in scope],
        utilities=utilities,
        events=[each.value for each in EventKind],
    )


@routes.route("GET", _ROUTE, Permission.TEMPLATE_SEE)
async def show_one(visit: Visit, template_id: int) -> bytes:
    """One template: its words with real rows, when it is made, its versions."""
    template = await named(visit, Permission.TEMPLATE_SEE, template_id)
    return await _page(visit, template, visit.blank())


@routes.route("GET", f"{_ROUTE}/versions", Permission.TEMPLATE_SEE)
async def show_versions(visit: Visit, template_id: int) -> bytes:
    """What is different between two versions."""
    template = await named(visit, Permission.TEMPLATE_SEE, template_id)
    found = await visit.read("template_versions", store.versions, template.id)
    numbers = [str(each.version.version) for each in found]
    asked = visit.query
    newer = asked.choice("newer", numbers, required=False) or numbers[0]
    before = str(max(int(newer) - 1, int(numbers[-1])))
    older = asked.choice("older", numbers, required=False) or before
    by_number = {str(each.version.version): each.version for each in found}
    lines = differences(visit, by_number[older], by_number[newer]) if asked.is_right else []
    asked.fill(older=older, newer=newer)
    return visit.page(
        "template_versions.html",
        code=200 if asked.is_right else 422,
        template=template,
        versions=found,
        form=asked,
        lines=lines,
    )


@routes.route("POST", f"{_ROUTE}/<any(enable,disable):act>", Permission.TEMPLATE_ENABLE)
async def enable(visit: Visit, template_id: int, act: str) -> bytes:
    """Let it make messages from now on, or no more."""
    template = await named(visit, Permission.TEMPLATE_ENABLE, template_id)
    newest, means = template.newest, visit.means
    if act == "enable":
        try:
            await means.in_thread(
                workshop.checker(means).check, newest.utility, newest.definition, newest.body
            )
        except _MISTAKES as error:
            raise Refusal(409, "templates.not_enabled", problem=str(error)) from None

    def work(connection: Any) -> None:
        by, now = visit.user.name, means.now_ms()
        store.set_enabled(connection, template.id, enabled=act == "enable", by=by, now=now)

    await visit.change(entry(f"template.{act}", newest), work)
    return visit.go(f"/templates/{template.id}", f"templates.{act}d")


@routes.route("POST", f"{_ROUTE}/test", Permission.TEMPLATE_TEST)
async def try_it(visit: Visit, template_id: int) -> bytes:
    """Send a message with example figures to one mobile."""
    template = await named(visit, Permission.TEMPLATE_TEST, template_id)
    form, means, version = visit.form, visit.means, template.newest
    mobile = form.mobile("mobile", required=True)
    if mobile is None:
        return await _page(visit, template, form, 422)
    try:
        parts = await means.in_thread(workshop.example_parts, means, version)
    except _MISTAKES as error:
        raise Refusal(409, "templates.not_tested", problem=str(error)) from None
    now = means.now_ms()
    notice = Notice(means.ids.take(len(parts)), mobile, version.definition.line, parts, None, now)
    try:
        await visit.change(entry("template.test", version), try_out, version, notice)
    except NobodyWantsIt:
        raise Refusal(409, "compose.nobody_wants") from None
    means.on_queued()
    return visit.go(f"/templates/{template.id}", "templates.tested", parts=len(parts))


# --- help ---------------------------------------------------------------------------------


async def named(visit: Visit, permission: Permission, template_id: int) -> Template:
    """A template that the visitor may do that with. Raises ``NotFound``."""
    found: Template | None = await visit.read("template", store.of_id, template_id)
    if found is None:
        raise NotFound
    visit.check(permission, found.newest.utility)
    return found


def entry(action: str, version: Version, **details: Any) -> Entry:
    """What the audit log says of a template."""
    return Entry(action, f"template:{version.name}", version.utility, details)


def instants(definition: Definition, now: int, most: int = INSTANTS) -> list[int]:
    """When it is made next, in UTC milliseconds."""
    found: list[int] = []
    at: int | None = now
    while len(found) < most and at is not None and (at := next_planned(definition, at)):
        found.append(at)
    return found


def differences(visit: Visit, older: Version, newer: Version) -> list[tuple[str, str]]:
    """Lines of the newer one and those that it has no more: ``" "``, ``"+"`` or ``"-"``, text."""
    before, after = (list(_lines(visit, version)) for version in (older, newer))
    return [(each[0], each[2:]) for each in ndiff(before, after) if not each.startswith("?")]


def _lines(visit: Visit, version: Version) -> Iterator[str]:
    """A template in the visitor's words, a setting a line, and then its own."""
    written = form_of(version.definition, version.body)
    body = written.pop("body")
    for key, value in written.items():
        if value or (value == 0 and value is not False):
            name = visit.say_or(f"templates.{key}", key)
            yield f"{name}: {_said(visit, key, value)}"
    yield f"{visit.say('templates.body')}:"
    yield from body.splitlines()


def _said(visit: Visit, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return visit.say("desk.yes") if value else visit.say("desk.no")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {each}" for name, each in value.items())
    each = value if isinstance(value, list) else [value]
    return ", ".join(visit.say_or(f"templates.{key}_is.{one}", str(one)) for one in each)


async def _page(visit: Visit, template: Template, form: Form, code: int = 200) -> bytes:
    version = template.newest
    preview: Preview | None = None
    problem = ""
    try:
        preview = await workshop.previewed(visit, version, ROWS, counted=True)
    except _MISTAKES as error:
        problem = str(error)
    return visit.page(
        "template.html",
        code=code,
        template=template,
        written=form_of(version.definition, version.body),
        preview=preview,
        problem=problem,
        instants=instants(version.definition, visit.means.now_ms()),
        versions=await visit.read("template_versions", store.versions, template.id),
        is_of_report=isinstance(version.definition.trigger, OnReport),
        form=form,
    )
