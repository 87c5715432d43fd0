"""Campaigns: what there is, how far each is, stopped and gone on with, failures sent again."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.box_filters import OutboxFilter
from core.outbox import State
from core.resend import matching, pieces, resend
from core.runs.progress import Estimate, Progress, estimate, progress_of
from core.runs.starting import check_may_begin
from core.runs.states import Move, RunState, after
from core.runs.store import Run, RunError, RunFilter, list_runs, move
from core.scheduling import planned_next
from core.state_groups import Group, group_of
from core.templates import store
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.periods import period
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
PLANNED: Final = 10
AT_ONCE: Final = 10_000
"""Messages that one press of a button sends again: some seconds' work."""
FAILED: Final = frozenset({State.REJECTED, State.UNDELIVERABLE, State.EXPIRED})
_ROUTE: Final = "/campaigns/<int:run_id>"
_MOVES: Final = {
    "pause": (Move.PAUSE, Permission.CAMPAIGN_PAUSE),
    "resume": (Move.RESUME, Permission.CAMPAIGN_PAUSE),
    "cancel": (Move.CANCEL, Permission.CAMPAIGN_CANCEL),
}


class Shown(NamedTuple):
    """A campaign as its page shows it."""

    run: Run
    groups: dict[str, int]
    """Parts by what became of them, as people are told."""
    done: int
    """Parts that have left, or never will."""
    may: dict[str, bool]
    """What can be done to it now, whoever does it."""
    failed: int
    """Parts that are not tried again by themselves."""
    is_over: bool
    expected: Estimate | None


@routes.route("GET", "/campaigns", Permission.CAMPAIGN_SEE)
async def show(visit: Visit) -> bytes:
    """Those planned last first, and what is planned."""
    asked = visit.query
    utilities = visit.utilities(Permission.CAMPAIGN_SEE)
    scope = visit.scope(Permission.CAMPAIGN_SEE)
    since, until = period(asked)
    wanted = RunFilter(
        utility=asked.choice("utility", utilities, required=False) or None,
        template=asked.text("template", most=60) or None,
        state=asked.choice("state", [each.value for each in RunState], required=False) or None,
        utilities=scope,
        before=asked.row_id("before"),
        since=since,
        until=until,
        limit=LIMIT,
    )
    found = await visit.read("campaigns", list_runs, wanted) if asked.is_right else []
    planned = await visit.read("planned", planned_next, visit.means.now_ms())
    return visit.page(
        "campaigns.html",
        code=200 if asked.is_right else 422,
        form=asked,
        planned=[each for each in planned if scope is None or each.utility in scope][:PLANNED],
        utilities=utilities,
        states=[each.value for each in RunState],
        **paged(found),
    )


@routes.route("GET", _ROUTE, Permission.CAMPAIGN_SEE)
async def show_one(visit: Visit, run_id: int) -> bytes:
    """How far one is."""
    found = await _shown(visit, run_id)
    return visit.page("campaign.html", shown=found, counted=None)


@routes.route("GET", f"{_ROUTE}/progress", Permission.CAMPAIGN_SEE)
async def show_progress(visit: Visit, run_id: int) -> bytes:
    """The part of its page that changes, for its script."""
    return visit.page("campaign_progress.html", shown=await _shown(visit, run_id))


@routes.route("POST", f"{_ROUTE}/<any(pause,resume):act>", Permission.CAMPAIGN_PAUSE)
async def pause(visit: Visit, run_id: int, act: str) -> bytes:
    """Make and send no more of it, or go on."""
    return await _moved(visit, run_id, act)


@routes.route("POST", f"{_ROUTE}/<any(cancel):act>", Permission.CAMPAIGN_CANCEL)
async def cancel(visit: Visit, run_id: int, act: str) -> bytes:
    """Give up on it, and on what has not left."""
    return await _moved(visit, run_id, act)


