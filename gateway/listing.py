"""Lists in replies: as many rows as a message holds, never a part of one.

An outcome with a list (``core.operations.listing``) has the facts ``rows``, ``start`` and
``next``. Its template writes what it is given:

    {% for row in rows %}{{ row.period|fa }}: {{ row.used|rial }}
    {% endfor %}{% if next %}برای ادامه {{ next|fa }}{% endif %}

and is given fewer rows, and the ``next`` that belongs to them, until the text fits
(``gateway.fitted``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

from core.calls import Fact, Scalar

ROWS: Final = "rows"
START: Final = "start"
NEXT: Final = "next"

Fits: TypeAlias = Callable[[str], bool]
"""Whether a text fits what it is written for: the parts of a message, a page."""

MOST_UNITS: Final = 134
"""Two parts of a UCS-2 message, in UTF-16 units."""

EXAMPLE_ROWS: Final = 12
_EXAMPLES: Final[Mapping[str, Scalar]] = {
    "period": "1405/06",
    "from_date": date(2025, 9, 6),
    "to_date": date(2025, 9, 6),
    "due_date": date(2025, 9, 6),
    "paid_at": datetime(2025, 9, 6, 10, 35, tzinfo=UTC),
    "used": 1234,
    "amount": 123_456_000,
    "payable": 123_456_000,
    "channel": "internet",
    "plan": "wastewater",
    "mobile": "989131234567",
}
"""What a row holds, as long as real figures are."""
_UNKNOWABLE: Final = frozenset({"used"})
"""Figures that are ``""`` where nobody knows them."""


def units(text: str) -> int:
    """How many UTF-16 units a text has, as UCS-2 counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def in_two_parts(text: str) -> bool:
    """Whether a text is at most ``MOST_UNITS`` long."""
    return units(text) <= MOST_UNITS


def example(names: frozenset[str], figures: Mapping[str, Fact]) -> tuple[Mapping[str, Scalar], ...]:
    """As many rows as a list may have, with ``names``, to measure a reply with."""
    row: dict[str, Scalar] = {}
    for name in names:
        figure = _EXAMPLES.get(name, figures.get(name, "12345678"))
        row[name] = "12345678" if isinstance(figure, tuple) else figure
    return (row,) * EXAMPLE_ROWS


def emptied(rows: tuple[Mapping[str, Scalar], ...]) -> tuple[Mapping[str, Scalar], ...]:
    """The same rows with nothing known in them but zeros."""
    return tuple(
        {
            name: 0 if isinstance(value, int) and name not in _UNKNOWABLE else ""
            for name, value in row.items()
        }
        for row in rows
    )
