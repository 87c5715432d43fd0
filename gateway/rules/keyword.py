"""Finding a command's keywords among the words of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.text import MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Message, Word


class Keyword(NamedTuple):
    """A keyword that stands in a message, and where."""

    pattern: Pattern
    start: int
    end: int


def keywords_in(grammar: Grammar, message: Message) -> list[Keyword]:
    """The keyword that a message starts with, or else all that stand in it.

    Courtesies before it do not count, though a keyword may have one in it. Of two at one
    place the one of more words is meant.
    """
    words, courtesies = message.words, grammar.courtesies
    found = []
    is_first, behind = True, 0
    for place, word in enumerate(words):
        keyword = _keyword_at(grammar, words, place)
        if keyword is not None and word.start >= behind:
            found.append(keyword)
            behind = keyword.end
            if is_first:
                break
        is_first = is_first and word.letters in courtesies
    return found


def _keyword_at(grammar: Grammar, words: Sequence[Word], place: int) -> Keyword | None:
    """The longest keyword that begins with a word."""
    for count in range(min(grammar.longest_keyword, len(words) - place), 0, -1):
        phrase = " ".join(each.letters for each in words[place : place + count])
        pattern = grammar.keywords.get(phrase)
        if pattern is not None:
            return Keyword(pattern, words[place].start, words[place + count - 1].end)
    return None


def named_in(grammar: Grammar, message: Message) -> list[Pattern]:
    """The commands whose keywords a message begins or ends with; most have none.

    A code of another command does not stand against them: who writes «لغو ۲۱۰» and a
    number wants to stop what 210 starts.
    """
    words = [word for word in message.words if word.letters not in grammar.courtesies]
    if not words:
        return []
    return [
        keyword.pattern
        for keyword in keywords_in(grammar, message)
        if keyword.start <= words[0].start or keyword.end >= words[-1].end
    ]


def sign_of(message: Message) -> str:
    """The one sign that a message without digits and letters is made of, or ``""``."""
    signs = {sign for sign in message.flat if not sign.isspace() and sign != MARK}
    return signs.pop() if len(signs) == 1 else ""
