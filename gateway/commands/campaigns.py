"""``peyk campaign``: start messages in bulk, watch them, stop them."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import click

from core.database import Database
from core.ids import IdMaker, ids_for_command
from core.jalali import interval_ms
from core.making import Maker
from core.reporting.known import unknown_values
from core.runs import starting
from core.runs.progress import Estimate, Progress, estimate, progress_of
from core.runs.starting import Wish, check_may_begin, planned
from core.runs.states import Move, RunState
from core.runs.store import RunFilter, list_runs, move
from core.scheduling import planned_next
from core.services import CAMPAIGNS, find_paused
from core.templates.store import Template, TemplateFilter, list_templates
from core.text import nearest_hint
from gateway.commands.campaign_views import (
    Watching,
    print_begun,
    print_planned,
    print_progress,
    print_rehearsal,
    print_reports,
    print_runs,
)
from gateway.commands.clicking import ID, Group, as_json, days, limit, misuse, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.parameters import PARAMETERS, parameters_of
from gateway.commands.utilities import check_served, profiles
from gateway.commands.waking import wake
from gateway.minds import LineMind, load_profiles, minds_of
from gateway.report_files import sources_of
from gateway.templates.fitting import check_fits
from gateway.templates.wordings import Wordings

SAMPLE_SECONDS = 1.0
"""Between two looks, from which speed and end are told."""
_WORDS = {
    Move.APPROVE: "begins",
    Move.PAUSE: "is being paused: nothing more of it is made or sent",
    Move.RESUME: "goes on",
    Move.CANCEL: "is being cancelled: what has not left stays here",
}


@click.group(cls=Group, epilog="peyk campaign start bills --param period=1404/03 --dry-run")
def campaign() -> None:
    """Messages in bulk: start, watch, pause, cancel. docs/campaigns.md explains them."""


@campaign.command("list", epilog="peyk campaign list --open")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--template", metavar="NAME", help="Only those of this template.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in RunState]),
    metavar="STATE",
    help=f"Only in this state: {', '.join(RunState)}.",
)
@click.option("--open", "is_open", is_flag=True, help="Only those that have not ended.")
@days
@limit(50)
@as_json
@pass_context
def campaign_list(
    context: Context, /, *, since: str | None, until: str | None, as_json: bool, **which: Any
) -> None:
    """List campaigns, those planned last first."""
    with misuse():
        start, end = interval_ms(since, until)
    wanted = RunFilter(since=start, until=end, **which)
    with context.database() as database:
        print_runs(database.read("cli.campaigns", list_runs, wanted), as_json=as_json)


@campaign.command("show", epilog="peyk campaign show 227794327961600000 --watch")
@click.argument("run_id", metavar="ID", type=ID)
@click.option("--watch", is_flag=True, help="Go on showing it until it is over.")
@as_json
@pass_context
def campaign_show(context: Context, run_id: int, *, watch: bool, as_json: bool) -> None:
    """Show how far a campaign is, and when it is likely to end."""
    with context.database() as database:
        if watch:
            _watch(database, run_id)
        found, expected = _looked_at(database, run_id)
        paused = database.read("cli.paused", find_paused, CAMPAIGNS)
    print_progress(found, expected, paused, as_json=as_json)


@campaign.command("start", epilog="peyk campaign start bills --param period=1404/03 --dry-run")
@click.argument("template", metavar="TEMPLATE")
@click.option("--utility", metavar="NAME", help="Whose template it is, where several have it.")
@click.option("--report", metavar="NAME", help="Over another report than the template's own.")
@PARAMETERS
@click.option("--dry-run", is_flag=True, help="Only say what it would come to.")
@click.option("--again", is_flag=True, help="Although the same was begun within a day.")
@click.option("--watch", is_flag=True, help="Show it until it is over.")
@as_json
@pass_context
def campaign_start(  # noqa: PLR0913 - each is an option
    context: Context,
    /,
    *,
    template: str,
    utility: str | None,
    report: str | None,
    parameters: Sequence[str],
    dry_run: bool,
    again: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Make a template's message for every row of its report, once."""
    with misuse():
        wish = Wish(report, parameters_of(parameters), now_ms())
    with context.database() as database:
        chosen = _template(database, template, utility)
        reports = sources_of(context.settings, profiles(context).values())
        start = planned(chosen, wish, reports)
        minds = _minds(context)
        check_fits(minds, start)
        unknown = database.read("cli.known", unknown_values, start.question, start.version.utility)
        for each in unknown:
            click.echo(f"peyk: {each}", err=True)
        if dry_run:
            found = database.read("cli.rehearse", starting.rehearse, start, _maker(minds), wish.now)
            print_rehearsal(start, found, as_json=as_json)
            return
        check_may_begin(chosen, wish.now)
        run_id = ids_for_command(now_ms).one()
        begin = partial(starting.start, again=again)
        database.transact("cli.start", begin, start, run_id, getpass.getuser(), wish.now)
        wake(context)
        print_begun(run_id, as_json=as_json)
        if watch:
            _watch(database, run_id)


