"""``peyk outage``: planned interruptions of the supply, told to a region beforehand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from core import outages
from core.jalali import DateError, milliseconds, parse_instant
from core.outages import EVERYWHERE, NewOutage, Outage, OutageFilter
from core.outages.notices import enter
from core.planning import Planned
from gateway.commands.clicking import ID, Group, as_json, by, limit, misuse, pass_context
from gateway.commands.context import Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import profile_of
from gateway.commands.waking import wake


@click.group(cls=Group, epilog="peyk outage list")
def outage() -> None:
    """Planned interruptions of the supply: enter, list, cancel. Templates tell of them."""


@outage.command(
    "add",
    epilog="peyk outage add --region خرم‌آباد --from '1405/07/03 09:00' --to '1405/07/03 14:00' "
    "--reason 'تعمیر شبکه'",
)
@click.option("--utility", metavar="NAME", help="Where lines serve several.")
@click.option("--region", metavar="NAME", help="The region of the subscribers that it concerns.")
@click.option("--everywhere", is_flag=True, help="It concerns all subscribers of the utility.")
@click.option(
    "--from", "begins", metavar="WHEN", required=True, help="When it begins: '1405/07/03 09:00'."
)
@click.option("--to", "ends", metavar="WHEN", help="When it ends, if that is known.")
@click.option("--reason", default="", metavar="TEXT", help="Why, as subscribers are told.")
@by
@as_json
@pass_context
def outage_add(  # noqa: PLR0913 - each is an option
    context: Context,
    /,
    *,
    utility: str | None,
    region: str | None,
    everywhere: bool,
    begins: str,
    ends: str | None,
    reason: str,
    by: str,
    as_json: bool,
) -> None:
    """Enter an outage; it is told of as the templates for outages say, or at once if it is late."""
    if everywhere == bool(region and region.strip()):
        raise click.UsageError("say --region NAME, or --everywhere")
    profile = profile_of(context, utility)
    with misuse():
        begins_at = _instant("--from", begins)
        ends_at = _instant("--to", ends) if ends else None
    new = NewOutage(profile.utility, region or EVERYWHERE, begins_at, ends_at, reason, by, now_ms())
    with context.database() as database:
        found, concerned, planned = database.transact("cli.outage", enter, new)
    wake(context)
    if as_json:
        record = _as_json(found)
        print_json({**record, "subscriptions": concerned, "told": [_told(one) for one in planned]})
        return
    click.echo(f"outage {found.id} is entered; it concerns {concerned:,} subscriptions")
    for one in planned:
        when = "now" if one.at <= new.now else f"at {for_people(one.at)}"
        click.echo(f"the template {one.template} tells of it {when}")
    if not planned:
        click.echo(
            "nobody is told of it: no template that is enabled is made of outages; "
            "`peyk template list` shows them, `peyk template enable` lets one be sent",
            err=True,
        )


@outage.command("list", epilog="peyk outage list --region خرم‌آباد")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--region", metavar="NAME", help="Only those of this region, as it was entered.")
@click.option("--all", "with_past", is_flag=True, help="Also those that are over.")
@limit(50)
@as_json
@pass_context
def outage_list(context: Context, /, *, with_past: bool, as_json: bool, **which: Any) -> None:
    """List outages that are not over, those that begin first first."""
    wanted = OutageFilter(over_after=None if with_past else now_ms(), **which)
    with context.database() as database:
        found = database.read("cli.outages", outages.list_outages, wanted)
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    columns = ("id", "utility", "region", "from", "to", "reason", "state", "entered by")
    print_table(columns, (_row(one) for one in found), texts=("reason", "region"))
    if not found:
        click.echo("no such outages", err=True)


@outage.command("cancel", epilog="peyk outage cancel 7")
@click.argument("outage_id", metavar="ID", type=ID)
@pass_context
def outage_cancel(context: Context, outage_id: int) -> None:
    """Cancel an outage: nobody is told of it any more.

    Where somebody has been, the templates for cancelled outages tell the region so.
    """
    with context.database() as database:
        database.transact("cli.outage", outages.cancel, outage_id, now_ms())
    wake(context)
    click.echo(f"outage {outage_id} is cancelled")


def _instant(option: str, text: str) -> int:
    try:
        found: datetime = parse_instant(text)
    except DateError as error:
        raise ValueError(f"{option}: {error}") from None
    return milliseconds(found)


def _row(one: Outage) -> tuple[object, ...]:
    region = one.region or "everywhere"
    times = (for_people(one.begins_at), for_people(one.ends_at))
    return (one.id, one.utility, region, *times, one.reason, _state(one), one.created_by)


def _state(one: Outage) -> str:
    if one.cancelled_at is not None:
        return "cancelled"
    now = now_ms()
    return "over" if one.over_at <= now else "now" if one.begins_at <= now else "planned"


def _as_json(one: Outage) -> dict[str, Any]:
    times = ("begins_at", "ends_at", "created_at", "cancelled_at")
    record = one._asdict()
    return {**record, **{name: for_programs(record[name]) for name in times}, "state": _state(one)}


def _told(planned: Planned) -> dict[str, Any]:
    return {"template": planned.template, "at": for_programs(planned.at)}
