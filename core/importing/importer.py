"""Drives an import: reads, checks, writes in short transactions, and says how it goes.

Each batch and the position after it are one transaction, so an import that was killed goes
on after the last batch that was committed. The rows before that are read and checked again
(so that every bad row is reported) and not written. ``strict`` goes over the whole file
first, writing nothing, and begins only when no row is bad.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from core.bulk import Upserted
from core.ids import IdMaker, ids_for_command
from core.importing.errors import ImportFileError, RowError
from core.importing.files import Row, Sheet, look, opened
from core.importing.headers import matched
from core.importing.kinds import KINDS, Kind
from core.importing.rows import Parser
from core.importing.stores import STORES, Batch, Record, load_ids, load_position, store_position
from core.services import IMPORT, ServicePaused, find_paused

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from core.database import Database
    from core.secrecy import Keys

BATCH_ROWS: Final = 2000
"""So many rows hold SQLite's only write lock for well under 100 ms."""
_ERRORS_KEPT: Final = 100


class Progress(NamedTuple):
    """How far an import is, after each batch."""

    phase: str
    """``checking`` (the first pass of strict, or rows taken before) or ``taking``."""
    rows: int
    """Read in this phase, blank ones left out."""
    share: float
    """How much of the file has been read in this phase, 0 to 1; of XLSX, about."""
    errors: tuple[RowError, ...]
    """The errors found since the last call: all of them come by here, once."""


class ImportReport(NamedTuple):
    """What became of a file. A bad row is counted once, however many errors it has."""

    rows: int
    inserted: int
    updated: int
    unchanged: int
    """There already and the same; or repeated later in the same batch."""
    bad: int
    errors: tuple[RowError, ...]
    """The first hundred."""
    taken: bool
    """False when ``strict`` found a bad row: nothing was written."""
    before: int
    """Rows, blank ones too, that an earlier run of the same file, cut short, had done with:
    checked again, and in none of the counts but ``rows`` and ``bad``."""


def _ignore(_progress: Progress) -> None:
    pass


def _now() -> int:
    return time.time_ns() // 1_000_000


def import_file(  # noqa: PLR0913 - each is what an operator chooses
    database: Database,
    keys: Keys,
    kind: str,
    path: Path,
    *,
    strict: bool = False,
    default_utility: str | None = None,
    progress: Callable[[Progress], None] = _ignore,
    batch_rows: int = BATCH_ROWS,
    now_ms: Callable[[], int] = _now,
) -> ImportReport:
    """Take a CSV or XLSX file of ``kind`` (a name in ``KINDS``) into the database.

    Good rows are taken and bad ones reported; with ``strict``, none is taken if any is bad.
    ``default_utility`` stands in where the file names none. The same file twice changes
    nothing. Raises ``ImportFileError`` for a file that cannot be taken at all;
    ``DatabaseUnavailable``, or ``ServicePaused`` before the next batch once imports are paused:
    then the same call goes on where this one stopped.
    """
    if kind not in KINDS:
        raise ImportFileError(f"{kind!r} is no kind of file; there are {', '.join(KINDS)}")
    seen = look(path)
    run = _Run(
        database,
        keys,
        KINDS[kind],
        f"{seen.digest}{default_utility or ''}",
        default_utility,
        progress,
        batch_rows,
        now_ms,
        ids_for_command(now_ms),
    )
    if strict:
        with opened(path, seen.encoding) as sheet:
            counted = run.go(sheet, None)
        if counted.bad:
            return counted.report(taken=False, before=0)
    position = database.transact("import.position", load_position, kind, run.digest)
    with opened(path, seen.encoding) as sheet:
        counted = run.go(sheet, position)
    return counted.report(taken=True, before=position)


class _Stored(NamedTuple):
    upserted: Upserted
    unknown: list[Record]
    """Rows whose subscriber is not there."""


