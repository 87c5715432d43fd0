"""The utility's own reports (``core.reporting``) as reports to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from core.calls import Fact
from core.database import Reader
from core.reporting.reading import Question, read_page
from core.reporting.types import ColumnType, Source
from core.reports.types import Column, Kind, Value, Values

PAGE_ROWS: Final = 2_000
_KINDS: Final = {
    ColumnType.TEXT: Kind.TEXT,
    ColumnType.INTEGER: Kind.NUMBER,
    ColumnType.RIAL: Kind.NUMBER,
    ColumnType.DATE: Kind.DAY,
    ColumnType.INSTANT: Kind.INSTANT,
    ColumnType.FLAG: Kind.FLAG,
}
NAMES: Final = frozenset({"name", "father_name", "owner", "address"})
"""Columns that tell whose a row is; the one that the source declares as its mobile does too."""


def columns_of(source: Source) -> tuple[Column, ...]:
    """Its columns but the internal id."""
    return tuple(Column(name, name, _kind(source, name)) for name in source.facts)


def _kind(source: Source, name: str) -> Kind:
    if name == source.mobile:
        return Kind.MOBILE
    return Kind.NAME if name in NAMES else _KINDS[source.columns[name]]


def rows_of(database: Reader, question: Question) -> Iterator[Values]:
    """Its rows in the order of their keys, page by page.

    Raises ``SourceError`` and ``DatabaseUnavailable``, also half-way.
    """
    after = ""
    names = question.source.facts
    while True:
        page = database.read("report.source", read_page, question, after, PAGE_ROWS)
        for row in page:
            yield tuple(_value(row.facts, name) for name in names)
        if len(page) < PAGE_ROWS:
            return
        after = page[-1].key


def _value(facts: Mapping[str, Fact], name: str) -> Value:
    found = facts[name]
    return str(found) if isinstance(found, tuple) else found
