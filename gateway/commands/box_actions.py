"""Sending messages again and giving up on them: by id, or all that a filter finds.

What a filter finds may be a campaign's million: it is counted, asked about, and done a piece
at a time, so that answers to people go on meanwhile. Whoever stops it has the rest as it was.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import click

from core.box_filters import OutboxFilter
from core.outbox import State
from core.resend import CANCELLABLE, RESENDABLE, Act, cancel, matching, pieces, rehearse, resend
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.waking import wake


class Action(NamedTuple):
    """What is done to messages."""

    verb: str
    done: str
    """What has become of them then."""
    act: Act
    states: Collection[State]
    """Those of parts that it is done to."""


ACTIONS: Final[Mapping[str, Action]] = {
    "resend": Action("resend", "queued again", resend, RESENDABLE),
    "cancel": Action("cancel", "cancelled", cancel, CANCELLABLE),
}


def act_on(context: Context, action: Action, ids: Sequence[int], *, dry_run: bool) -> None:
    """Act on messages by id; those that it cannot be done to are named with the reason."""
    with context.database() as database:
        if dry_run:
            name = f"cli.{action.verb}_rehearsed"
            acted = database.transact(name, rehearse, action.act, ids, now_ms())
        else:
            acted = database.transact(f"cli.{action.verb}", action.act, ids, now_ms())
    if dry_run:
        click.echo(_would(len(acted.done), action))
    else:
        wake(context)
        click.echo(f"{len(acted.done)} message(s) {action.done}")
    if acted.refused:
        reasons = "; ".join(f"{key}: {why}" for key, why in acted.refused.items())
        raise CommandError(f"cannot {action.verb} {reasons}")


def act_on_all(
    context: Context, action: Action, wanted: OutboxFilter, *, dry_run: bool, yes: bool
) -> None:
    """Act on all messages that a filter finds, once somebody has agreed to how many they are."""
    with context.database() as database:
        ids = database.read(f"cli.{action.verb}_count", matching, wanted, action.states)
        if dry_run or not ids:
            click.echo(_would(len(ids), action))
            return
        if not yes:
            _ask(_would(len(ids), action))
        done = 0
        with click.progressbar(length=len(ids), label=action.verb, file=sys.stderr) as bar:
            for piece in pieces(ids):
                started = time.monotonic()
                acted = database.transact(f"cli.{action.verb}", action.act, piece, now_ms())
                done += len(acted.done)
                bar.update(len(piece))
                # The daemon writes to the same database: it gets as much of it as this does.
                time.sleep(min(1.0, time.monotonic() - started))
    wake(context)
    click.echo(f"{done} message(s) {action.done}")
    if done < len(ids):
        click.echo(f"{len(ids) - done} had changed meanwhile", err=True)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError(f"{question}; say --yes to do it")
    click.confirm(f"{question}. Do it?", abort=True, err=True)


def _would(count: int, action: Action) -> str:
    return f"{count} message(s) would be {action.done}"
