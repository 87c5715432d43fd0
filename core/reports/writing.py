"""Reports as files: CSV, XLSX and JSON, written row by row.

A cell that begins with ``=``, ``+``, ``-``, ``@``, ``|``, ``%`` or a tab is a formula to a
spreadsheet, and what subscribers write would be run on the machine of whoever opens the file: in
CSV such a text gets an apostrophe before it, in XLSX every text is stored as a text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import IO, Final

from core.jalali import jalali, jalali_time
from core.reports.types import Column, Kind, Value, Values

_FORMULA: Final = re.compile(r"\s*[=+\-@|%\t\r\n]")


class Format(StrEnum):
    """Kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


def write(
    kind: Format, stream: IO[bytes], title: str, columns: Sequence[Column], rows: Iterable[Values]
) -> int:
    """Write a report; returns the number of its rows. ``title`` names an XLSX file's sheets."""
    match kind:
        case Format.CSV:
            return _write_csv(stream, columns, rows)
        case Format.XLSX:
            from core.reports.sheets import write_xlsx  # noqa: PLC0415 - openpyxl: a tenth of a second

            return write_xlsx(stream, title, columns, rows)
        case Format.JSON:
            return _write_json(stream, columns, rows)


def said(value: Value, kind: Kind = Kind.TEXT) -> str:
    """A value as people read it: days in Jalali, instants in Tehran; None is nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return jalali_time(value)
    if isinstance(value, date):
        return jalali(value)
    if isinstance(value, bool) or kind is Kind.FLAG:
        return "yes" if value else "no"
    return str(value)


def safe(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _write_csv(stream: IO[bytes], columns: Sequence[Column], rows: Iterable[Values]) -> int:
    lines = _Lines(stream)
    # The mark tells spreadsheets that it is UTF-8.
    stream.write(b"\xef\xbb\xbf")
    writer = csv.writer(lines)
    writer.writerow(column.name for column in columns)
    kinds = [column.kind for column in columns]
    count = 0
    for row in rows:
        count += 1
        writer.writerow(
            value if type(value) is int else safe(said(value, kind))
            for value, kind in zip(row, kinds, strict=True)
        )
    return count


class _Lines:
    """What ``csv`` writes its lines to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.encode())


def _write_json(stream: IO[bytes], columns: Sequence[Column], rows: Iterable[Values]) -> int:
    count = 0
    stream.write(b"[")
    for count, row in enumerate(rows, 1):
        told = {c.name: _plain(value, c.kind) for c, value in zip(columns, row, strict=True)}
        stream.write(b",\n" if count > 1 else b"\n")
        stream.write(json.dumps(told, ensure_ascii=False).encode())
    stream.write(b"\n]\n")
    return count


def _plain(value: Value, kind: Kind) -> object:
    # Programs such as jq keep fifteen digits of a number.
    if type(value) is int and kind is Kind.ID:
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return jalali(value) if isinstance(value, date) else value
