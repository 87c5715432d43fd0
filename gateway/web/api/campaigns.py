"""Campaigns: a template over the rows of a report; begun, followed, stopped and gone on with."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.access.permissions import Permission
from core.jalali import instant_of
from core.reporting.types import SourceError
from core.runs import starting
from core.runs.progress import progress_of
from core.runs.starting import BegunBefore, Start, Wish, check_may_begin, planned
from core.runs.states import Move, RunState
from core.runs.store import Run, RunError, RunFilter, list_runs, move
from core.runs.store import show as find_run
from core.state_groups import Group, group_of
from core.templates.store import TemplateError, named
from gateway.report_files import sources_of
from gateway.templates.fitting import check_fits
from gateway.web.api.call import Call
from gateway.web.api.cursors import cut, place
from gateway.web.api.models import At, Id, Model, Nothing, Page, Paging
from gateway.web.api.problems import Problem, invalid, not_found
from gateway.web.api.routes import Routes

routes = Routes("campaigns", "Campaigns")


class Begin(Model):
    """A campaign that is wanted."""

    utility: str | None = Field(
        default=None, max_length=60, description="Where the token is for several."
    )
    template: str = Field(min_length=1, max_length=60)
    report: str | None = Field(
        default=None, max_length=100, description="Instead of the template's own."
    )
    parameters: dict[str, str | int | bool] = Field(
        default_factory=dict, max_length=50, description="Of the report."
    )
    again: bool = Field(
        default=False,
        description="Although the same was begun within a day: everybody gets its message twice.",
    )


class Campaign(Model):
    """A campaign and how far it is."""

    id: Id
    utility: str
    template: str
    report: str
    state: RunState
    asked_by: str
    created_at: At
    planned_for: At
    ended_at: At | None
    rows_expected: int | None = Field(description="Null: not counted yet.")
    rows_read: int
    messages: int = Field(description="That were made of these rows …")
    parts: int = Field(description="… and the parts that they have together.")
    suppressed: int = Field(description="Receivers who want none.")
    passed_over: int = Field(description="Rows that nobody can be told of.")
    unwritten: int = Field(description="Rows that the words could not be filled with.")
    error: str | None


class Progress(Campaign):
    """The same with what became of its parts."""

    outcomes: dict[Group, int] = Field(description="Parts by what became of them.")


class Search(Paging):
    """Which campaigns."""

    template: str | None = Field(default=None, max_length=60)
    state: RunState | None = None


@routes.route(
    "POST",
    "/campaigns",
    Permission.CAMPAIGN_START,
    summary="Begin a campaign, or ask for one",
    body=Begin,
    answers=Campaign,
    status=201,
    action="campaign.start",
    problems=("conflict",),
    example={
        "utility": "kerman-water",
        "template": "overdue",
        "report": "bills_overdue",
        "parameters": {"days": 30},
    },
)
def begin(call: Call[Nothing, Begin], connection: Any) -> Campaign:
    """With `campaign.approve` it begins; without, it waits (`asked`) until somebody approves it."""
    asked = call.body
    utility = call.utility(asked.utility)
    start = _planned(call, connection, utility)
    run_id = call.means.ids.one()
    approved = call.may(Permission.CAMPAIGN_APPROVE, utility)
    try:
        starting.start(
            connection,
            start,
            run_id,
            call.actor.who,
            call.now,
            approved=approved,
            again=asked.again,
        )
    except BegunBefore as error:
        raise Problem(
            "conflict",
            f"the same campaign was begun before ({error.run_id}); `again` begins it once more",
            f"همین ارسال پیش‌تر آغاز شده است ({error.run_id})؛ برای ارسال دوباره again را بفرستید",
        ) from None
    except RunError as error:
        raise Problem("conflict", str(error), "همین الگو همین حالا آغاز شد") from None
    call.note(f"campaign:{run_id}", utility, template=asked.template, begun=approved)
    call.after(call.means.on_queued)
    return Campaign(**_about(_found(call, connection, run_id)))


@routes.route(
    "GET",
    "/campaigns",
    Permission.CAMPAIGN_SEE,
    summary="List campaigns, those planned last first",
    query=Search,
    answers=Page[Campaign],
    example={"state": "sending"},
)
def listed(call: Call[Search, None], connection: Any) -> Page[Campaign]:
    """Those that schedules began too."""
    asked = call.query
    wanted = RunFilter(
        template=asked.template,
        state=asked.state.value if asked.state else None,
        utilities=call.scope,
        before=place("campaigns", asked.cursor),
        limit=asked.limit + 1,
    )
    found = list_runs(connection, wanted)
    shown, following = cut("campaigns", found, asked.limit)
    return Page(items=[Campaign(**_about(each)) for each in shown], next=following)


@routes.route(
    "GET",
    "/campaigns/<id:campaign>",
    Permission.CAMPAIGN_SEE,
    summary="Show how far a campaign is",
    answers=Progress,
)
def show(call: Call[Nothing, None], connection: Any, campaign: int) -> Progress:
    """Counts of parts come from an index: they may be asked for every few seconds."""
    _found(call, connection, campaign)
    found = progress_of(connection, campaign, call.now)
    if found is None:
        raise not_found()
    outcomes: dict[Group, int] = {}
    for state, count in found.parts.items():
        group = group_of(state)
        outcomes[group] = outcomes.get(group, 0) + count
    return Progress(**_about(found.run), outcomes=outcomes)


@routes.route(
    "POST",
    "/campaigns/<id:campaign>/pause",
    Permission.CAMPAIGN_PAUSE,
    summary="Make and send no more of it for now",
    answers=Campaign,
    action="campaign.pause",
    problems=("conflict",),
)
def pause(call: Call[Nothing, None], connection: Any, campaign: int) -> Campaign:
    """What is queued is held."""
    return _moved(call, connection, campaign, Move.PAUSE)


@routes.route(
    "POST",
    "/campaigns/<id:campaign>/resume",
    Permission.CAMPAIGN_PAUSE,
    summary="Go on with it",
    answers=Campaign,
    action="campaign.resume",
    problems=("conflict",),
)
def resume(call: Call[Nothing, None], connection: Any, campaign: int) -> Campaign:
    """Where it was stopped, or has failed."""
    return _moved(call, connection, campaign, Move.RESUME)


@routes.route(
    "POST",
    "/campaigns/<id:campaign>/cancel",
    Permission.CAMPAIGN_CANCEL,
    summary="Give up on it, and on what has not left",
    answers=Campaign,
    action="campaign.cancel",
    problems=("conflict",),
)
def cancel(call: Call[Nothing, None], connection: Any, campaign: int) -> Campaign:
    """What has left has left."""
    return _moved(call, connection, campaign, Move.CANCEL)


# --- help ---------------------------------------------------------------------------------


def _planned(call: Call[Any, Begin], connection: Any, utility: str) -> Start:
    """What the wish comes to. Raises ``Problem``."""
    asked, means = call.body, call.means
    try:
        template = named(connection, utility, asked.template)
    except TemplateError as error:
        raise invalid("/template", str(error), "چنین الگویی نیست") from None
    sources = sources_of(means.settings, means.profiles.values())
    wish = Wish(asked.report, asked.parameters, call.now)
    try:
        start = planned(template, wish, sources)
        check_fits(means.minds, start)
    except (RunError, SourceError) as error:
        fa = "این گزارش یا پارامترهایش با الگو جور نیست"
        raise invalid("/report", str(error), fa) from None
    try:
        check_may_begin(template, call.now)
    except RunError as error:
        raise Problem("conflict", str(error), "این الگو اکنون فعال نیست") from None
    return start


def _found(call: Call[Any, Any], connection: Any, run_id: int) -> Run:
    run = find_run(connection, run_id)
    if run is None:
        raise not_found()
    call.check(run.utility)
    return run


def _moved(call: Call[Any, Any], connection: Any, run_id: int, wish: Move) -> Campaign:
    run = _found(call, connection, run_id)
    try:
        moved = move(connection, run_id, wish, call.now)
    except RunError as error:
        raise Problem("conflict", str(error), "در این حالت شدنی نیست") from None
    call.note(f"campaign:{run_id}", run.utility, template=run.template)
    call.after(call.means.on_queued)
    return Campaign(**_about(moved))


def _about(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "utility": run.utility,
        "template": run.template,
        "report": run.source.report,
        "state": run.state,
        "asked_by": run.asked_by,
        "created_at": instant_of(run.created_at),
        "planned_for": instant_of(run.planned_for),
        "ended_at": None if run.ended_at is None else instant_of(run.ended_at),
        "rows_expected": run.rows_expected,
        "rows_read": run.rows_read,
        "messages": run.made,
        "parts": run.parts,
        "suppressed": run.suppressed,
        "passed_over": run.passed_over,
        "unwritten": run.unwritten,
        "error": run.error,
    }
