"""Tracking numbers (شماره پیگیری): what a request is asked after by, with a check digit.

People read them to each other and type them from paper, so the last digit is a check by
Damm's algorithm (H. M. Damm, *Total anti-symmetrische Quasigruppen*, 2004): it catches every
wrong digit and every two neighbours that were swapped, and needs no letter for a tenth value.
A number has 8 to 10 digits and never begins with zero. Pure; see docs/requests.md.
"""

from __future__ import annotations

from typing import Final

from core.identifiers import Check

FIRST: Final = 1_000_000
"""The first number of a utility's sequence, before its check digit."""
LAST: Final = 999_999_999
SHORTEST: Final = 8
LONGEST: Final = 10

_STEP: Final = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
"""Damm's own quasigroup of order ten: weakly totally anti-symmetric, zeros on the diagonal."""


def make(number: int) -> str:
    """The tracking number of the ``number``-th request of a sequence that begins with ``FIRST``.

    Raises ``ValueError`` outside ``FIRST`` to ``LAST``.
    """
    if not FIRST <= number <= LAST:
        raise ValueError(f"no tracking number can be made of {number}")
    return f"{number}{_interim(str(number))}"


def check(tracking: str) -> Check:
    """What is wrong with a tracking number, or ``VALID``; ASCII digits."""
    if not (tracking.isascii() and tracking.isdigit()):
        return Check.NOT_DIGITS
    if not SHORTEST <= len(tracking) <= LONGEST or tracking[0] == "0":
        return Check.LENGTH
    return Check.VALID if _interim(tracking) == "0" else Check.CHECK_DIGIT


def body(tracking: str) -> str:
    """A tracking number without its check digit: its place in the sequence."""
    return tracking[:-1]


def _interim(digits: str) -> str:
    state = "0"
    for digit in digits:
        state = _STEP[int(state)][int(digit)]
    return state
