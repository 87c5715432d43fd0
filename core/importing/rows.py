"""A row of cells into a record, or into all that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.importing.errors import CellError, RowError
from core.importing.stores import Record

if TYPE_CHECKING:
    from core.importing.files import Row
    from core.importing.kinds import Column, Kind, Values


class Parser:
    """Parses the rows of one file."""

    def __init__(self, kind: Kind, columns: dict[int, Column], utility: str | None) -> None:
        self.columns = frozenset(column.name for column in columns.values())
        """The columns that the file has."""
        self._kind = kind
        self._places = tuple(columns.items())
        self._width = max(columns) + 1
        self._defaults = {column.name: column.default for column in kind.columns}
        self.required = {column.name for column in kind.columns if column.required}
        """The columns that may not be blank."""
        if utility:
            self._defaults["utility"] = utility
            self.required.discard("utility")

    def parse(self, row: Row, now: int) -> Record | list[RowError]:
        """Make a record of a row that is not blank, or say every thing that is wrong."""
        if row.problem:
            return [RowError(row.line, "", row.problem)]
        cells = row.cells
        if len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        elif any(cell.strip() for cell in cells[self._width :]):
            return [RowError(row.line, "", f"has {len(cells)} cells; the header {self._width}")]
        values = self._defaults.copy()
        problems = self._fill(values, cells)
        if not problems:
            problems = list(self._kind.check(values, now))
        if problems:
            return [RowError(row.line, column, reason) for column, reason in problems]
        return Record(row.line, values)

    def _fill(self, values: Values, cells: list[str]) -> list[tuple[str, str]]:
        problems = []
        for place, column in self._places:
            cell = cells[place].strip()
            if cell:
                try:
                    values[column.name] = column.parse(cell)
                except CellError as error:
                    problems.append((column.name, str(error)))
            elif column.name in self.required:
                problems.append((column.name, "is empty"))
        return problems
