"""What a report source declares, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.calls import Scalar

Parameters = Mapping[str, Scalar]


class ColumnType(StrEnum):
    """What a column's values are, and so what a template may do with them."""

    TEXT = "text"
    INTEGER = "integer"
    RIAL = "rial"
    DATE = "date"
    INSTANT = "instant"
    """Stored as UTC milliseconds; a template gets the instant."""
    FLAG = "flag"


class ParameterType(StrEnum):
    """What is given for a parameter, and what the query sees of it."""

    TEXT = "text"
    INTEGER = "integer"
    DATE = "date"
    """``:name`` is the day, ``:name_at`` the instant at which it begins in Tehran."""
    DAYS_AGO = "days_ago"
    """A number of days; ``:name`` is the day so long before the report's own, ``:name_at``
    the instant at which that day begins in Tehran."""
    DAYS_AHEAD = "days_ahead"
    """As ``days_ago``, in the other direction."""


OF_DAYS: Final = frozenset({ParameterType.DATE, ParameterType.DAYS_AGO, ParameterType.DAYS_AHEAD})
MOST_DAYS: Final = 36_500
"""Days back or ahead: a hundred years, and well within what a date can be."""
MOST_NUMBER: Final = 2**63 - 1
"""What both databases take as a whole number."""
GIVEN: Final = ("utility", "today", "now", "after", "limit")
"""What every query may use besides its own parameters. ``:after`` and ``:limit`` it must."""


class SourceError(Exception):
    """A report that cannot be used, in one line: ``file:line: what is wrong``."""

    def __init__(self, file: Path, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file}:{line}: {problem}")


class ParameterError(ValueError):
    """A parameter that is missing, unknown or of the wrong kind; says what to give."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a report asks for."""

    name: str
    type: ParameterType
    title: str
    default: Scalar | None
    """None: it must be given."""
    values: Sequence[str] = ()
    """The only ones that it may have; empty: any."""
    known: str = ""
    """A query for the values, as ``value``, that rows of ``:utility`` have now; or ``""``."""


@dataclass(frozen=True, slots=True)
class Source:
    """One report, as its file declares it."""

    name: str
    """The file's, without ``.sql``."""
    file: Path
    title: str
    about: str
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, ColumnType]
    key: str
    """The column by which rows are ordered, and each is told from the others."""
    subscriber: str | None
    """The column with the subscription's internal id."""
    mobile: str | None
    """The column with whom the row itself names."""
    query: str
    first_line: int
    """Where the query begins in its file, counted from one."""

    @property
    def facts(self) -> Sequence[str]:
        """The columns that a template may use: all but the internal id."""
        return [name for name in self.columns if name != self.subscriber]
