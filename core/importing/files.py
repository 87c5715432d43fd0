"""CSV and XLSX files as rows of cells, one at a time, whatever their size.

A CSV may be UTF-8 with or without a mark at its start, UTF-16 with one, or Windows-1256
(what Persian Windows programs write), with commas, semicolons or tabs between its cells.
"""

from __future__ import annotations

import codecs
import csv
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError

from core.importing.errors import ImportFileError

if TYPE_CHECKING:
    import io

_CHUNK: Final = 1 << 20
_DELIMITERS: Final = ",;\t"
_LINES_OF_A_ROW: Final = 20
"""A row over more lines than this is one whose quote was never closed."""
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


class Row(NamedTuple):
    """One row below the header."""

    line: int
    """Where it starts; the header is line 1."""
    cells: list[str]
    problem: str = ""
    """Why its cells cannot be trusted, if so."""


class Sheet(NamedTuple):
    """An opened file: what stands in its first row, and the rows below."""

    header: list[str]
    rows: Iterator[Row]
    share: Callable[[], float]
    """How much of the file has been read so far, 0 to 1."""


class Look(NamedTuple):
    """What was learnt by reading a file once."""

    digest: str
    encoding: str
    """Of a CSV; empty for XLSX."""


def look(path: Path) -> Look:
    """Read the whole file once: its digest, and its encoding. Raises ``ImportFileError``."""
    digest = blake2b(digest_size=20)
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding, first = "utf-8-sig", b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                first = first or chunk[:4]
                digest.update(chunk)
                encoding = encoding and _still_utf8(decoder, chunk)
    except OSError as error:
        raise ImportFileError(f"{path}: {error.strerror or error}") from None
    if encoding and decoder.getstate()[0]:
        encoding = ""  # it ends in the middle of a character
    if first == _OLD_EXCEL:
        raise ImportFileError(f"{path} is an old Excel file; save it as XLSX or CSV")
    if first == _ZIP:
        return Look(digest.hexdigest(), "")
    if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    return Look(digest.hexdigest(), encoding or "cp1256")


def _still_utf8(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return ""
    return "utf-8-sig"


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[Sheet]:
    """Open a file that ``look`` has seen. Raises ``ImportFileError``, while reading too."""
    try:
        if encoding:
            with path.open(encoding=encoding, newline="") as text:
                yield _csv(text, max(1, path.stat().st_size))
        else:
            with warnings.catch_warnings():
                # openpyxl warns of styles and validations that it leaves out: no loss here.
                warnings.filterwarnings("ignore", module="openpyxl")
                with _workbook(path) as sheet:
                    yield sheet
    except OSError as error:
        raise ImportFileError(f"{path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, ParseError) as error:
        raise ImportFileError(f"{path} is damaged: {error}") from None
    except UnicodeError as error:
        raise ImportFileError(f"{path} is not {encoding} text: {error}") from None


# --- CSV ----------------------------------------------------------------------------


def _csv(text: io.TextIOWrapper[Any], size: int) -> Sheet:
    first = text.readline()
    if not first.strip():
        raise ImportFileError("the file is empty: its first line must name the columns")
    # The header's cells have neither quotes nor delimiters in them, so it can be split.
    delimiter = max(_DELIMITERS, key=first.count)
    header = next(csv.reader([first], delimiter=delimiter))
    return Sheet(header, _csv_rows(text, delimiter), lambda: text.buffer.tell() / size)


def _csv_rows(text: Iterable[str], delimiter: str) -> Iterator[Row]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        line = reader.line_num + 2
        cells, problem = [], ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = f"a cell is longer than {csv.field_size_limit():,} characters"
        last = reader.line_num + 1
        # The reader asks for a line beyond the last one only from within a quote.
        if lines.ended or last - line >= _LINES_OF_A_ROW:
            problem = f"a quote that is not closed takes in {last - line + 1} lines, up to {last}"
        yield Row(line, cells, problem)


class _Lines:
    """Lines, and whether there are no more."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines = iter(text)
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._lines)
        except StopIteration:
            self.ended = True
            raise


# --- XLSX ---------------------------------------------------------------------------


@contextmanager
def _workbook(path: Path) -> Iterator[Sheet]:
    from openpyxl import load_workbook  # noqa: PLC0415 - half a second that CSV need not pay
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ImportFileError(f"{path} is not a workbook that can be read: {error}") from None
    try:
        sheet: Any = book.worksheets[0]
        expected = max(1, sheet.max_row or 0)
        # What a sheet says of its own size is often wrong, and rows beyond it would be lost.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        header = [_cell(value) for value in next(rows, ())]
        if not any(header):
            raise ImportFileError("the first sheet is empty: its first row must name the columns")
        counted = _Counted(rows)
        yield Sheet(header, _sheet_rows(counted), lambda: min(1.0, counted.taken / expected))
    finally:
        book.close()


class _Counted:
    """Rows, and how many were taken."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self.taken = 1  # the header

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.taken += 1
            yield row


def _sheet_rows(rows: _Counted) -> Iterator[Row]:
    for values in rows:
        yield Row(rows.taken, [_cell(value) for value in values])


def _cell(value: Any) -> str:
    """A cell as the text that a person would have typed."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        # A day that Excel knows as a date is its midnight.
        return value.isoformat(" ", "seconds") if value.time() != time() else f"{value:%Y-%m-%d}"
    return value.isoformat() if isinstance(value, date) else str(value)
