"""``peyk report``: counts and lists of messages, and the utility's own reports."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import click

from core.access.audit import Entry
from core.database import Database
from core.identifiers import mobile as normal_mobile
from core.jalali import (
    DateError,
    interval_ms,
    jalali,
    local,
    month_days,
)
from core.reporting.known import unknown_values
from core.reporting.reading import asked, given
from core.reporting.types import ParameterError, SourceError
from core.reports.catalogue import REPORTS, masked
from core.reports.sourced import columns_of, rows_of
from core.reports.types import Column, Report, Values, Wanted
from core.reports.writing import Format, said, write
from core.state_groups import CHOICES
from core.templates.store import TemplateError, check_named_anywhere
from core.text import nearest_hint, normalise
from gateway.commands.auditing import write_down
from gateway.commands.clicking import ID, Command, days, limit, misuse, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import print_table
from gateway.commands.parameters import PARAMETERS, asks, parameters_of
from gateway.commands.utilities import check_served, chosen, profiles
from gateway.report_files import sources_of

TABLE: Final = "table"
SHOWN_ROWS: Final = 200
"""Of a table, unless ``--limit`` says otherwise: a terminal is no place for a million."""
_MONTH: Final = re.compile(r"(\d{4})[/-](\d{1,2})")


class Printed(NamedTuple):
    """What is to be printed."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Values]


@click.command(cls=Command, epilog="peyk report days --month 1405/06 --format xlsx --out days.xlsx")
@click.argument("name", metavar="[NAME]", required=False)
@days
@click.option("--month", metavar="MONTH", help="A whole Jalali month, such as 1405/06.")
@click.option("--mobile", metavar="NUMBER", help="Only this mobile, in any form.")
@click.option("--subscription", metavar="NUMBER", help="Only this file number.")
@click.option("--line", metavar="NUMBER", help="Only this line.")
@click.option("--template", metavar="NAME", help="Only messages of this template.")
@click.option("--run", metavar="ID", type=ID, help="Only messages of this campaign.")
@click.option("--state", type=click.Choice(CHOICES), metavar="STATE", help="Only in this state.")
@click.option("--utility", metavar="NAME", help="Only this utility's lines; whose own report.")
@PARAMETERS
@click.option(
    "--format",
    "form",
    type=click.Choice([TABLE, *(each.value for each in Format)]),
    help="How it is printed; else as the name of --out ends, else a table.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Into this file.")
@click.option("--full", is_flag=True, help="Show mobiles and names whole; the audit log says who.")
@limit(None)
@pass_context
def report(  # noqa: PLR0913 - each is an option
    context: Context,
    /,
    *,
    name: str | None,
    form: str | None,
    out: Path | None,
    full: bool,
    limit: int | None,
    parameters: Sequence[str],
    **which: Any,
) -> None:
    """Report on messages, or print one of the utility's own reports. Without NAME: list them.

    A report is of the days given, else of this Jalali month; of one mobile, subscription or
    campaign it is of all time. docs/reports.md explains the columns.
    """
    if name is None:
        _print_list(context)
        return
    kind = _format(form, out)
    with misuse():
        wanted = None if name not in REPORTS else _wanted(context, which)
        values = parameters_of(parameters)
    with context.database() as database:
        if wanted is not None:
            if values:
                raise CommandError(f"the report {name} takes no --param; see peyk report --help")
            _check_template(database, wanted.template)
            found = _of_messages(database, REPORTS[name], wanted)
        else:
            found = _of_source(context, database, name, which, values)
        if full:
            _note_full(database, found.name, which)
        rows = found.rows if full else masked(found.columns, found.rows)
        _print(found._replace(rows=rows), kind, out, limit)


def _format(form: str | None, out: Path | None) -> Format | None:
    """The kind of file; None is a table."""
    if form is None and out is not None:
        ending = out.suffix.removeprefix(".").lower()
        if ending not in set(Format):
            raise click.UsageError(f"--format is needed: {out.name} ends with none of {_FORMATS}")
        form = ending
    if form is None or form == TABLE:
        if out is not None:
            raise click.UsageError(f"a table is not written to a file; take one of {_FORMATS}")
        return None
    if form == Format.XLSX and out is None:
        raise click.UsageError("xlsx needs --out FILE")
    return Format(form)


_FORMATS: Final = ", ".join(Format)

# --- what is wanted -------------------------------------------------------------------


def _wanted(context: Context, which: Mapping[str, Any]) -> Wanted:
    """What the options ask for. Raises ``ValueError`` and ``CommandError``."""
    since, until = _period(which)
    lines = None
    if which["utility"] is not None:
        lines = _lines_of(context, which["utility"])
    if which["line"] is not None:
        lines = frozenset({which["line"]}) & (lines if lines is not None else {which["line"]})
    return Wanted(
        since=since,
        until=until,
        mobile=normal_mobile(which["mobile"]) if which["mobile"] else None,
        subscription=which["subscription"],
        lines=lines,
        template=which["template"],
        run=which["run"],
        state=which["state"],
    )


def _lines_of(context: Context, utility: str) -> frozenset[str]:
    known = profiles(context)
    check_served(utility, known)
    settings = context.settings
    names = {each.name for each in known.values() if each.utility == utility}
    return frozenset(line.number for line in settings.lines if line.profile in names)


