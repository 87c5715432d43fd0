"""What was dialled or typed, in pieces, and what of it may be stored.

People dial a whole path at once (``*1522*2*1#``) and type several answers in one
(``2*1``). Whatever a session does not take as a choice or an answer may be a secret code at
the wrong place, so that all of its digits are masked.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import Final, NamedTuple

from core.text import ascii_digits, normalise, storable, without_digits

MOST_PIECES: Final = 20
"""Of one string; a handset sends no more, and what is behind them is not used."""
_PIECE: Final = re.compile(r"[^*#]+")
_INSIDE: Final = re.compile(r"[\s._,/+-]+")


class Piece(NamedTuple):
    """One of the answers in a string."""

    text: str
    """With ASCII digits, trimmed."""
    start: int
    end: int


class Typed:
    """A string on its way through a session."""

    def __init__(self, text: str, *, line: str = "", whole: bool = False) -> None:
        """Take a string apart; ``line`` is the code it was dialled with, whose digits are none.

        ``whole`` takes it as one piece, for an answer in words. A string that does not begin
        with the line's code has no pieces: nobody knows what it means.
        """
        self.text = storable(text)
        self._open: list[tuple[int, int]] = []
        flat = ascii_digits(self.text)
        self.pieces: deque[Piece] = deque()
        if whole:
            # Words stay as they were written; figures may be keys.
            plain = normalise(self.text).strip()
            words = plain if plain.isdigit() else self.text.strip()
            self.pieces.append(Piece(words, 0, len(self.text)))
            return
        found = [
            Piece(normalise(each[0]).strip(), each.start(), each.end())
            for each in islice(_PIECE.finditer(flat), MOST_PIECES)
            if each[0].strip()
        ]
        code = _PIECE.findall(line)
        if code and [piece.text for piece in found[: len(code)]] == code:
            self._open += [(piece.start, piece.end) for piece in found[: len(code)]]
            self.pieces.extend(found[len(code) :])
        elif not code:
            self.pieces.extend(found or [Piece("", 0, len(flat))])

    @classmethod
    def kept(cls, pieces: tuple[str, ...]) -> Typed:
        """Answers that a session kept while an operation ran."""
        typed = cls("")
        typed.pieces = deque(Piece(text, 0, 0) for text in pieces)
        return typed

    def reveal(self, piece: Piece) -> None:
        """It was understood, and is no secret."""
        self._open.append((piece.start, piece.end))

    def drop(self) -> None:
        """Use no more of it."""
        self.pieces.clear()

    @property
    def masked(self) -> str:
        """The string as it may be stored."""
        shown = ""
        place = 0
        for start, end in sorted(self._open):
            shown += without_digits(self.text[place:start]) + self.text[start:end]
            place = end
        return shown + without_digits(self.text[place:])


def digits_of(piece: str) -> str:
    """The digits of an answer that is a figure, however it was grouped; "" for none."""
    joined = _INSIDE.sub("", piece)
    return joined if joined.isascii() and joined.isdigit() else ""
