"""What a report is asked, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from core.database import Reader

Value = str | int | bool | date | datetime | None
"""A date is a day in Tehran, a ``datetime`` an instant in UTC."""
Values = tuple[Value, ...]


class Kind(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    NUMBER = "number"
    ID = "id"
    """A number that is not counted with, and too long for a spreadsheet's."""
    DAY = "day"
    INSTANT = "instant"
    FLAG = "flag"
    MOBILE = "mobile"
    """Whose it is is shown only to who may see it."""
    NAME = "name"
    """So is this."""


class Column(NamedTuple):
    """One column."""

    name: str
    """English, for programs and the operator."""
    title: str
    """Persian, for staff."""
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a report is about; None does not restrict."""

    since: int | None = None
    """UTC milliseconds: the first at which a message may have been made or received …"""
    until: int | None = None
    """… and the first at which it may not."""
    mobile: str | None = None
    """E.164 digits without ``+``."""
    subscription: str | None = None
    """A subscription number (شماره پرونده), of any utility."""
    lines: frozenset[str] | None = None
    """Lines, by number: a utility's, or those that somebody may see."""
    template: str | None = None
    """A template's name, of any utility. Nothing that came in has one."""
    run: int | None = None
    """A campaign. Nothing that came in has one."""
    state: str | None = None
    """Any word of ``core.state_groups.CHOICES``; of what came in, the inbox's own states."""


class Report(NamedTuple):
    """One report that there is."""

    name: str
    title: str
    persian: str
    columns: Sequence[Column]
    rows: Callable[[Reader, Wanted], Iterator[Values]]
    """Reads page by page, each in a short transaction that only reads. Raises
    ``DatabaseUnavailable``, also half-way."""
