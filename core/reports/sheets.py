"""Reports as XLSX. Apart from the other forms: what writes it takes long to be imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from core.reports.types import Column, Kind, Value, Values
from core.reports.writing import said

MOST_ROWS_OF_SHEET: Final = 1_000_000
"""Of an XLSX sheet, which has room for 48,576 more; the rest goes to further sheets."""
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML has no way to write."""


def write_xlsx(
    stream: IO[bytes], title: str, columns: Sequence[Column], rows: Iterable[Values]
) -> int:
    """Write a report; returns the number of its rows. ``title`` names its sheets."""
    # It keeps no row: each goes to a temporary file.
    book = Workbook(write_only=True)
    count, number = 0, 1
    rest = iter(rows)
    row = next(rest, None)
    while row is not None or number == 1:
        sheet: Any = book.create_sheet(title if number == 1 else f"{title} {number}")
        sheet.sheet_view.rightToLeft = True
        sheet.freeze_panes = "A2"
        sheet.append([_cell(sheet, column.title, Kind.TEXT) for column in columns])
        begun = chain([row], rest) if row is not None else rest
        for values in islice(begun, MOST_ROWS_OF_SHEET):
            count += 1
            sheet.append(
                [
                    _cell(sheet, each, column.kind)
                    for each, column in zip(values, columns, strict=True)
                ]
            )
        row = next(rest, None)
        number += 1
    book.save(stream)
    return count


def _cell(sheet: Any, value: Value, kind: Kind) -> object:
    if value is None:
        return None
    # Of a number's digits a spreadsheet keeps fifteen.
    if type(value) is int and kind is not Kind.ID:
        return value
    # A text, whatever it begins with.
    cell: Any = WriteOnlyCell(sheet, _UNWRITABLE.sub("\ufffd", said(value, kind)))
    cell.data_type = "s"
    return cell
