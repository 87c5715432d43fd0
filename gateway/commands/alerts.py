"""``peyk alert``: what the administrator was told of, and whether telling works."""

from __future__ import annotations

from typing import Any

import click

from core.alerts import Alert, AlertFilter, list_alerts
from core.jalali import interval_ms
from gateway import control
from gateway.commands.clicking import Group, as_json, days, limit, misuse, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.health import in_words


@click.group(cls=Group, epilog="peyk alert list --open")
def alert() -> None:
    """Alerts to the administrator: list them, test the ways. docs/operating.md explains them."""


@alert.command("list", epilog="peyk alert list --trouble bind_down --from 1405/06/01")
@click.option("--open", "is_open", is_flag=True, help="Only those that are not over.")
@click.option("--trouble", metavar="NAME", help="Only these, such as bind_down or bind_down:main.")
@days
@limit(50)
@as_json
@pass_context
def alert_list(  # noqa: PLR0913 - each is an option
    context: Context,
    /,
    *,
    since: str | None,
    until: str | None,
    is_open: bool,
    trouble: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List alerts, the newest first."""
    with misuse():
        start, end = interval_ms(since, until)
    wanted = AlertFilter(is_open=is_open, trouble=trouble, since=start, until=end, limit=limit)
    with context.database() as database:
        found = database.read("cli.alerts", list_alerts, wanted)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    columns = ("trouble", "since", "lasted", "told", "what")
    print_table(columns, (_row(each) for each in found), texts=("what",))
    if not found:
        click.echo("none", err=True)


@alert.command("test", epilog="peyk alert test")
@pass_context
def alert_test(context: Context) -> None:
    """Send a test by SMS, e-mail and webhook, as far as they are set."""
    ways = control.call(context.settings.daemon.control, "test_alerts")["ways"]
    if not ways:
        raise CommandError("nobody would be told: [alerts] sets no mobiles, email or webhook")
    click.echo(f"a test is on its way by {', '.join(ways)}; the log says what became of it")


def _row(each: Alert) -> tuple[object, ...]:
    ended = each.ended_at if each.ended_at is not None else now_ms()
    lasted = in_words(max(0, ended - each.since) / 1000)
    return (
        each.trouble,
        for_people(each.since),
        lasted if each.ended_at is not None else f"{lasted}, open",
        for_people(each.told_at) if each.told_at else None,
        each.english,
    )


def _as_json(each: Alert) -> dict[str, Any]:
    instants = ("since", "told_at", "ended_at", "end_told_at")
    return {
        name: for_programs(value) if name in instants else value
        for name, value in each._asdict().items()
    }
