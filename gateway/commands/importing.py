"""``peyk import``: take a file of the utility in, with progress, and say what was wrong."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from core.importing import ImportReport, RowError, import_file
from core.importing import Progress as Step
from gateway.commands.context import CommandError, Context
from gateway.commands.output import console

SHOWN_ERRORS = 1000
"""Bad rows that are printed one by one; a file that is bad all through needs no more."""


def run_import(
    context: Context, kind: str, file: Path, *, strict: bool, utility: str | None
) -> None:
    """Import ``file``. Raises ``CommandError`` when some rows were bad."""
    shown = 0

    def print_errors(errors: tuple[RowError, ...]) -> None:
        nonlocal shown
        for error in errors[: max(0, SHOWN_ERRORS - shown)]:
            bar.console.print(str(error), markup=False)
        shown += len(errors)

    def step(now: Step) -> None:
        bar.update(task, completed=now.share, description=now.phase, rows=now.rows)
        print_errors(now.errors)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
    )
    with (
        context.database() as database,
        Progress(*columns, TimeRemainingColumn(), console=console(stderr=True)) as bar,
    ):
        task = bar.add_task("checking", total=1.0, rows=0)
        report = import_file(
            database,
            context.keys,
            kind,
            file,
            strict=strict,
            default_utility=utility,
            progress=step,
        )
    if shown > SHOWN_ERRORS:
        click.echo(f"… and {shown - SHOWN_ERRORS} more", err=True)
    _sum_up(report)


def _sum_up(report: ImportReport) -> None:
    if not report.taken:
        raise CommandError(f"{report.bad} of {report.rows} rows are bad: nothing was taken")
    if report.before:
        click.echo("went on where an earlier run of the same file had stopped")
    click.echo(
        f"{report.rows} rows: {report.inserted} new, {report.updated} changed, "
        f"{report.unchanged} as they were, {report.bad} bad"
    )
    if report.bad:
        raise CommandError(f"{report.bad} of {report.rows} rows are bad and were left out")
