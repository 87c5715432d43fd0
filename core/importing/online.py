"""Rows that come one request at a time: the same columns, checks, stores and events as a file's.

What was a cell of a file is a value here; it is read as the cell would be, so that nothing is
taken over the network that would be refused in a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.bulk import Upserted
from core.importing.errors import RowError
from core.importing.files import Row
from core.importing.rows import Parser
from core.importing.stores import STORES, Batch, Record, load_ids
from core.services import IMPORT, ServicePaused, find_paused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.ids import IdMaker
    from core.importing.kinds import Column, Kind
    from core.secrecy import Keys

Cell = str | int | bool | Sequence[str] | None
"""A value as JSON has it; None is a blank cell."""


class Counter(NamedTuple):
    """Who takes rows in, and when."""

    keys: Keys
    ids: IdMaker
    utility: str
    now: int
    """UTC milliseconds."""


class Taken(NamedTuple):
    """What became of rows."""

    inserted: int
    updated: int
    unchanged: int
    bad: int
    errors: tuple[RowError, ...]
    """``line`` is the row's place, counted from 0."""
    is_taken: bool
    """False when ``strict`` and a row was bad: nothing was written."""


def take_rows(
    connection: Connection,
    counter: Counter,
    kind: Kind,
    rows: Sequence[Mapping[str, Cell]],
    *,
    strict: bool = False,
) -> Taken:
    """Take good rows in and say what is wrong with the others; with ``strict`` all or none.

    All rows have the columns of the first: what is left out stays as it is, and a row that
    leaves out others is bad. Raises ``ServicePaused`` while imports are.
    """
    paused = find_paused(connection, IMPORT)
    if paused is not None:
        raise ServicePaused(paused)
    columns = _columns(kind, rows)
    parser = Parser(kind, columns, counter.utility)
    names = tuple(column.name for column in columns.values())
    records: list[Record] = []
    errors: list[RowError] = []
    bad: set[int] = set()
    for place, row in enumerate(rows):
        found = _parsed(parser, place, row, names, counter.now)
        if isinstance(found, Record):
            records.append(found)
        else:
            errors += found
            bad.add(place)
    ids = {}
    if kind.of_subscriber:
        ids = load_ids(connection, (record.subscription for record in records))
        for record in records:
            if record.subscription not in ids:
                reason = f"there is no subscriber {record.values['number']}"
                errors.append(RowError(record.line, "number", reason))
                bad.add(record.line)
        records = [record for record in records if record.subscription in ids]
    ordered = tuple(sorted(errors, key=lambda error: error.line))
    if strict and bad:
        return Taken(0, 0, 0, len(bad), ordered, is_taken=False)
    done = Upserted(0, 0)
    if records:
        batch = Batch(records, parser.columns, ids, counter.keys, counter.now, counter.ids)
        done = STORES[kind.name](connection, batch)
    same = len(records) - done.inserted - done.updated
    return Taken(done.inserted, done.updated, same, len(bad), ordered, is_taken=True)


def _columns(kind: Kind, rows: Sequence[Mapping[str, Cell]]) -> dict[int, Column]:
    """The columns that the rows have: those of the first, and the ones that must be there."""
    there = set(rows[0])
    must = {column.name for column in kind.columns if column.required and column.name != "utility"}
    return dict(enumerate(each for each in kind.columns if each.name in there | must))


def _parsed(
    parser: Parser, place: int, row: Mapping[str, Cell], names: tuple[str, ...], now: int
) -> Record | list[RowError]:
    others = sorted(set(row) - set(names))
    if others:
        return [RowError(place, name, "is not in the first row: send it apart") for name in others]
    left_out = [name for name in names if name not in row]
    # What must be there is told of by the parser, in its own words.
    missing = [name for name in left_out if name not in parser.required]
    if missing:
        return [RowError(place, name, "is in the first row: null empties it") for name in missing]
    return parser.parse(Row(place, [_cell(row.get(name)) for name in names], ""), now)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int():
            return str(value)
        case _:
            return "\n".join(value)