@dataclass
class _Counted:
    """What has become of the rows so far."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: int = 0
    errors: list[RowError] = field(default_factory=list)
    new_errors: list[RowError] = field(default_factory=list)

    def refuse(self, errors: list[RowError]) -> None:
        """Count one bad row."""
        self.bad += 1
        self.errors += errors[: max(0, _ERRORS_KEPT - len(self.errors))]
        self.new_errors += errors

    def add(self, done: Upserted, good: int) -> None:
        """Count the good rows of a batch."""
        self.inserted += done.inserted
        self.updated += done.updated
        self.unchanged += good - done.inserted - done.updated

    def report(self, *, taken: bool, before: int) -> ImportReport:
        return ImportReport(
            self.rows,
            self.inserted,
            self.updated,
            self.unchanged,
            self.bad,
            tuple(self.errors),
            taken,
            before,
        )


@dataclass
class _Run:
    """One import of one file."""

    database: Database
    keys: Keys
    kind: Kind
    digest: str
    utility: str | None
    progress: Callable[[Progress], None]
    batch_rows: int
    now_ms: Callable[[], int]
    ids: IdMaker

    def go(self, sheet: Sheet, position: int | None) -> _Counted:
        """Take the rows after ``position``, check those before; ``None`` checks them all."""
        optional = ("utility",) if self.utility else ()
        columns = matched(self.kind, sheet.header, optional=optional)
        parser = Parser(self.kind, columns, self.utility)
        counted = _Counted()
        end = 0
        for end, rows in _batches(sheet.rows, self.batch_rows, position or 0):
            taking = position is not None and end > position
            self._batch(parser, rows, counted, end if taking else None)
            phase = "taking" if taking else "checking"
            errors = tuple(sorted(counted.new_errors, key=attrgetter("line")))
            self.progress(Progress(phase, counted.rows, sheet.share(), errors))
            counted.new_errors.clear()
        if position is not None:
            self.database.transact("import.finish", self._move, end, finished=True)
        return counted

    def _batch(self, parser: Parser, rows: list[Row], counted: _Counted, end: int | None) -> None:
        records = []
        now = self.now_ms()
        for row in rows:
            if not any(map(str.strip, row.cells)) and not row.problem:
                continue
            counted.rows += 1
            parsed = parser.parse(row, now)
            if isinstance(parsed, Record):
                records.append(parsed)
            else:
                counted.refuse(parsed)
        done = self.database.transact("import.batch", self._store, parser.columns, records, end)
        for record in done.unknown:
            utility, number = record.subscription
            reason = f"there is no subscriber {number} of {utility}"
            counted.refuse([RowError(record.line, "number", reason)])
        if end is not None:
            counted.add(done.upserted, len(records) - len(done.unknown))

    def _store(
        self,
        connection: Connection,
        columns: frozenset[str],
        records: list[Record],
        end: int | None,
    ) -> _Stored:
        """Write a batch and the position after it; without ``end``, only look."""
        ids, known, unknown = {}, records, []
        if self.kind.of_subscriber:
            ids = load_ids(connection, (record.subscription for record in records))
            known = [record for record in records if record.subscription in ids]
            unknown = [record for record in records if record.subscription not in ids]
        if end is None:
            return _Stored(Upserted(0, 0), unknown)
        paused = find_paused(connection, IMPORT)
        if paused is not None:
            raise ServicePaused(paused)
        batch = Batch(known, columns, ids, self.keys, self.now_ms(), self.ids)
        done = STORES[self.kind.name](connection, batch)
        self._move(connection, end)
        return _Stored(done, unknown)

    def _move(self, connection: Connection, rows: int, *, finished: bool = False) -> None:
        position = (self.kind.name, self.digest, rows, finished, self.now_ms())
        store_position(connection, position)


def _batches(rows: Iterator[Row], size: int, border: int) -> Iterator[tuple[int, list[Row]]]:
    """Cut rows into lists, and at ``border``; each with the count of rows up to its end."""
    batch: list[Row] = []
    end = 0
    for end, row in enumerate(rows, start=1):
        batch.append(row)
        if len(batch) >= size or end == border:
            yield end, batch
            batch = []
    if batch:
        yield end, batch
