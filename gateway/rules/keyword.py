"""Finding a command's keywords among the words of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.text import MARK

if TYPE_CHECKING:
    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Message


class Keyword(NamedTuple):
    """A keyword that stands in a message, and where."""

    pattern: Pattern
    start: int
    end: int


def keywords_in(grammar: Grammar, message: Message) -> list[Keyword]:
    """The keyword that a message starts with, or else all that stand in it.

    Courtesies before it do not count. Of two at one place the one of more words is meant.
    """
    words = [word for word in message.words if word.letters not in grammar.courtesies]
    found = []
    for place, word in enumerate(words):
        for count in range(min(grammar.longest_keyword, len(words) - place), 0, -1):
            phrase = " ".join(each.letters for each in words[place : place + count])
            pattern = grammar.keywords.get(phrase)
            if pattern is not None:
                found.append(Keyword(pattern, word.start, words[place + count - 1].end))
                break
        if found and place == 0:
            break
    return found


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
        if keyword.start == words[0].start or keyword.end == words[-1].end
    ]


def sign_of(message: Message) -> str:
    """The one sign that a message without digits and letters is made of, or ``""``."""
    signs = {sign for sign in message.flat if not sign.isspace() and sign != MARK}
    return signs.pop() if len(signs) == 1 else ""
