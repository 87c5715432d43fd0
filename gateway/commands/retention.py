"""``peyk retention``: put away what is no longer kept, now; or count it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from core.access.audit import Entry
from core.database import Database
from core.retention import Piece, put_away, to_put_away, wanted
from core.retention.tasks import TASKS, Keep
from gateway.commands.auditing import write_down
from gateway.commands.clicking import Group, as_json, pass_context
from gateway.commands.context import Context, now_ms
from gateway.commands.output import print_json, print_table


@click.group(cls=Group, epilog="peyk retention run --dry-run")
def retention() -> None:
    """What is kept for how long: [retention] in the settings."""


@retention.command("run", epilog="peyk retention run --dry-run")
@click.option("--dry-run", is_flag=True, help="Only count.")
@as_json
@pass_context
def retention_run(context: Context, *, dry_run: bool, as_json: bool) -> None:
    """Put away what is too old, in pieces; the daemon does so by itself each hour.

    Stopping it (Ctrl-C) leaves the rest for the next time.
    """
    keep = context.settings.retention.keep
    names = tuple(wanted(keep))
    with context.database() as database:
        if dry_run:
            now = now_ms()
            counts = {n: database.read("cli.retention", to_put_away, n, keep, now) for n in names}
        else:
            counts = {name: sum(_pieces(database, name, keep)) for name in names}
            if any(counts.values()):
                _write_down(database, counts)
    if as_json:
        print_json(counts)
        return
    days = {task.name: getattr(keep, task.keep) for task in TASKS}
    rows = [(name, days.get(name, keep.api_calls), f"{count:,}") for name, count in counts.items()]
    print_table(("what", "days", "to put away" if dry_run else "put away"), rows)
    if not names:
        click.echo("everything is kept for ever: [retention] in the settings is empty", err=True)


def _pieces(database: Database, name: str, keep: Keep) -> Iterator[int]:
    while True:
        began = time.time()
        now = round(began * 1000)
        piece: Piece = database.transact("cli.retention", put_away, name, keep, now)
        yield piece.changed
        if piece.is_last:
            return
        # As much time for the daemon as this took.
        time.sleep(min(1.0, time.time() - began))


def _write_down(database: Database, counts: dict[str, int]) -> None:
    said = {name: count for name, count in counts.items() if count}
    entry = Entry("retention.run", details=said)
    database.transact("cli.audit", write_down, entry)
