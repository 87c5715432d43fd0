"""Readings as the rows of a file (``core.reports.writing``), by command and on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.jalali import instant_of
from core.readings.lists import Listed
from core.reports.types import Column, Kind, Values

TITLE: Final = "قرائت‌ها"
"""Of an XLSX file's sheet."""
COLUMNS: Final[Sequence[Column]] = (
    Column("id", "شناسه", Kind.ID),
    Column("utility", "شرکت"),
    Column("number", "شماره اشتراک"),
    Column("reading", "رقم کنتور", Kind.NUMBER),
    Column("read_at", "زمان", Kind.INSTANT),
    Column("state", "وضعیت"),
    Column("meter_state", "وضعیت کنتور"),
    Column("source", "از راه"),
    Column("mobile", "همراه", Kind.MOBILE),
    Column("decided_at", "زمان تصمیم", Kind.INSTANT),
    Column("decided_by", "تصمیم‌گیرنده"),
    Column("note", "یادداشت"),
)


def cells(row: Listed) -> Values:
    """A reading's, in the order of the columns."""
    decided_at = None if row.decided_at is None else instant_of(row.decided_at)
    values = {**row._asdict(), "read_at": instant_of(row.read_at), "decided_at": decided_at}
    return tuple(values[column.name] for column in COLUMNS)
