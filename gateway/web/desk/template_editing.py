"""Templates written and changed, with a preview of what they say meanwhile."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from core.access.permissions import Permission
from core.events import EventKind
from core.jalali import DateError, day_interval, day_of, jalali, milliseconds, parse_date
from core.reporting.types import ParameterError, SourceError
from core.schedules import Schedule, between
from core.schedules.tokens import ScheduleError
from core.schedules.words import parse_schedule, write_schedule
from core.templates import store
from core.templates.checks import RETRIED, DefinitionError, checked_name
from core.templates.store import Draft, Template, TemplateError
from core.templates.types import Audience, Missed, Receivers, Uncertain, Version
from core.triggers import is_in_season
from gateway.templates.bodies import FILTERS
from gateway.templates.checking import Checked
from gateway.templates.form import TemplateForm, form_of
from gateway.templates.wordings import LineGone
from gateway.web.desk import month, template_fields, workshop
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.schedule_days import with_day
from gateway.web.desk.template_pages import ROWS, entry, instants, named
from gateway.web.desk.visit import Visit
from gateway.web.desk.workshop import Preview

routes = Routes()
_PICKED_FOR: Final = ("once", "monthly", "weekly", "starts", "ends")


class Seen(NamedTuple):
    """What a preview shows."""

    preview: Preview | None
    checked: Checked | None
    instants: list[int]


@routes.route("GET", "/templates/new", Permission.TEMPLATE_EDIT)
async def begin(visit: Visit) -> bytes:
    """A new template to be written."""
    utility = _utility(visit, visit.query)
    empty = TemplateForm().model_dump(mode="json")
    form = visit.blank(**template_fields.filled(empty), utility=utility)
    return await _page(visit, form, utility, None, None)


@routes.route("POST", "/templates/new", Permission.TEMPLATE_EDIT)
async def add(visit: Visit) -> bytes:
    """Save a new template; or show how it reads, or another month."""
    form = visit.form
    utility = _utility(visit, form)
    if form.raw("do") != "save":
        return await _look(visit, form, utility, None)
    name = form.text("name", most=60, required=True)
    try:
        name = checked_name(name) if name else ""
    except DefinitionError as error:
        template_fields.wrong(form, "name", error.problem)
    checked = await _checked(visit, form, utility)
    if checked is None or not form.is_right:
        return await _page(visit, form, utility, None, None, code=422)
    by, now = visit.user.name, visit.means.now_ms()
    draft = Draft(utility, name, checked.definition, checked.body, by, now)
    about = Version(0, utility, name, 1, checked.definition, checked.body, 0)
    try:
        saved: Version = await visit.change(entry("template.add", about), store.add, draft)
    except TemplateError:
        form.wrong("name", "templates.taken")
        return await _page(visit, form, utility, None, None, code=422)
    return visit.go(f"/templates/{saved.template_id}", "templates.saved")


@routes.route("GET", "/templates/<int:template_id>/edit", Permission.TEMPLATE_EDIT)
async def show(visit: Visit, template_id: int) -> bytes:
    """A template, to be changed."""
    template = await named(visit, Permission.TEMPLATE_EDIT, template_id)
    version = template.newest
    written = template_fields.filled(form_of(version.definition, version.body))
    form = visit.blank(**written, version=version.version)
    return await _page(visit, form, version.utility, template, None)


@routes.route("POST", "/templates/<int:template_id>/edit", Permission.TEMPLATE_EDIT)
async def change(visit: Visit, template_id: int) -> bytes:
    """Save a version after the one that was changed; or show how it reads."""
    template = await named(visit, Permission.TEMPLATE_EDIT, template_id)
    form, utility = visit.form, template.newest.utility
    if form.raw("do") != "save":
        return await _look(visit, form, utility, template)
    checked = await _checked(visit, form, utility)
    based_on = await _based_on(visit, form, template)
    if checked is None:
        return await _page(visit, form, utility, template, None, code=422)
    by, now = visit.user.name, visit.means.now_ms()
    draft = Draft(utility, based_on.name, checked.definition, checked.body, by, now)
    about = entry("template.edit", based_on, number=based_on.version + 1)
    try:
        await visit.change(about, store.edit, based_on, draft)
    except TemplateError:
        form.wrong("body", "templates.changed")
        return await _page(visit, form, utility, template, None, code=422)
    return visit.go(f"/templates/{template.id}", "templates.saved")


@routes.route("POST", "/templates/preview", Permission.TEMPLATE_EDIT)
async def preview(visit: Visit) -> bytes:
    """What a form that is being filled in would say: a part of a page, for its script."""
    form = visit.form
    utility = _utility(visit, form)
    seen = await _seen(visit, form, utility, 1, counted=False)
    return visit.page("template_preview.html", form=form, seen=seen)


# --- help ---------------------------------------------------------------------------------


def _utility(visit: Visit, form: Form) -> str:
    """Whose template it is; the first that the visitor may write for."""
    known = visit.utilities(Permission.TEMPLATE_EDIT)
    said = form.raw("utility")
    if said in known:
        return said
    if said or not known:
        raise NotFound
    return next(iter(known))


async def _based_on(visit: Visit, form: Form, template: Template) -> Version:
    key = (template.id, form.number("version") or 0)
    found: dict[tuple[int, int], Version] = await visit.read(
        "template_version", store.load_versions, [key]
    )
    return found.get(key, template.newest)


async def _checked(visit: Visit, form: Form, utility: str) -> Checked | None:
    means = visit.means
    known = workshop.checker(means)
    reports = list(known.sources.files(utility))
    said = template_fields.read(form, workshop.lines_of(means, utility), reports)
    found: Checked | None = await means.in_thread(
        template_fields.checked, form, known, utility, said
    )
    return found


async def _seen(visit: Visit, form: Form, utility: str, rows: int, *, counted: bool) -> Seen:
    checked = await _checked(visit, form, utility)
    if checked is None:
        return Seen(None, None, [])
    version = Version(0, utility, "", 0, checked.definition, checked.body, 0)
    coming = instants(checked.definition, visit.means.now_ms())
    try:
        found = await workshop.previewed(visit, version, rows, counted=counted)
    except (SourceError, ParameterError) as error:
        template_fields.wrong(form, "report", str(error))
        return Seen(None, checked, coming)
    except LineGone as error:
        template_fields.wrong(form, "line", str(error))
        return Seen(None, checked, coming)
    return Seen(found, checked, coming)


async def _look(visit: Visit, form: Form, utility: str, template: Template | None) -> bytes:
    """Show the form again: with a day that was picked, another month, or a preview."""
    picked = form.raw("pick")
    if picked:
        _pick(form, picked)
    if picked or form.raw("month"):
        return await _page(visit, form, utility, template, None)
    seen = await _seen(visit, form, utility, ROWS, counted=True)
    return await _page(visit, form, utility, template, seen, code=200 if form.is_right else 422)


def _pick(form: Form, picked: str) -> None:
    """Put a day of the calendar where it is meant for."""
    try:
        day = parse_date(picked)
    except DateError:
        form.wrong("produce", "form.date")
        return
    for_what = form.choice("pick_for", _PICKED_FOR)
    if for_what in ("starts", "ends"):
        form.fill(**{for_what: jalali(day)})
    elif for_what:
        schedule = with_day(_schedule(form), for_what, day)
        form.fill(produce=write_schedule(schedule) if schedule else "")


def _schedule(form: Form) -> Schedule | None:
    said = form.raw("produce").strip()
    try:
        return parse_schedule(said) if said else None
    except ScheduleError:
        return None


def _calendar(visit: Visit, form: Form, seen: Seen | None) -> month.Month:
    """The month that is looked at, with the days on which it is made marked."""
    today = day_of(visit.means.now_ms())
    found = month.grid(*month.named(form.raw("month"), today), today)
    schedule = _schedule(form)
    if schedule is None:
        return found
    begins, ends = map(milliseconds, day_interval(found.first, found.last))
    made = {
        day_of(at)
        for at in between(schedule, begins - 1, ends - 1)
        if seen is None or seen.checked is None or is_in_season(seen.checked.definition, at)
    }
    return month.grid(found.year, found.month, today, made)


async def _page(  # noqa: PLR0913 - what the page is made of
    visit: Visit,
    form: Form,
    utility: str,
    template: Template | None,
    seen: Seen | None,
    *,
    code: int = 200,
) -> bytes:
    known = workshop.sources(visit.means)
    return visit.page(
        "template_form.html",
        code=code,
        form=form,
        template=template,
        utility=utility,
        utilities=visit.utilities(Permission.TEMPLATE_EDIT),
        seen=seen,
        calendar=_calendar(visit, form, seen),
        lines=workshop.lines_of(visit.means, utility),
        reports=sorted(known.files(utility)),
        events=[each.value for each in EventKind],
        choices=_CHOICES,
        filters=", ".join(FILTERS[:5]),
    )


_CHOICES: Final[dict[str, Any]] = {
    "source": template_fields.SOURCES,
    "audience": [each.value for each in Audience],
    "receivers": [each.value for each in Receivers],
    "missed": [each.value for each in Missed],
    "uncertain": [each.value for each in Uncertain],
    "retry_on": sorted(RETRIED),
    "pick_for": _PICKED_FOR,
}
"""What fields offer: each value's words are the text ``templates.FIELD_is.VALUE``."""
