"""``peyk webhook``: other systems that are told what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from core.webhooks import store
from core.webhooks.calls import Call, Standing, list_calls, standings, state_of
from core.webhooks.store import By, New
from core.webhooks.topics import TOPICS, parse_topics
from gateway import control
from gateway.addresses import checked_address
from gateway.commands.auditing import by_command
from gateway.commands.clicking import Group, as_json, limit, misuse, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import scope_of
from gateway.commands.waking import wake

_NAME = click.argument("name", metavar="NAME")
_WAIT = 30


@click.group(cls=Group, epilog="peyk webhook list")
def webhook() -> None:
    """Other systems that are told what happens, by signed calls. docs/webhooks.md explains them."""


@webhook.command(
    "add", epilog="peyk webhook add crm --url https://crm.example.ir/peyk --topic inbound"
)
@_NAME
@click.option("--url", required=True, help="Where calls are posted: https://…")
@click.option(
    "--topic",
    "topics",
    multiple=True,
    required=True,
    metavar="TOPIC",
    help="What it is told of; may be said again. `peyk webhook topics` lists them.",
)
@click.option(
    "--utility", metavar="NAME", help="Only the data of this utility (default: of every one)."
)
@pass_context
def webhook_add(
    context: Context, *, name: str, url: str, topics: tuple[str, ...], utility: str | None
) -> None:
    """Add a receiver; it is told what happens from now on. Its secret is shown this once."""
    with misuse():
        wanted = parse_topics(topics)
        try:
            address = checked_address(url)
        except ValueError as error:
            raise ValueError(f"--url {error}") from None
    place = scope_of(context, utility)
    new = New(name, place, address, wanted)

    def add(connection: Any, by: By) -> str:
        return store.add_webhook(connection, context.keys, by, new)[1]

    secret: str = _do(context, add)
    click.echo(f"added {name}; its secret, which is not shown again:", err=True)
    click.echo(secret)


@webhook.command("topics", epilog="peyk webhook topics")
def webhook_topics() -> None:
    """List what a webhook can be told of."""
    for topic in TOPICS:
        click.echo(topic)


@webhook.command("list", epilog="peyk webhook list --json")
@click.option("--utility", metavar="NAME", help="Only those for the data of this utility.")
@as_json
@pass_context
def webhook_list(context: Context, *, utility: str | None, as_json: bool) -> None:
    """List the receivers, and how each of them takes what it is told."""
    with context.database() as database:
        found = database.read("cli.webhooks", standings)
    found = [each for each in found if utility in (None, each.webhook.utility)]
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    columns = ("name", "url", "utility", "topics", "state", "error")
    print_table(columns, (_row(each) for each in found), texts=("topics", "error"))
    if not found:
        click.echo("none; `peyk webhook add` adds one", err=True)


@webhook.command("calls", epilog="peyk webhook calls crm --limit 10")
@_NAME
@limit(20)
@as_json
@pass_context
def webhook_calls(context: Context, *, name: str, limit: int, as_json: bool) -> None:
    """List the latest calls of a receiver, the newest first."""

    def look(connection: Any) -> list[Call]:
        return list_calls(connection, store.find_webhook(connection, name).id, limit)

    with context.database() as database:
        found = database.read("cli.webhook_calls", look)
    if as_json:
        print_json([_call_json(each) for each in found])
        return
    columns = ("id", "made", "items", "attempts", "ended", "status", "error")
    print_table(columns, (_call_row(each) for each in found), texts=("error",))


@webhook.command("disable", epilog="peyk webhook disable crm")
@_NAME
@pass_context
def webhook_disable(context: Context, *, name: str) -> None:
    """Tell a receiver nothing until it is enabled."""
    _do(context, store.disable_webhook, name)
    click.echo(f"{name} is told nothing until it is enabled")


@webhook.command("enable", epilog="peyk webhook enable crm --from-now")
@_NAME
@click.option("--from-now", is_flag=True, help="Leave out what happened meanwhile.")
@pass_context
def webhook_enable(context: Context, *, name: str, from_now: bool) -> None:
    """Go on telling a receiver, from where it was; one that failed is tried at once."""

    def enable(connection: Any, by: By) -> bool:
        return store.enable_webhook(connection, by, name, from_now=from_now)

    changed = _do(context, enable)
    click.echo(f"{name} is told {'what happens from now on' if from_now else 'what happens'}"
               if changed else f"{name} is enabled already")  # fmt: skip
    wake(context)


@webhook.command("test", epilog="peyk webhook test crm")
@_NAME
@pass_context
def webhook_test(context: Context, *, name: str) -> None:
    """Have the daemon post a call without items to a receiver, and say what it answers."""
    daemon = context.settings.daemon.control
    found = control.call(daemon, "test_webhook", timeout=_WAIT, name=name)
    if found["error"]:
        raise CommandError(f"{name} did not take it: {found['error']}")
    click.echo(f"{name} took it ({found['status']})")


@webhook.command("remove", epilog="peyk webhook remove crm")
@_NAME
@pass_context
def webhook_remove(context: Context, *, name: str) -> None:
    """Remove a receiver, with its calls."""
    _do(context, store.remove_webhook, name)
    click.echo(f"removed {name}")


# --- help ---------------------------------------------------------------------------------


def _do(context: Context, function: Callable[..., Any], *arguments: Any) -> Any:
    by = By(*by_command())
    with context.database() as database:
        return database.transact("cli.webhook", function, by, *arguments)


def _row(each: Standing) -> tuple[object, ...]:
    found = each.webhook
    return (
        found.name,
        found.url,
        found.utility or "every one",
        ", ".join(sorted(found.topics.names)),
        state_of(each).replace("_", " "),
        each.call.error if each.call else None,
    )


def _as_json(each: Standing) -> dict[str, object]:
    found, call = each
    return {
        "name": found.name,
        "url": found.url,
        "utility": found.utility or None,
        "topics": sorted(found.topics.names),
        "state": state_of(each),
        "attempts": call.attempts if call else 0,
        "error": call.error if call else None,
        "next_attempt": for_programs(call.due_at if call else None),
        "created_at": for_programs(found.created_at),
        "created_by": found.created_by,
        "disabled_at": for_programs(found.disabled_at),
        "disabled_by": found.disabled_by or None,
    }


def _call_row(each: Call) -> tuple[object, ...]:
    ended = for_people(each.ended_at) if each.ended_at else None
    made = for_people(each.created_at)
    return (each.id, made, each.items, each.attempts, ended, each.status, each.error)


def _call_json(each: Call) -> dict[str, object]:
    return {
        "id": str(each.id),
        "items": each.items,
        "attempts": each.attempts,
        "status": each.status,
        "error": each.error,
        "created_at": for_programs(each.created_at),
        "next_attempt": for_programs(each.due_at),
        "ended_at": for_programs(each.ended_at),
    }
