"""``peyk import``: take a file of the utility in, with progress, and say what was wrong."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from core.importing import KINDS, ImportReport, RowError, import_file
from core.importing import Progress as Step
from gateway.commands.clicking import Command, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import console

SHOWN_ERRORS = 1000
"""Bad rows that are printed one by one; a file that is bad all through needs no more."""


@click.command(
    "import",
    cls=Command,
    epilog="peyk import bills bills-1404-03.xlsx",
    short_help="Import a CSV or XLSX file of the utility.",
)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Take nothing when any row is bad.")
@click.option("--utility", metavar="NAME", help="The utility of rows that name none.")
@pass_context
def import_(context: Context, kind: str, file: Path, *, strict: bool, utility: str | None) -> None:
    """Import a CSV or XLSX file of the utility (docs/importing.md says which columns).

    The same file twice changes nothing, and an import that was cut short goes on where it
    stopped. Exits with 1 when rows were bad.
    """
    run_import(context, kind, file, strict=strict, utility=utility)


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
