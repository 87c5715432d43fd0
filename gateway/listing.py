"""Lists in replies: as many rows as a message holds, never a part of one.

An outcome with a list (``core.operations.listing``) has the facts ``rows``, ``start`` and
``next``. Its template writes what it is given:

    {% for row in rows %}{{ row.period|fa }}: {{ row.used|rial }}
    {% endfor %}{% if next %}برای ادامه {{ next|fa }}{% endif %}

and is given fewer rows, and the ``next`` that belongs to them, until the text fits.
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


class Fitted:
    """A reply with a list, written with as many rows as fit.

    Lists of one kind are much alike: as many rows fit as fitted in the last one, mostly. So
    that number is tried first, and then its neighbour; only after that it goes by halves.
    """

    def __init__(self, render: Callable[[Mapping[str, Fact]], str]) -> None:
        self._render = render
        self._last = 0

    def __call__(self, facts: Mapping[str, Fact], fits: Fits) -> str:
        """The text with the most rows that fits; with one row when not even that does."""
        words = self._render(facts)
        rows, start = facts[ROWS], facts.get(START, 1)
        if not isinstance(rows, tuple) or not isinstance(start, int) or not rows or fits(words):
            return words

        def with_first(count: int) -> str:
            return self._render({**facts, ROWS: rows[:count], NEXT: start + count})

        return self._most(with_first, len(rows) - 1, fits) or (
            with_first(1) if len(rows) > 1 else words
        )

    def _most(self, with_first: Callable[[int], str], most: int, fits: Fits) -> str:
        """The text with the most rows of at most ``most``, or ``""`` if none fits."""
        best, least = "", 1
        guess, guesses = self._last, 2 if self._last else 0
        while least <= most:
            guessed = guesses and least <= guess <= most
            middle = guess if guessed else (least + most + 1) // 2
            shorter = with_first(middle)
            if fits(shorter):
                best, least, guess = shorter, middle + 1, middle + 1
            else:
                most, guess = middle - 1, middle - 1
            guesses -= 1 if guesses else 0
        self._last = least - 1
        return best


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
