"""All the commands of a profile, with the tables that find one by what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from core.calls import Argument
from core.text import MARK, fold
from gateway.rules.pattern import Field, Pattern

SHORT_CODE: Final = 3
"""A run of up to this many digits may be somebody's idea of a code, and is no secret."""


@dataclass(frozen=True)
class Wording:
    """What was wrong with a message, in the utility's words; made once for each field."""

    missing: Mapping[Argument, str]
    length: Mapping[Argument, str]
    check: Mapping[Argument, str]
    extra: str
    alone: str
    """Of a command without fields, when there is more in the message."""
    formats: dict[int, str] = field(default_factory=dict)
    """How to write commands, by rank, where it is not written as the pattern says."""


@dataclass(frozen=True)
class Grammar:
    """A profile's commands. ``patterns`` stand in the order of publication."""

    patterns: tuple[Pattern, ...]
    fields: Mapping[Argument, Field]
    wording: Wording
    courtesies: frozenset[str] = frozenset()
    """Words, folded, that change nothing anywhere: «سلام», «عدد»."""
    other_wordings: Mapping[str, Wording] = field(default_factory=dict)
    """The wording for texts in another language than Persian."""
    mere_courtesies: frozenset[str] = field(init=False)
    """Those that no keyword begins with."""
    codes: Mapping[str, Pattern] = field(init=False)
    shortened: Mapping[str, Pattern] = field(init=False)
    """Codes by what is left when a phone or a spreadsheet drops their leading zeros."""
    keywords: Mapping[str, Pattern] = field(init=False)
    names: Mapping[str, Pattern] = field(init=False)
    """The keywords that are a message by themselves or with figures, and no mere courtesy."""
    beginnings: frozenset[str] = field(init=False)
    """What longer keywords begin with: words that follow may belong to one."""
    longest_keyword: int = field(init=False)
    """In words."""
    most_runs: int = field(init=False)
    """No message has more digit runs than this, but for what stands in free text."""
    own_words: tuple[frozenset[str], ...] = field(init=False)
    """For each pattern, by rank, the words that may stand in a message without a number:
    courtesies, titles of fields, its keywords."""
    keeps_secrets: bool = field(init=False)
    """Whether any command takes the subscriber's code."""

    def __post_init__(self) -> None:
        codes = {code: pattern for pattern in self.patterns for code in pattern.codes}
        keywords = {
            spelling: pattern
            for pattern in self.patterns
            for word in pattern.keywords
            for spelling in spellings(word)
        }
        common = self.courtesies | words_of(known.title for known in self.fields.values())
        for name, value in (
            ("codes", codes),
            ("shortened", _shortened(codes)),
            ("keywords", keywords),
            ("mere_courtesies", self.courtesies - {word.partition(" ")[0] for word in keywords}),
            ("names", _names(keywords, self.courtesies)),
            ("beginnings", frozenset(start for word in keywords for start in _beginnings(word))),
            ("longest_keyword", max((len(word.split()) for word in keywords), default=0)),
            ("most_runs", 1 + max((len(pattern.full) for pattern in self.patterns), default=0)),
            (
                "own_words",
                tuple(common | own_words(pattern) for pattern in self.patterns),
            ),
            ("keeps_secrets", any(Argument.CODE in pattern.full for pattern in self.patterns)),
        ):
            object.__setattr__(self, name, value)

    def wording_in(self, language: str) -> Wording:
        """The wording for a text in ``language``; the first one where there is no other."""
        return self.other_wordings.get(language, self.wording)

    def may_be_secret(self, length: int) -> bool:
        """Whether a run of ``length`` digits has the length of a secret code."""
        secret = self.fields.get(Argument.CODE)
        return secret is not None and secret.shortest <= length <= secret.longest

    def hidden_in(self, arguments: Mapping[Argument, str]) -> Argument | None:
        """The argument that nobody is to see: the code, or what may be one.

        Someone who forgot the reading sends number and code, and where the lengths of both
        are alike that reads as number and reading, or year: so that is hidden there too.
        """
        if Argument.CODE in arguments:
            return Argument.CODE
        if not self.keeps_secrets or Argument.NUMBER not in arguments:
            return None
        for argument in (Argument.READING, Argument.YEAR):
            if self.may_be_secret(len(arguments.get(argument, ""))):
                return argument
        return None


def _shortened(codes: Mapping[str, Pattern]) -> dict[str, Pattern]:
    """Leave out what is a code itself, and what two codes would be shortened to."""
    found: dict[str, Pattern] = {}
    clashing = set(codes)
    for code, pattern in codes.items():
        short = code.lstrip("0")
        if short == code or not short:
            continue
        if short in found:
            clashing.add(short)
        found[short] = pattern
    return {short: pattern for short, pattern in found.items() if short not in clashing}


def _names(keywords: Mapping[str, Pattern], courtesies: frozenset[str]) -> dict[str, Pattern]:
    return {
        keyword: pattern
        for keyword, pattern in keywords.items()
        if (pattern.text_optional or not pattern.takes_text)
        and not courtesies.issuperset(keyword.split())
    }


def _beginnings(keyword: str) -> Iterator[str]:
    """The first word of a keyword, its first two, and so on, but not all of it."""
    words = keyword.split()
    for count in range(1, len(words)):
        yield " ".join(words[:count])


def own_words(pattern: Pattern) -> frozenset[str]:
    """The words of a command's keywords."""
    return words_of(spelling for word in pattern.keywords for spelling in spellings(word))


def spellings(keyword: str) -> dict[str, None]:
    """The ways to write a keyword, folded: «قبض‌ها», «قبض ها» and «قبضها» are one."""
    apart = fold(keyword.replace(MARK, " "))
    return dict.fromkeys((fold(keyword), apart, apart.replace(" ", "")))


def words_of(phrases: Iterable[str]) -> frozenset[str]:
    """Every word of ``phrases``, folded."""
    return frozenset(word for phrase in phrases for word in fold(phrase).split())
