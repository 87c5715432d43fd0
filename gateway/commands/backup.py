"""``peyk backup``: a copy of the database while the daemon works."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from core.backing_up import back_up
from core.jalali import TEHRAN
from gateway.commands.clicking import Command, as_json, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import console, print_json


@click.command(cls=Command, epilog="peyk backup /var/lib/peyk/backup/")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@as_json
@pass_context
def backup(context: Context, file: Path, *, as_json: bool) -> None:
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
        if file.is_dir():
            file /= f"peyk-{datetime.now(TEHRAN):%Y%m%d-%H%M%S}.db"
        if not file.absolute().parent.is_dir():
            raise CommandError(f"there is no folder {file.absolute().parent}")
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
            size = back_up(database, file, lambda n, of: bar.update(task, completed=n, total=of))
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        click.echo(f"copied to {file} ({decimal(size)}); keep a copy of the key as well")
