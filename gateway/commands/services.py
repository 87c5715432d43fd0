"""``peyk service``: what runs, and pausing it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from core import services as stored
from core.jalali import milliseconds
from core.services import Paused
from core.text import nearest_hint
from gateway import control
from gateway.commands.clicking import Group, as_json, by, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.control import DaemonNotRunning
from gateway.service_list import service_names, without_daemon

_NAMES = click.argument("names", metavar="SERVICE...", nargs=-1, required=True)


@click.group(cls=Group, epilog="peyk service pause bind:main --note 'work on the line'")
def service() -> None:
    """Binds, USSD doors, panels, the scheduler, campaigns, imports: list, pause, resume.

    A pause holds for every daemon of the database and survives restarts. docs/operating.md
    says what each stops.
    """


@service.command("list", epilog="peyk service list --json")
@as_json
@pass_context
def service_list(context: Context, *, as_json: bool) -> None:
    """List the services: running, paused by whom and since when, or down."""
    found = _listed(context)
    if as_json:
        print_json(found)
        return
    columns = ("service", "state", "since", "paused by", "detail")
    print_table(columns, (_row(each) for each in found), texts=("detail",))


@service.command("pause", epilog="peyk service pause campaigns --note 'the tariff is wrong'")
@_NAMES
@click.option("--note", default="", metavar="TEXT", help="Why, for those who see it paused.")
@by
@pass_context
def service_pause(context: Context, names: tuple[str, ...], *, note: str, by: str) -> None:
    """Pause services until they are resumed."""
    known = service_names(context.settings)
    for name in names:
        if name not in known:
            raise CommandError(f"there is no service {name!r}; {nearest_hint(name, known)}")
    now = now_ms()
    with context.database() as database:
        for name in names:
            paused = Paused(name, now, by, note)
            before = database.transact("cli.pause", stored.pause, paused)
            if before is None:
                click.echo(f"{name} is paused")
            else:
                click.echo(
                    f"{name} has been paused by {before.by} since {for_people(before.since)}"
                )
    _wake(context)


@service.command("resume", epilog="peyk service resume bind:main")
@_NAMES
@pass_context
def service_resume(context: Context, names: tuple[str, ...]) -> None:
    """Let services go on that are paused."""
    known = service_names(context.settings)
    with context.database() as database:
        for name in names:
            before = database.transact("cli.resume", stored.resume, name)
            if before is not None:
                click.echo(f"{name} goes on")
            elif name in known:
                click.echo(f"{name} is not paused")
            else:
                raise CommandError(f"there is no service {name!r}; {nearest_hint(name, known)}")
    _wake(context)


def _listed(context: Context) -> list[dict[str, Any]]:
    """As the daemon tells it; of the settings and the database while none runs."""
    with suppress(DaemonNotRunning):
        health = control.call(context.settings.daemon.control, "health", timeout=10)
        found: list[dict[str, Any]] = health["services"]
        return found
    with context.database() as database:
        paused = database.read("cli.services", stored.paused_now)
    services = map(asdict, without_daemon(context.settings, paused))
    return [each | {"since": for_programs(each["since"])} for each in services]


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    since = each["since"] and milliseconds(datetime.fromisoformat(each["since"]))
    return (
        each["name"],
        each["state"],
        for_people(since),
        each["paused_by"] or None,
        each["detail"] or None,
    )


def _wake(context: Context) -> None:
    with suppress(DaemonNotRunning):
        control.call(context.settings.daemon.control, "wake")
