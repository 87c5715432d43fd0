"""Cells into values: one function for each sort of cell, from text that is not blank.

Each raises ``CellError`` with the reason in words; ``core.jalali`` and
``core.identifiers`` hold the rules of dates, mobiles and check digits.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from core.identifiers import LONGEST_ID, SHORTEST_ID, Check, MobileError, check_bill_id
from core.identifiers import check_payment_id as check_payment
from core.identifiers import mobile as normal_mobile
from core.importing.errors import CellError
from core.jalali import DateError, parse_date, parse_instant
from core.text import fold, normalise, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_RIAL: Final = 10**13
"""More than any bill; a larger figure is two numbers run together."""

_EXCEL_TAIL: Final = re.compile(r"\.0+\Z")
_EXCEL_ROUNDED: Final = re.compile(r"[0-9.]+[eE]\+?[0-9]+")
_BETWEEN_THOUSANDS: Final = str.maketrans("", "", ",٬،' \u00a0\u202f")
_MINUS: Final = str.maketrans("−–", "--")
_BETWEEN_MOBILES: Final = re.compile(r"[/;,،؛|\n]+|\s+(?=\+|0|9)")
_TEXTS: Final = 500


def text(cell: str) -> str:
    """Free text: Persian letters made one, unseen marks but the half-space left out."""
    if cell.isascii() and "\0" not in cell:
        clean = " ".join(cell.split())
    else:
        clean = " ".join(_letters(storable(cell)).split())
    if len(clean) > _TEXTS:
        raise CellError(f"has {len(clean)} characters; at most {_TEXTS} are taken")
    return clean


def _letters(cell: str) -> str:
    # The half-space belongs to the spelling of names; all else that is unseen goes.
    return "\u200c".join(normalise(piece) for piece in cell.split("\u200c"))


def digits(longest: int) -> Callable[[str], str]:
    """Give the parser of a number that is a name, such as a subscription's: zeros stay."""

    def parse(cell: str) -> str:
        if not (cell.isascii() and cell.isdigit()):
            cell = _plain(cell)
            if not cell.isdigit():
                raise CellError(f"{_shown(cell)} is not made of digits")
        if len(cell) > longest:
            raise CellError(f"has {len(cell)} digits; at most {longest} are taken")
        return cell

    return parse


def figure(least: int, most: int) -> Callable[[str], int]:
    """Give the parser of a whole number, with or without marks between the thousands."""

    def parse(cell: str) -> int:
        try:
            value = int(cell)
        except ValueError:
            value = _figure(cell)
        if not least <= value <= most:
            raise CellError(_out_of(value, least, most))
        return value

    return parse


def _figure(cell: str) -> int:
    plain = _plain(cell.translate(_MINUS)).translate(_BETWEEN_THOUSANDS)
    try:
        return int(plain)
    except ValueError:
        raise CellError(f"{_shown(plain)} is not a whole number") from None


def _out_of(value: int, least: int, most: int) -> str:
    if value < 0 <= least:
        return f"{value:,} is negative"
    return f"{value:,} is not between {least:,} and {most:,}"


def day(cell: str) -> date:
    """A Jalali or Gregorian date, from 1300/01/01 on."""
    try:
        found = _day(cell)
    except DateError as error:
        raise CellError(str(error)) from None
    if found < _EARLIEST:
        raise CellError("is before 1300/01/01")
    return found


def instant(cell: str) -> int:
    """A date, with or without a time (Tehran's where no zone is said): UTC milliseconds."""
    day(cell)
    try:
        return _instant(cell)
    except DateError as error:
        raise CellError(str(error)) from None


# A file holds few different dates, each many times.
_day = lru_cache(maxsize=4096)(parse_date)
_EARLIEST: Final = date(1921, 3, 21)


@lru_cache(maxsize=4096)
def _instant(cell: str) -> int:
    return int(parse_instant(cell).timestamp() * 1000)


def mobiles(cell: str) -> tuple[str, ...]:
    """Mobiles with ``/``, ``;``, a comma, a line end or a blank between; E.164 digits."""
    try:
        return (normal_mobile(_EXCEL_TAIL.sub("", cell)),)
    except MobileError:
        pass
    found = []
    for piece in _BETWEEN_MOBILES.split(normalise(cell)):
        if piece.strip():
            try:
                found.append(normal_mobile(piece))
            except MobileError:
                raise CellError(f"{_shown(piece.strip())} is not a mobile number") from None
    return tuple(dict.fromkeys(found))


def bill_id(cell: str) -> str:
    """A bill ID whose check digit is right; zeros before it are left out."""
    return _identifier(cell, check_bill_id, "bill ID")


def payment_id(cell: str) -> str:
    """A payment ID whose first check digit is right; the second needs the bill ID."""
    return _identifier(cell, check_payment, "payment ID")


def _identifier(cell: str, check: Callable[[str], Check], name: str) -> str:
    plain = _plain(cell).lstrip("0")
    found = check(plain)
    if found is Check.NOT_DIGITS:
        raise CellError(f"{_shown(plain)} is not made of digits")
    if found is Check.LENGTH:
        raise CellError(
            f"has {len(plain)} digits; a {name} has between {SHORTEST_ID} and {LONGEST_ID}"
        )
    if found is Check.CHECK_DIGIT:
        raise CellError(f"{plain} is not a {name}: its check digit is wrong")
    return plain


def one_of(*names: str) -> Callable[[str], str]:
    """Give the parser of a word out of a few, in any case."""

    def parse(cell: str) -> str:
        word = cell.strip().lower()
        if word not in names:
            raise CellError(f"{_shown(word)} is none of {', '.join(names)}")
        return word

    return parse


def word_for(names: Mapping[str, tuple[str, ...]]) -> Callable[[str], str]:
    """Give the parser of a word that the database has under one of ``names``, in any case.

    Each name goes by itself and by the words that stand beside it.
    """
    known = {fold(word): name for name, words in names.items() for word in (name, *words)}

    def parse(cell: str) -> str:
        name = known.get(fold(cell))
        if name is None:
            raise CellError(f"{_shown(cell.strip())} is none of {', '.join(names)}")
        return name

    return parse


_YES_OR_NO: Final = word_for(
    {
        "yes": ("1", "true", "y", "بله", "بلی", "دارد", "هست"),
        "no": ("0", "false", "n", "خیر", "نه", "ندارد", "نیست"),
    }
)


def yes_or_no(cell: str) -> bool:
    """Whether it is so."""
    return _YES_OR_NO(cell) == "yes"


def _plain(cell: str) -> str:
    """The cell in ASCII digits, without what Excel adds; refuses what Excel has cut."""
    plain = normalise(cell).strip()
    if _EXCEL_ROUNDED.fullmatch(plain):
        raise CellError(
            f"{_shown(plain)} was rounded by Excel and its digits are lost: "
            "make the column Text and export it again"
        )
    return _EXCEL_TAIL.sub("", plain)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")  # noqa: PLR2004
