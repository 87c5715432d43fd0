"""Screens cut to what a handset shows at once.

A USSD string is 160 octets: 80 units of UCS-2, which Persian needs, or 182 characters of
GSM-7 (DOMAIN section 7); a network may allow less. A text is broken at words, an option never
within itself, and every page but the last says which key brings the next one. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.listing import units
from gateway.smpp.text import encode_gsm

UNITS: Final = 80
"""Of UCS-2 in 160 octets …"""
SEPTETS: Final = 182
"""… and of GSM-7."""
RIGHT_TO_LEFT: Final = "\u200f"
_FIRST_RTL: Final = 0x0590
_LAST_RTL: Final = 0x08FF


@dataclass(frozen=True, slots=True)
class PageSize:
    """How much one page of a line holds, and how it is written."""

    units: int = UNITS
    """UTF-16 units, when a character of the page is not of GSM-7."""
    septets: int = SEPTETS
    """Characters when all of them are of GSM-7; an extension character counts twice."""
    always_ucs2: bool = False
    """Whether even a Latin text goes out as UCS-2."""
    marks: bool = False
    """Whether each Persian line begins with a right-to-left mark, for handsets that need it."""

    def fits(self, text: str) -> bool:
        """Whether a text is one page at most, as it will be written."""
        written = self.written(text)
        septets = None if self.always_ucs2 else encode_gsm(written)
        if septets is not None:
            return len(septets) <= self.septets
        return units(written) <= self.units

    def written(self, text: str) -> str:
        """The text with the marks that this line's handsets need."""
        if not self.marks:
            return text
        lines = text.split("\n")
        return "\n".join(RIGHT_TO_LEFT + line if _is_persian(line) else line for line in lines)


class Content(NamedTuple):
    """What a screen says, before it is cut."""

    body: str
    options: tuple[str, ...] = ()
    """Lines that are never broken: ``۱ پرداخت``."""
    hints: tuple[str, ...] = ()
    """Lines for the end of the last page, as far as it has room for them."""


class _Piece(NamedTuple):
    """What a page takes whole."""

    text: str
    glue: str
    """What stands before it unless it begins the page."""


def pages_of(content: Content, more: str, size: PageSize) -> tuple[str, ...]:
    """The pages of a screen, at least one; each fits ``size``.

    ``more`` is the line that ends every page but the last. Blanks and line ends at which a
    page is broken are dropped; everything else is on some page.
    """
    rest = deque(_pieces(content, more, size))
    pages: list[str] = []
    while True:
        last = _joined(rest)
        if size.fits(last):
            pages.append(size.written(_hinted(last, content.hints, size)))
            return tuple(pages)
        pages.append(size.written(f"{_fill(rest, more, size)}\n{more}"))


def _hinted(text: str, hints: Sequence[str], size: PageSize) -> str:
    for hint in hints:
        longer = f"{text}\n{hint}" if text else hint
        text = longer if size.fits(longer) else text
    return text


def _fill(rest: deque[_Piece], more: str, size: PageSize) -> str:
    """Take from ``rest`` what a page with ``more`` at its end has room for."""
    taken = ""
    while rest:
        piece = rest[0]
        longer = taken + piece.glue + piece.text if taken else piece.text
        if not size.fits(f"{longer}\n{more}"):
            break
        taken = longer
        rest.popleft()
    if taken or not rest:
        return taken
    piece = rest.popleft()
    length = _room(piece.text, more, size)
    rest.appendleft(_Piece(piece.text[length:], "\n"))
    return piece.text[:length]


def _room(word: str, more: str, size: PageSize) -> int:
    """How many characters of a word that is longer than a page go on one; one at least."""
    length = len(word) - 1
    while length > 1 and not size.fits(f"{word[:length]}\n{more}"):
        length -= 1
    return length


def _joined(pieces: Sequence[_Piece] | deque[_Piece]) -> str:
    return "".join(
        piece.glue + piece.text if place else piece.text for place, piece in enumerate(pieces)
    )


def _pieces(content: Content, more: str, size: PageSize) -> list[_Piece]:
    found: list[_Piece] = []
    for line in content.body.strip().split("\n") if content.body.strip() else ():
        # A row of a list or an ID stands whole on a page; a sentence goes on on the next.
        is_row = size.fits(f"{line} {line}\n{more}")
        found += [_Piece(line.strip(), "\n")] if is_row else _words(line.split())
    for option in content.options:
        if size.fits(f"{option}\n{more}"):
            found.append(_Piece(option, "\n"))
            continue
        digit, *words = option.split()
        found += _words([f"{digit} {words[0]}", *words[1:]] if words else [digit])
    return found


def _words(words: Sequence[str]) -> list[_Piece]:
    return [_Piece(word, " " if place else "\n") for place, word in enumerate(words)]


def _is_persian(line: str) -> bool:
    return any(_FIRST_RTL <= ord(sign) <= _LAST_RTL for sign in line)
