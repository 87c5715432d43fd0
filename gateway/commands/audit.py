"""``peyk audit``: who changed what, and who looked at whose data."""

from __future__ import annotations

import json

import click

from core.access.audit import Audited, AuditFilter, list_audit
from core.jalali import interval_ms
from gateway.commands.clicking import Group, as_json, days, limit, misuse, pass_context
from gateway.commands.context import Context
from gateway.commands.output import for_people, for_programs, print_json, print_table


@click.group(cls=Group, epilog="peyk audit list --form subscriber --from 1405/06/01")
def audit() -> None:
    """The audit log of the desk, the API and commands; nothing in it can be changed."""


@audit.command("list", epilog="peyk audit list --who m.karimi --limit 200 --json")
@click.option("--who", metavar="NAME", help="A user, command:NAME or token:NAME.")
@click.option("--form", metavar="NAME", help="Every action of a form, such as template.")
@click.option("--action", metavar="NAME", help="One action, such as template.edit.")
@click.option("--object", "object_", metavar="NAME", help="What it was done to: user:m.karimi.")
@click.option("--utility", metavar="NAME", help="Only about this utility's data.")
@days
@limit(50)
@as_json
@pass_context
def audit_list(  # noqa: PLR0913 - what can be asked for
    context: Context,
    /,
    *,
    who: str | None,
    form: str | None,
    action: str | None,
    object_: str | None,
    utility: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what was done, the newest first."""
    with misuse():
        first, last = interval_ms(since, until)
    wanted = AuditFilter(
        who=who,
        form=form,
        action=action,
        object=object_,
        utilities=None if utility is None else [utility],
        since=first,
        until=last,
        limit=limit,
    )
    with context.database() as database:
        rows = database.read("cli.audit", list_audit, wanted)
    if as_json:
        print_json([{**row._asdict(), "at": for_programs(row.at)} for row in rows])
        return
    columns = ("at", "who", "address", "action", "object", "utility", "details")
    print_table(columns, (_row(row) for row in rows), texts=("details",))
    if not rows:
        click.echo("nothing", err=True)


def _row(row: Audited) -> tuple[object, ...]:
    details = json.dumps(row.details, ensure_ascii=False) if row.details else None
    return (
        for_people(row.at),
        row.who,
        row.address or None,
        row.action,
        row.object or None,
        row.utility or None,
        details,
    )
