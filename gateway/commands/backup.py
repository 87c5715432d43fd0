"""``peyk backup``: a copy of the database while the daemon works."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from core.backing_up import back_up
from core.jalali import TEHRAN, jalali
from gateway.commands.clicking import Command, as_json, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import console, print_json


@click.command(cls=Command, epilog="peyk backup /var/lib/peyk/backup/")
@click.argument("file", metavar="FILE")
@as_json
@pass_context
def backup(context: Context, file: str, *, as_json: bool) -> None:
    """Copy a SQLite database to FILE while the daemon works.

    FILE may be a folder: then the file is named after the moment. The copy is of one moment
    and complete by itself; the key is not in it. PostgreSQL is copied with pg_dump.
    """
    with context.database() as database:
        if not database.is_sqlite:
            raise CommandError(
                f"{database.name} is copied with PostgreSQL's own tool: "
                "`pg_dump --format=custom --file=FILE DATABASE` (docs/operating.md, Backup)"
            )
        copy = _place(file)
        if not copy.absolute().parent.is_dir():
            raise CommandError(f"there is no folder {copy.absolute().parent}; make it first")
        with Progress(
            TextColumn("copying"),
            BarColumn(),
            TextColumn("{task.percentage:.0f}%"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            transient=True,
            disable=not console(stderr=True).is_terminal,
        ) as bar:
            task = bar.add_task("", total=None)
            size = back_up(database, copy, lambda n, of: bar.update(task, completed=n, total=of))
    if as_json:
        print_json({"file": str(copy), "bytes": size})
    else:
        click.echo(f"copied to {copy} ({decimal(size)}); keep a copy of the key as well")


def _place(said: str) -> Path:
    """The file that is meant: in a folder one named after the moment, in Jalali."""
    place = Path(said)
    # Whoever ends a name with a slash means a folder, also one that is not there.
    if not (place.is_dir() or said.endswith("/")):
        return place
    now = datetime.now(TEHRAN)
    return place / f"peyk-{jalali(now.date()).replace('/', '')}-{now:%H%M%S}.db"
