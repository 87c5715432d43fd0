"""A campaign that somebody begins, or asks for: over which rows, what it comes to, then begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.ids import IdMaker
from core.jalali import instant_of, jalali_time
from core.making import Maker
from core.reporting.types import Source, SourceError
from core.runs import starting
from core.runs.starting import BegunBefore, Rehearsal, Start, Wish, check_may_begin, planned
from core.runs.store import RunError
from core.templates import store
from core.templates.store import Template, TemplateFilter
from core.templates.types import OnReport
from gateway.templates.errors import BodyError
from gateway.templates.fitting import check_fits
from gateway.templates.wordings import LineGone, Wordings
from gateway.web.desk import workshop
from gateway.web.desk.forms import Form
from gateway.web.desk.parameters import parameters_of
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.rendering import in_digits
from gateway.web.desk.routes import Routes
from gateway.web.desk.template_pages import named
from gateway.web.desk.visit import Visit
from gateway.web.desk.workshop import Preview

routes = Routes()
_EXAMPLES: Final = 2


class Comes(NamedTuple):
    """What a campaign would come to."""

    rehearsal: Rehearsal
    preview: Preview
    messages: int
    """Of all rows, as far as the first ones tell …"""
    parts: int
    cost: int
    """… and what they cost, in rial; 0 where no price is set."""


@routes.route("GET", "/campaigns/new", Permission.CAMPAIGN_START)
async def choose(visit: Visit) -> bytes:
    """Which template, over which report; then what the report asks for."""
    asked = visit.query
    template_id = asked.row_id("template")
    if not template_id:
        return await _chooser(visit, asked)
    template = await named(visit, Permission.CAMPAIGN_START, template_id)
    source = await _source(visit, asked, template)
    if source is None:
        return await _chooser(visit, asked, 422)
    form = visit.blank(**_begin_with(template, source), report=source.name)
    return _page(visit, form, template, source, None)


@routes.route("POST", "/campaigns/new", Permission.CAMPAIGN_START)
async def begin(visit: Visit) -> bytes:
    """Show what it would come to, or begin it; who may not approve asks somebody who may."""
    form = visit.form
    template_id = form.row_id("template", required=True)
    template = await named(visit, Permission.CAMPAIGN_START, template_id or 0)
    utility = template.newest.utility
    source = await _source(visit, form, template)
    if source is None:
        raise NotFound
    parameters = parameters_of(form, source)
    start = await _planned(visit, form, template, source, parameters) if form.is_right else None
    if start is None:
        return _page(visit, form, template, source, None, 422)
    if form.raw("do") != "start":
        comes = await _comes_to(visit, form, start)
        return _page(visit, form, template, source, comes, 200 if comes else 422)
    means, approved = visit.means, visit.may(Permission.CAMPAIGN_APPROVE, utility)
    run_id = means.ids.one()
    act = "campaign.start" if approved else "campaign.ask"
    given = {name: str(value) for name, value in parameters.items()}
    details = {"template": template.newest.name, "report": source.name, **given}
    by, now, again = visit.user.name, means.now_ms(), form.tick("again")

    def work(connection: Any) -> None:
        starting.start(connection, start, run_id, by, now, approved=approved, again=again)

    try:
        await visit.change(Entry(act, f"campaign:{run_id}", utility, details), work)
    except BegunBefore as error:
        when = in_digits(visit.language, jalali_time(instant_of(error.at)))
        form.wrong("again", "campaigns.begun_before", at=when)
        return _page(visit, form, template, source, None, 422)
    except RunError:
        form.wrong("report", "campaigns.twice")
        return _page(visit, form, template, source, None, 422)
    means.on_queued()
    return visit.go(f"/campaigns/{run_id}", "campaigns.begun" if approved else "campaigns.is_asked")


# --- help ---------------------------------------------------------------------------------


async def _chooser(visit: Visit, form: Form, code: int = 200) -> bytes:
    scope = visit.scope(Permission.CAMPAIGN_START)
    every: list[Template] = await visit.read(
        "templates", store.list_templates, TemplateFilter(enabled=True)
    )
    chosen = [each for each in every if scope is None or each.newest.utility in scope]
    known = workshop.sources(visit.means)
    names = {
        name for key in visit.utilities(Permission.CAMPAIGN_START) for name in known.files(key)
    }
    # Those that have a report of their own come first.
    chosen.sort(key=lambda each: not isinstance(each.newest.definition.trigger, OnReport))
    return visit.page(
        "campaign_choose.html", code=code, form=form, templates=chosen, reports=sorted(names)
    )


async def _source(visit: Visit, form: Form, template: Template) -> Source | None:
    """The report that is meant; the mistake stands beside its field."""
    trigger, utility = template.newest.definition.trigger, template.newest.utility
    own = trigger.report if isinstance(trigger, OnReport) else ""
    name = form.text("report", most=100) or own
    if not name:
        form.wrong("report", "campaigns.no_report")
        return None
    known = workshop.sources(visit.means)
    if name not in known.files(utility):
        form.wrong("report", "form.choice")
        return None
    try:
        found: Source = await visit.means.in_thread(known.named, utility, name)
    except SourceError as error:
        form.wrong("report", "templates.wrong.report", problem=error.problem)
        return None
    return found


def _begin_with(template: Template, source: Source) -> dict[str, object]:
    """What the template gives the report, else the report's own defaults."""
    trigger = template.newest.definition.trigger
    known: Mapping[str, object] = {}
    if isinstance(trigger, OnReport) and trigger.report == source.name:
        known = trigger.parameters
    return {f"p_{each.name}": known.get(each.name, each.default) for each in source.parameters} | {
        "template": template.id
    }


async def _planned(
    visit: Visit, form: Form, template: Template, source: Source, parameters: dict[str, object]
) -> Start | None:
    means = visit.means
    wish = Wish(source.name, parameters, means.now_ms())

    def plan() -> Start:
        found = planned(template, wish, workshop.sources(means))
        check_fits(means.minds, found)
        if form.raw("do") == "start":
            check_may_begin(template, wish.now)
        return found

    try:
        found: Start = await means.in_thread(plan)
    except (RunError, SourceError, BodyError) as error:
        form.wrong("report", "campaigns.not_begun", problem=str(error))
        return None
    return found


async def _comes_to(visit: Visit, form: Form, start: Start) -> Comes | None:
    means, version = visit.means, start.version
    # Nothing is stored: any ids will do.
    maker = Maker(IdMaker(0, means.now_ms), Wordings(means.minds))
    own = OnReport(start.source.report, start.source.parameters)
    shown = replace(version, definition=replace(version.definition, trigger=own))
    try:
        found: Rehearsal = await visit.read(
            "rehearse", starting.rehearse, start, maker, means.now_ms()
        )
        preview = await workshop.previewed(visit, shown, _EXAMPLES, counted=False)
    except (SourceError, LineGone) as error:
        form.wrong("report", "campaigns.not_begun", problem=str(error))
        return None
    share = found.rows / found.sampled if found.sampled else 0
    parts = round(found.made.parts * share)
    cost = round(parts * workshop.price_of(means, version.definition.line))
    return Comes(found, preview, round(found.made.messages * share), parts, cost)


def _page(  # noqa: PLR0913, PLR0917 - what the page is made of
    visit: Visit,
    form: Form,
    template: Template,
    source: Source,
    comes: Comes | None,
    code: int = 200,
) -> bytes:
    return visit.page(
        "campaign_start.html",
        code=code,
        form=form,
        template=template,
        source=source,
        comes=comes,
        may_begin=visit.may(Permission.CAMPAIGN_APPROVE, template.newest.utility),
    )
