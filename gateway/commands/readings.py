"""``peyk reading``: look at readings, take them out, accept and reject them."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import click

from core.ids import ids_for_command
from core.jalali import interval_ms
from core.readings import ReadingState
from core.readings.control import Decided, Decision, decide
from core.readings.file import COLUMNS, TITLE, cells
from core.readings.lists import Listed, ReadingFilter, list_readings
from core.reports.writing import Format, write
from gateway.commands.clicking import (
    ID,
    Decorator,
    Group,
    as_json,
    days,
    limit,
    misuse,
    options,
    pass_context,
)
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import Speakers
from gateway.commands.waking import wake


@click.group(cls=Group, epilog="peyk reading list --state doubtful")
def reading() -> None:
    """Meter readings of subscribers: list, export, accept, reject."""


def _which(most: int | None) -> Decorator:
    """The options that readings are chosen by."""
    return options(
        click.option("--utility", metavar="NAME", help="Only this utility's."),
        click.option(
            "--state",
            type=click.Choice([state.value for state in ReadingState]),
            help="Only readings in this state.",
        ),
        days,
        limit(most),
    )


@reading.command("list", epilog="peyk reading list --state doubtful --from 1404/05/01")
@_which(50)
@as_json
@pass_context
def reading_list(context: Context, /, *, as_json: bool, **which: Any) -> None:
    """List readings, the newest first."""
    with misuse():
        wanted = criteria(**which)
    show_list(context, wanted, as_json=as_json)


@reading.command("export", epilog="peyk reading export doubtful.xlsx --state doubtful")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_which(None)
@pass_context
def reading_export(context: Context, /, file: Path, **which: Any) -> None:
    """Write readings to FILE, which ends in .csv or .xlsx."""
    with misuse():
        wanted = criteria(**which)
    export(context, file, wanted)


def _declare(verb: str, state: ReadingState, help_text: str, example: str) -> None:
    @reading.command(verb, help=help_text, epilog=example)
    @click.argument("reading_id", metavar="ID", type=ID)
    @click.option("--note", default="", help="Why, in words for the subscriber.")
    @click.option("--by", default=getpass.getuser, metavar="NAME", help="Who decides; else you.")
    @pass_context
    def command(context: Context, reading_id: int, *, note: str, by: str) -> None:
        act(context, reading_id, state, by=by, note=note.strip())


_declare(
    "accept",
    ReadingState.ACCEPTED,
    "Accept a reading and tell who sent it.",
    "peyk reading accept 1234",
)
_declare(
    "reject",
    ReadingState.REJECTED,
    "Reject a reading: it no longer counts, and who sent it is told why.",
    "peyk reading reject 1234 --note 'رقم کنتور خوانا نیست'",
)


def criteria(
    *, since: str | None, until: str | None, state: str | None, **others: Any
) -> ReadingFilter:
    """The options of a list as a filter. Raises ``ValueError`` for what is wrong."""
    start, end = interval_ms(since, until)
    return ReadingFilter(
        state=ReadingState(state) if state else None, since=start, until=end, **others
    )


def show_list(context: Context, wanted: ReadingFilter, *, as_json: bool) -> None:
    """List readings, the newest first."""
    with context.database() as database:
        rows = database.read("cli.readings", list_readings, wanted)
    if as_json:
        print_json([_as_json(row) for row in rows])
        return
    print_table(Listed._fields, map(_shown, rows))
    if not rows:
        click.echo("no such readings", err=True)


def export(context: Context, file: Path, wanted: ReadingFilter) -> None:
    """Write readings to a CSV or an XLSX file, by its ending. Raises ``CommandError``."""
    formats = {".csv": Format.CSV, ".xlsx": Format.XLSX}
    kind = formats.get(file.suffix.lower())
    if kind is None:
        raise CommandError(f"{file} ends neither in .csv nor in .xlsx")
    with context.database() as database:
        rows = database.read("cli.readings_export", list_readings, wanted)
    try:
        with file.open("wb") as stream:
            write(kind, stream, TITLE, COLUMNS, map(cells, rows))
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{len(rows)} reading(s) written to {file}")


def act(context: Context, reading_id: int, state: ReadingState, *, by: str, note: str) -> None:
    """Decide on a reading, tell who sent it, and wake the daemon. Raises ``DecisionError``."""
    decision = Decision(reading_id, state, by, note, now_ms())
    say = Speakers(context).say
    with context.database() as database:
        decided = database.transact(
            "cli.reading_decide", decide, ids_for_command(now_ms), decision, say
        )
    if decided.told:
        wake(context)
    click.echo(_in_words(decided))


def _in_words(decided: Decided) -> str:
    reading = decided.reading
    said = f"reading {reading.id} of {reading.number} is {reading.state}"
    if decided.withdrawn:
        said += f"; the bill {decided.withdrawn} is withdrawn"
    told = f"{decided.told} is told" if decided.told else "nobody is told"
    return f"{said}; {told}"


def _shown(row: Listed) -> tuple[object, ...]:
    values = row._asdict()
    values["read_at"] = for_people(row.read_at)
    values["decided_at"] = for_people(row.decided_at) if row.decided_at else None
    return tuple(values.values())


def _as_json(row: Listed) -> dict[str, Any]:
    values = row._asdict()
    values["read_at"] = for_programs(row.read_at)
    values["decided_at"] = for_programs(row.decided_at)
    return values
