"""Readings as a file: CSV, which no spreadsheet takes formulas from, and XLSX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import Permission
from core.readings.file import COLUMNS, TITLE, cells
from core.readings.lists import Listed, ReadingFilter, list_readings
from core.reports.catalogue import masked
from core.reports.writing import Format, write
from gateway.web.desk.reading_pages import asked_of
from gateway.web.desk.refusals import Forbidden, Refusal
from gateway.web.desk.rendering import masked_code
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
MOST_ROWS: Final = 100_000
"""It is made in memory."""
_PIECE: Final = 5_000
_KINDS: Final = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@routes.route("GET", "/readings/file", Permission.REPORT_DOWNLOAD)
async def download(visit: Visit) -> bytes:
    """The readings that the list shows, of the utilities that both permissions are for."""
    form, means = visit.query, visit.means
    wanted, _recent = asked_of(visit, form, Permission.READING_SEE)
    kind = form.choice("format", [each.value for each in _KINDS])
    if not form.is_right:
        raise Refusal(400)
    may = visit.utilities(Permission.REPORT_DOWNLOAD)
    whose = frozenset(wanted.utilities or ()) & may.keys()
    if not whose:
        raise Forbidden
    full = form.tick("full")
    if full and not all(visit.may(Permission.PERSONAL_SEE, each) for each in whose):
        raise Forbidden
    details = {name: form.raw(name) for name in form.names if name != "full"}
    act = "reading.file_full" if full else "reading.file"
    await visit.audit(Entry(act, "reading:filter", only_one(whose), details))
    wanted = replace(wanted, utilities=whose, before=None, limit=_PIECE)
    count, content = await means.in_report(_made, means.database, wanted, Format(kind), full)
    if count > MOST_ROWS:
        raise Refusal(409, "reports.too_many", most=MOST_ROWS)
    return visit.download(f"readings.{kind}", _KINDS[Format(kind)], content)


def only_one(utilities: frozenset[str]) -> str:
    """The utility, where it is one; "" for several."""
    return next(iter(utilities)) if len(utilities) == 1 else ""


def _made(database: Any, wanted: ReadingFilter, kind: Format, full: bool) -> tuple[int, bytes]:  # noqa: FBT001 - handed on by a thread
    found = _rows(database, wanted)
    rows = map(cells, found) if full else masked(COLUMNS, map(cells, map(_masked, found)))
    stream = BytesIO()
    count = write(kind, stream, TITLE, COLUMNS, islice(rows, MOST_ROWS + 1))
    return count, stream.getvalue()


def _masked(row: Listed) -> Listed:
    return row._replace(number=masked_code(row.number))


def _rows(database: Any, wanted: ReadingFilter) -> Iterator[Listed]:
    """All of them, read piece by piece, each in a transaction of its own."""
    while True:
        piece = database.read("desk.readings.file", list_readings, wanted)
        yield from piece
        if len(piece) < _PIECE:
            return
        wanted = replace(wanted, before=piece[-1].id)
