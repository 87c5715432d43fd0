"""``peyk inbox`` and ``peyk outbox``: look at messages, send them again, give up on them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from core.batch import ANSWERED, INCOMPLETE, SET_ASIDE, UNANSWERABLE
from core.browse import PRECEDENCE, InboxFilter, OutboxFilter
from core.identifiers import mobile as normal_mobile
from core.jalali import parse_interval
from core.resend import cancel, rehearse, resend
from core.text import ascii_digits
from gateway import control
from gateway.commands.box_lists import show_inbox, show_list, show_one
from gateway.commands.clicking import (
    ID,
    Command,
    Decorator,
    Group,
    as_json,
    days,
    limit,
    misuse,
    options,
    pass_context,
)
from gateway.commands.context import CommandError, Context

_WORDS = {"resend": "queued again", "cancel": "cancelled"}
_STATES = [state.value for state in PRECEDENCE]


def _filters(states: Sequence[str]) -> Decorator:
    """The options that both boxes are searched by."""
    return options(
        click.option("--mobile", metavar="NUMBER", help="A mobile number, in any form."),
        click.option("--subscription", metavar="NUMBER", help="A subscription number."),
        click.option(
            "--state",
            type=click.Choice(states),
            metavar="STATE",
            help=f"Only messages in this state: {', '.join(states)}.",
        ),
        click.option("--line", metavar="NUMBER", help="Only this line."),
        days,
    )


@click.command(
    cls=Command,
    epilog="peyk inbox --mobile 09131234567 --from 1404/05/01",
    short_help="List received messages and what was done.",
)
@_filters((ANSWERED, SET_ASIDE, INCOMPLETE, UNANSWERABLE))
@limit(50)
@as_json
@pass_context
def inbox(context: Context, /, *, as_json: bool, **which: Any) -> None:
    """List received messages and what was done with them, the newest first."""
    with misuse():
        wanted = InboxFilter(**criteria(**which))
    show_inbox(context, wanted, as_json=as_json)


@click.group(cls=Group, epilog="peyk outbox list --state undeliverable")
def outbox() -> None:
    """Messages sent or to be sent: list, show, resend, cancel."""


@outbox.command("list", epilog="peyk outbox list --subscription 10000001 --to 1404/05/31")
@_filters(_STATES)
@limit(50)
@as_json
@pass_context
def outbox_list(context: Context, /, *, as_json: bool, **which: Any) -> None:
    """List messages, the newest first."""
    with misuse():
        wanted = OutboxFilter(**criteria(**which))
    show_list(context, wanted, as_json=as_json)


@outbox.command("show", epilog="peyk outbox show 227794327961600000")
@click.argument("message_id", metavar="ID", type=ID)
@as_json
@pass_context
def outbox_show(context: Context, message_id: int, *, as_json: bool) -> None:
    """Show one message, part by part."""
    show_one(context, message_id, as_json=as_json)


def _declare(verb: str, help_text: str, example: str) -> None:
    @outbox.command(verb, help=help_text, epilog=example)
    @click.argument("ids", metavar="[ID]...", type=ID, nargs=-1)
    @_filters(_STATES)
    @limit(None)
    @click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
    @pass_context
    def command(context: Context, /, ids: tuple[int, ...], *, dry_run: bool, **which: Any) -> None:
        chosen = [name for name, value in which.items() if value is not None]
        if bool(ids) == bool(chosen):
            raise click.UsageError("give message ids, or options that say which; not both")
        with misuse():
            what = ids or OutboxFilter(**criteria(**which))
        act(context, verb, what, dry_run=dry_run)


_declare(
    "resend",
    "Send messages again that failed, are uncertain, or were cancelled.",
    "peyk outbox resend --state undeliverable --from 1404/05/03 --dry-run",
)
_declare(
    "cancel",
    "Give up on messages that have not left yet.",
    "peyk outbox cancel 227794327961600000",
)


def criteria(
    *,
    mobile: str | None,
    subscription: str | None,
    since: str | None,
    until: str | None,
    **others: Any,
) -> dict[str, Any]:
    """The options of a list as a filter's fields. Raises ``ValueError`` for what is wrong."""
    start, end = parse_interval(since, until)
    return {
        "mobile": normal_mobile(mobile) if mobile else None,
        "subscription": ascii_digits(subscription) if subscription else None,
        "since": _ms(start),
        "until": _ms(end),
        **others,
    }


def act(context: Context, verb: str, what: Sequence[int] | OutboxFilter, *, dry_run: bool) -> None:
    """Resend or cancel messages by id or filter, and tell the daemon."""
    work = {"resend": resend, "cancel": cancel}[verb]
    now = time.time_ns() // 1_000_000
    with context.database() as database:
        if dry_run:
            acted = database.transact(f"cli.{verb}", rehearse, work, what, now)
        else:
            acted = database.transact(f"cli.{verb}", work, what, now)
    if not dry_run:
        _wake(context)
    click.echo(f"{len(acted.done)} message(s) {'would be ' if dry_run else ''}{_WORDS[verb]}")
    if acted.refused:
        reasons = "; ".join(f"{key}: {why}" for key, why in acted.refused.items())
        raise CommandError(f"cannot {verb} {reasons}")


def _wake(context: Context) -> None:
    with suppress(control.ControlError):
        # Without a daemon it is done when one starts.
        control.call(context.settings.daemon.control, "wake")


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)
