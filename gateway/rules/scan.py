"""The digit runs and words of a text, each with its place in the text as it came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from core.text import MARK, flat, storable

ENGLISH: Final = "en"

_RUN: Final = re.compile(rf"[0-9][0-9{MARK}]*")
_WORD: Final = re.compile(rf"(?:[^\W\d_]|{MARK})+")
_BLANK: Final = re.compile(r"[\W_]*")


class Run(NamedTuple):
    """Digits that stand together, unseen marks among them left out."""

    digits: str
    places: tuple[int, ...]
    """Where in the text each digit stands."""

    def part(self, start: int, end: int) -> Run:
        """Some of the digits as a run of their own."""
        return Run(self.digits[start:end], self.places[start:end])


class Word(NamedTuple):
    """Letters that stand together, folded for comparing."""

    letters: str
    start: int
    end: int


class Message(NamedTuple):
    """A text taken apart."""

    text: str
    """As it came."""
    flat: str
    """Of the same length: see ``core.text.flat``."""
    runs: tuple[Run, ...]
    words: tuple[Word, ...]

    @property
    def language(self) -> str:
        """``en`` where there are words and all are in Latin letters; else ``""``."""
        words = self.words
        return ENGLISH if words and all(word.letters.isascii() for word in words) else ""

    @property
    def blank(self) -> bool:
        """Whether there is neither a digit nor a letter in it."""
        return not self.runs and not self.words


def scan(text: str) -> Message:
    """Take any text apart, in time linear in its length."""
    plain = flat(text)
    runs = tuple(_run(found) for found in _RUN.finditer(plain))
    words = tuple(
        Word(letters, found.start(), found.end())
        for found in _WORD.finditer(plain)
        if (letters := found[0].replace(MARK, "").lower())
    )
    return Message(text, plain, runs, words)


def _run(found: re.Match[str]) -> Run:
    start, digits = found.start(), found[0]
    if MARK not in digits:
        return Run(digits, tuple(range(start, found.end())))
    places = tuple(start + place for place, digit in enumerate(digits) if digit != MARK)
    return Run(digits.replace(MARK, ""), places)


def text_after(message: Message, place: int) -> str:
    """What follows ``place``, as it was written, without separators before it."""
    found = _BLANK.match(message.flat, place)
    return storable(message.text[found.end() if found else place :].rstrip())


def masked(text: str, hidden: Iterable[Run]) -> str:
    """Return ``text`` with ``*`` for each digit of the ``hidden`` runs, fit to be stored."""
    return storable(starred(text, hidden))


def starred(text: str, hidden: Iterable[Run]) -> str:
    """Return ``text`` with ``*`` for each digit of the ``hidden`` runs, of the same length."""
    places = [place for run in hidden for place in run.places]
    if not places:
        return text
    letters = list(text)
    for place in places:
        letters[place] = "*"
    return "".join(letters)