@routes.route("POST", f"{_ROUTE}/approve", Permission.CAMPAIGN_APPROVE)
async def approve(visit: Visit, run_id: int) -> bytes:
    """Let one begin that somebody else asked for."""
    run = (await _progress(visit, run_id, Permission.CAMPAIGN_APPROVE)).run
    if run.asked_by == visit.user.name:
        raise Refusal(409, "campaigns.own")
    template = await visit.read("template", store.of_id, run.template_id)
    now = visit.means.now_ms()
    try:
        check_may_begin(template, now)
    except RunError as error:
        raise Refusal(409, "campaigns.not_begun", problem=str(error)) from None
    await _move(visit, run, Move.APPROVE)
    return visit.go(f"/campaigns/{run_id}", "campaigns.approved")


@routes.route("POST", f"{_ROUTE}/resend", Permission.OUTBOX_RESEND)
async def send_again(visit: Visit, run_id: int) -> bytes:
    """Count its failures; once somebody has seen how many they are, queue them again."""
    run = (await _progress(visit, run_id, Permission.OUTBOX_RESEND)).run
    form = visit.form
    states = FAILED | {State.UNCERTAIN} if form.tick("uncertain") else FAILED
    wanted = OutboxFilter(run=run_id, limit=None)
    ids: list[int] = await visit.read("campaign_failures", matching, wanted, states)
    if form.raw("do") != "resend" or not ids:
        shown = await _shown(visit, run_id)
        return visit.page("campaign.html", shown=shown, counted=len(ids), form=form)
    chosen = ids[:AT_ONCE]
    await visit.audit(_entry("campaign.resend", run, messages=len(chosen)))
    done = 0
    for piece in pieces(chosen):
        acted = await visit.means.transact("desk.resend", resend, piece, visit.means.now_ms())
        done += len(acted.done)
    visit.means.on_queued()
    left = len(ids) - len(chosen)
    key = "campaigns.resent_some" if left else "campaigns.resent"
    return visit.go(f"/campaigns/{run_id}", key, count=done, left=left)


# --- help ---------------------------------------------------------------------------------


async def _progress(visit: Visit, run_id: int, permission: Permission) -> Progress:
    found: Progress | None = await visit.read("campaign", progress_of, run_id, visit.means.now_ms())
    if found is None:
        raise NotFound
    visit.check(permission, found.run.utility)
    return found


async def _shown(visit: Visit, run_id: int) -> Shown:
    found = await _progress(visit, run_id, Permission.CAMPAIGN_SEE)
    run = found.run
    groups = dict.fromkeys((each.value for each in Group), 0)
    for state, count in found.parts.items():
        groups[group_of(state).value] += count
    is_produced = run.produced_at is not None
    may = {
        name: after(run.state, wish, is_produced=is_produced) is not None
        for name, (wish, _) in _MOVES.items()
    }
    begun = Progress(run.created_at, run._replace(rows_read=0, parts=0), {})
    failed = sum(found.parts.get(state.value, 0) for state in (*FAILED, State.UNCERTAIN))
    return Shown(
        run,
        {name: count for name, count in groups.items() if count},
        max(0, run.parts - found.to_go),
        may,
        failed,
        found.is_over and not found.to_go,  # failures may have been queued again
        estimate(begun, found) if found.is_moving else None,
    )


async def _moved(visit: Visit, run_id: int, act: str) -> bytes:
    wish, permission = _MOVES[act]
    run = (await _progress(visit, run_id, permission)).run
    await _move(visit, run, wish)
    return visit.go(f"/campaigns/{run_id}", f"campaigns.moved.{act}")


async def _move(visit: Visit, run: Run, wish: Move) -> None:
    about = _entry(f"campaign.{wish.value}", run)
    try:
        await visit.change(about, move, run.id, wish, visit.means.now_ms())
    except RunError:
        state = visit.say(f"campaigns.state_is.{run.state.value}")
        raise Refusal(409, "campaigns.not_moved", state=state) from None
    visit.means.on_queued()


def _entry(action: str, run: Run, **details: Any) -> Entry:
    return Entry(action, f"campaign:{run.id}", run.utility, {"template": run.template, **details})
