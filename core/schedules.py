"""When things are due, in the time of Tehran and the Jalali calendar. Pure.

A ``Schedule`` names instants (when messages are made), a ``Window`` the hours of a day in
which messages may go out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Window(NamedTuple):
    """Some hours of some days of the week."""

    begins: int
    """Minutes after midnight; the first minute in which it is allowed."""
    ends: int
    """The first minute in which it is not; up to 1440."""
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Saturday, the first day of the Iranian week."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Days, and times of those days. A day must match every part that is given."""

    times: tuple[int, ...]
    """Minutes after midnight in Tehran, ascending."""
    weekdays: frozenset[int] = frozenset()
    """0 is Saturday; empty: every day of the week."""
    month_days: frozenset[int] = frozenset()
    """Days of the Jalali month, 1 to 31; -1 is its last day. Empty: every day."""
    months: frozenset[int] = frozenset()
    """Jalali months, 1 to 12; empty: every month."""
    once: date | None = None
    """Only on this day."""
