"""``peyk inbox`` and ``peyk outbox``: look at messages, send them again, give up on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from core.box_filters import InboxFilter, OutboxFilter
from core.identifiers import mobile as normal_mobile
from core.inbox import ANSWERED, INCOMPLETE, SET_ASIDE, UNANSWERABLE
from core.jalali import interval_ms
from core.state_groups import CHOICES
from core.text import ascii_digits
from gateway.commands.box_actions import ACTIONS, act_on, act_on_all
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
from gateway.commands.context import Context

_sent = options(
    click.option("--template", metavar="NAME", help="Only messages of this template."),
    click.option("--run", type=ID, metavar="ID", help="Only messages of this campaign."),
    click.option("--day", metavar="DATE", help="Only this day: --from and --to at once."),
)


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
@_filters(CHOICES)
@_sent
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
    """Show one message, part by part, with every attempt to send it."""
    show_one(context, message_id, as_json=as_json)


def _declare(verb: str, help_text: str, example: str) -> None:
    @outbox.command(verb, help=help_text, epilog=example)
    @click.argument("ids", metavar="[ID]...", type=ID, nargs=-1)
    @_filters(CHOICES)
    @_sent
    @limit(None)
    @click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
    @click.option("--yes", is_flag=True, help="Do not ask whether to do it.")
    @pass_context
    def command(
        context: Context, /, ids: tuple[int, ...], *, dry_run: bool, yes: bool, **which: Any
    ) -> None:
        chosen = [name for name, value in which.items() if value is not None]
        if bool(ids) == bool(chosen):
            raise click.UsageError("give message ids, or options that say which; not both")
        if ids:
            act_on(context, ACTIONS[verb], ids, dry_run=dry_run)
            return
        with misuse():
            wanted = OutboxFilter(**criteria(**which))
        act_on_all(context, ACTIONS[verb], wanted, dry_run=dry_run, yes=yes)


_declare(
    "resend",
    "Send messages again that failed, are uncertain, or were cancelled.",
    "peyk outbox resend --run 227794327961600000 --state failed --dry-run",
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
    day: str | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The options of a list as a filter's fields. Raises ``ValueError`` for what is wrong."""
    if day is not None:
        if since or until:
            raise ValueError("give --day, or --from and --to; not both")
        since = until = day
    start, end = interval_ms(since, until)
    return {
        "mobile": normal_mobile(mobile) if mobile else None,
        "subscription": ascii_digits(subscription) if subscription else None,
        "since": start,
        "until": end,
        **others,
    }