def _period(which: Mapping[str, Any]) -> tuple[int | None, int | None]:
    month = which["month"]
    if month is not None:
        if which["since"] or which["until"]:
            raise ValueError("give --month, or --from and --to")
        first, last = _month(month)
    elif which["since"] or which["until"]:
        return interval_ms(which["since"], which["until"])
    elif which["mobile"] or which["subscription"] or which["run"]:
        return None, None
    else:
        first, last = _this_month()
    click.echo(f"{jalali(first)} to {jalali(last)}", err=True)
    return interval_ms(first.isoformat(), last.isoformat())


def _month(text: str) -> tuple[date, date]:
    found = _MONTH.fullmatch(normalise(text).strip())
    if found is None:
        raise DateError(f"{text!r} is not a Jalali month such as 1405/06")
    year, month = map(int, found.groups())
    return month_days(year, month)


def _this_month() -> tuple[date, date]:
    return _month(jalali(local(datetime.now(UTC)).date())[:7])


# --- what is printed ------------------------------------------------------------------


def _check_template(database: Database, name: str | None) -> None:
    """Raise ``CommandError`` where there is no such template: the report would be empty."""
    if name is None:
        return
    try:
        database.read("cli.template", check_named_anywhere, name)
    except TemplateError as error:
        raise CommandError(str(error)) from None


def _of_messages(database: Database, chosen: Report, wanted: Wanted) -> Printed:
    return Printed(chosen.name, chosen.persian, chosen.columns, chosen.rows(database, wanted))


def _of_source(
    context: Context,
    database: Database,
    name: str,
    which: Mapping[str, Any],
    parameters: Mapping[str, str],
) -> Printed:
    """One of the utility's own reports. Raises ``CommandError`` and ``SourceError``."""
    every = profiles(context)
    known = sources_of(context.settings, every.values())
    if which["utility"] is None:
        there = {*REPORTS, *(each for one in every.values() for each in known.files(one.utility))}
        if name not in there:
            raise CommandError(f"there is no report {name!r}; {nearest_hint(name, there)}")
    utility = chosen(every, which["utility"]).utility
    files = known.files(utility)
    if name not in files:
        raise CommandError(f"there is no report {name!r}; {nearest_hint(name, [*REPORTS, *files])}")
    others = [option for option, value in which.items() if value and option != "utility"]
    if others:
        names = ", ".join(f"--{_OPTIONS.get(option, option)}" for option in others)
        raise CommandError(f"the report {name} is asked with --param, not with {names}")
    source = known.named(utility, name)
    try:
        question = asked(source, utility, given(source, parameters), now_ms())
    except ParameterError as error:
        raise CommandError(str(error)) from None
    for each in database.read("cli.known", unknown_values, question, utility):
        click.echo(f"peyk: {each}", err=True)
    return Printed(name, source.title, columns_of(source), rows_of(database, question))


_OPTIONS: Final = {"since": "from", "until": "to"}


def _note_full(database: Database, name: str, which: Mapping[str, Any]) -> None:
    """Whoever sees whose data they are is written down, before they are shown."""
    details = {option: value for option, value in which.items() if value and option != "mobile"}
    entry = Entry("report.full", f"report:{name}", which["utility"] or "", details)
    database.transact("cli.audit", write_down, entry)


def _print(found: Printed, kind: Format | None, out: Path | None, limit: int | None) -> None:
    if kind is None:
        _print_table(found, limit or SHOWN_ROWS)
        return
    rows = found.rows if limit is None else islice(found.rows, limit)
    if out is None:
        write(kind, sys.stdout.buffer, found.title, found.columns, rows)
        sys.stdout.buffer.flush()
        return
    with _into(out) as stream:
        count = write(kind, stream, found.title, found.columns, rows)
    click.echo(f"{count} rows in {out}", err=True)


def _print_table(found: Printed, most: int) -> None:
    rows = list(islice(found.rows, most + 1))
    kinds = [column.kind for column in found.columns]
    shown = (
        [None if each is None else said(each, kind) for each, kind in zip(row, kinds, strict=True)]
        for row in rows[:most]
    )
    print_table([_heading(column.name) for column in found.columns], shown, texts=("error",))
    if not rows:
        click.echo("nothing", err=True)
    if len(rows) > most:
        click.echo(f"there is more than these {most} rows: --limit, --format, --out", err=True)


def _heading(name: str) -> str:
    return name.replace("_", " ")


@contextmanager
def _into(file: Path) -> Iterator[IO[bytes]]:
    """Write ``file`` whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=file.absolute().parent, delete=False) as stream:
            try:
                yield stream
            except BaseException:
                Path(stream.name).unlink()
                raise
        os.replace(stream.name, file)  # noqa: PTH105 - the two are alike
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror or error}") from None


def _print_list(context: Context) -> None:
    rows = [(report.name, "", report.title) for report in REPORTS.values()]
    known = profiles(context)
    reports = sources_of(context.settings, known.values())
    wrong: list[SourceError] = []
    titles: dict[tuple[str, str], list[str]] = {}
    for utility in sorted(known):
        for name in sorted(reports.files(utility)):
            try:
                source = reports.named(utility, name)
            except SourceError as error:
                wrong.append(error)
                continue
            titles.setdefault((name, asks(source)), []).append(source.title)
    rows += [(name, asks, of[0]) for (name, asks), of in titles.items()]
    print_table(("report", "asks for", "what it is"), rows, texts=("what it is",))
    for each in wrong:
        click.echo(f"peyk: {each}", err=True)
