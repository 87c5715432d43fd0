"""What operations that answer with a list have in common.

An outcome with a list has the facts ``rows`` (those from ``start`` on, at most ``MOST_ROWS``),
``start`` (the number of the first of them, from 1) and ``next`` (the number of the first row
after them, ``""`` when there is none). Who asks for rows beyond the last one is told how many
there are (``LIST_OUTCOMES``). A reply that has room for fewer shows fewer, and
changes ``next`` to fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.calls import Fact, Refusal, Scalar
from core.history import MOST_ROWS

LISTING = frozenset({"rows", "start", "next"})
"""The facts of every outcome with a list."""
LIST_OUTCOMES: Mapping[str, frozenset[str]] = {Refusal.NO_MORE: frozenset({"count"})}
"""The refusal of every operation that answers with one: ``count`` rows are all there are."""


def listing(rows: Sequence[Mapping[str, Scalar]], start: int) -> dict[str, Fact]:
    """Make the facts of a list from its rows from ``start`` on.

    One row more than ``MOST_ROWS`` says that there are more.
    """
    more = len(rows) > MOST_ROWS
    return {
        "rows": tuple(rows[:MOST_ROWS]),
        "start": start,
        "next": start + MOST_ROWS if more else "",
    }
