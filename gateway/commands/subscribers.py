"""``peyk subscriber``: what is held of one, handed over or erased."""

from __future__ import annotations

import sys
from typing import Any

import click

from core.access.audit import Entry
from core.personal import Held, PersonalError, erase, exported, held_of, obstacles
from core.text import ascii_digits, harmless
from gateway.commands.auditing import write_down
from gateway.commands.clicking import Group, as_json, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import (
    for_people,
    print_facts,
    print_json,
    print_table,
)
from gateway.commands.utilities import profile_of

_UTILITY = click.option("--utility", metavar="NAME", help="Where lines serve several.")
_NUMBER = click.argument("number", metavar="NUMBER")
_STAYS = frozenset(
    {
        "bills",
        "corrections",
        "instalments",
        "orders",
        "payments",
        "readings",
        "request_history",
        "requests",
        "suppressions",
    }
)
"""Tables whose rows stay, without a person."""


@click.group(cls=Group, epilog="peyk subscriber export 10000001 --json")
def subscriber() -> None:
    """All that is held of one subscriber: hand it over, or erase it."""


@subscriber.command("export", epilog="peyk subscriber export 10000001 --json > 10000001.json")
@_NUMBER
@_UTILITY
@as_json
@pass_context
def subscriber_export(context: Context, number: str, *, utility: str | None, as_json: bool) -> None:
    """Print all that is held of a subscriber, its messages in full; written into the audit log."""
    place = profile_of(context, utility).utility
    with context.database() as database:
        held = database.read("cli.personal", held_of, place, ascii_digits(number))
        database.transact("cli.audit", _write_down, "subscriber.export", place, held)
    told = exported(held)
    if as_json:
        print_json(told)
    else:
        _print(told)


@subscriber.command("erase", epilog="peyk subscriber erase 10000001 --dry-run")
@_NUMBER
@_UTILITY
@click.option("--dry-run", is_flag=True, help="Only say what would be erased, and what stays.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def subscriber_erase(
    context: Context, number: str, *, utility: str | None, dry_run: bool, yes: bool
) -> None:
    """Erase a person: name, address, code, mobiles, messages. What the books need stays.

    Bills, payments, readings and requests keep their figures and lose whose they were. Who
    wants no messages stays known, so that nobody texts them again. A file that the utility
    imports later brings back whatever stands in it.
    """
    place = profile_of(context, utility).utility
    with context.database() as database:
        held = database.read("cli.personal", held_of, place, ascii_digits(number))
        _print_what(held)
        if found := obstacles(held):
            raise PersonalError("it cannot be erased now: " + "; ".join(found))
        if dry_run:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise CommandError("nothing was erased; say --yes to do it")
            click.confirm("This cannot be taken back. Erase?", abort=True, err=True)
        database.transact("cli.erase", _erase, place, held)
    click.echo(f"{number} is erased")


def _erase(connection: Any, place: str, held: Held) -> None:
    erase(connection, held, now_ms())
    _write_down(connection, "subscriber.erase", place, held)


def _write_down(connection: Any, action: str, place: str, held: Held) -> None:
    write_down(connection, Entry(action, f"subscriber:{held.subscriber['id']}", place, held.counts))


def _print_what(held: Held) -> None:
    rows = [
        (name, f"{count:,}", "stays, without a person" if name in _STAYS else "erased")
        for name, count in held.counts.items()
    ]
    print_table(("what", "rows", "becomes"), rows)
    if held.shared:
        click.echo(
            f"{len(held.shared)} mobile(s) are registered to other subscriptions too: what they "
            "did without naming this one stays",
            err=True,
        )


def _print(told: dict[str, Any]) -> None:
    for name, rows in told.items():
        if isinstance(rows, dict):
            click.echo(f"## {name}\n")
            print_facts(rows.items())
        elif rows and isinstance(rows[0], str):
            click.echo(f"\n## {name}\n\n" + "\n".join(rows))
        elif rows:
            click.echo(f"\n## {name} ({len(rows)})")
            for row in rows:
                click.echo()
                print_facts([(key, _shown(key, value)) for key, value in row.items()])


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_at"):
        return for_people(value)
    return harmless(value) if isinstance(value, str) else value