@campaign.command("reports", epilog="peyk campaign reports --utility kerman-water")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@as_json
@pass_context
def campaign_reports(context: Context, *, utility: str | None, as_json: bool) -> None:
    """List the reports that messages can be made of, each checked against the database."""
    known = profiles(context)
    if utility is not None:
        check_served(utility, known)
    reports = sources_of(context.settings, known.values())
    chosen = [utility] if utility else sorted(known)
    with context.database() as database:
        print_reports(database, {name: reports.files(name) for name in chosen}, as_json=as_json)


@campaign.command("planned", epilog="peyk campaign planned --utility kerman-water")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@limit(50)
@as_json
@pass_context
def campaign_planned(context: Context, *, utility: str | None, limit: int, as_json: bool) -> None:
    """List what will be sent by itself, the next first: schedules and outages."""
    now = now_ms()
    with context.database() as database:
        found = database.read("cli.planned", planned_next, now)
    chosen = [each for each in found if utility in {None, each.utility}]
    print_planned(chosen[:limit], now, as_json=as_json)


def _declare(wish: Move, help_text: str) -> None:
    @campaign.command(
        wish.value, help=help_text, epilog=f"peyk campaign {wish.value} 227794327961600000"
    )
    @click.argument("run_id", metavar="ID", type=ID)
    @pass_context
    def command(context: Context, run_id: int) -> None:
        with context.database() as database:
            database.transact(f"cli.{wish.value}", move, run_id, wish, now_ms())
        wake(context)
        click.echo(f"campaign {run_id} {_WORDS[wish]}")


_declare(Move.APPROVE, "Let a campaign begin that somebody asked for at the desk.")
_declare(Move.PAUSE, "Make and send no more of a campaign, until it is resumed.")
_declare(Move.RESUME, "Let a campaign go on that was paused, or that failed.")
_declare(Move.CANCEL, "Give up on a campaign, and on what has not left of it.")


def _template(database: Database, name: str, utility: str | None) -> Template:
    known = database.read("cli.templates", list_templates, TemplateFilter(utility=utility))
    found = [each for each in known if each.newest.name == name]
    if not found:
        hint = nearest_hint(name, (each.newest.name for each in known))
        hint = hint or "`peyk template add` makes one"
        raise CommandError(f"there is no template {name!r}; {hint}")
    if len(found) > 1:
        whose = ", ".join(each.newest.utility for each in found)
        raise CommandError(f"several utilities have {name!r}: say which with --utility: {whose}")
    return found[0]


def _maker(minds: Mapping[str, LineMind]) -> Maker:
    # Of a rehearsal nothing is stored: any ids will do.
    return Maker(IdMaker(0, now_ms), Wordings(minds))


def _minds(context: Context) -> dict[str, LineMind]:
    return minds_of(context.settings, load_profiles(context.config, context.settings))


def _looked_at(database: Database, run_id: int) -> tuple[Progress, Estimate | None]:
    """How a campaign stands, and where it is moving: how fast."""
    first = _progress(database, run_id)
    if not first.is_moving:
        return first, None
    time.sleep(SAMPLE_SECONDS)
    second = _progress(database, run_id)
    return second, estimate(first, second)


def _progress(database: Database, run_id: int) -> Progress:
    found = database.read("cli.progress", progress_of, run_id, now_ms())
    if found is None:
        raise CommandError(f"there is no campaign {run_id}; `peyk campaign list` shows the ids")
    return found


def _watch(database: Database, run_id: int) -> None:
    before = _progress(database, run_id)
    with Watching() as watching:
        while not before.is_over:
            time.sleep(SAMPLE_SECONDS)
            now = _progress(database, run_id)
            watching.show(now, estimate(before, now))
            before = now
