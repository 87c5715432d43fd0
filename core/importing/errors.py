"""What can be wrong with a file, a row and a cell."""

from __future__ import annotations

from typing import NamedTuple


class ImportFileError(Exception):
    """The file as a whole cannot be taken: unreadable, or its headers are not right."""


class CellError(ValueError):
    """What is wrong with a cell, in words for the operator."""


class RowError(NamedTuple):
    """One thing that is wrong with one row; the row is not taken."""

    line: int
    """The line of the file (of a row over several lines, the first), the header being 1."""
    column: str
    """The column's English name; empty when it is not about one column."""
    reason: str

    def __str__(self) -> str:
        """Put it as an operator reads it."""
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"
