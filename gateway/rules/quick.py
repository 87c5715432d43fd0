"""The messages that most people send, read with one expression and a few lookups.

Only what ``match`` would read the same way is read here: a code at either end or a keyword
before them, digits of up to five runs, known separators, and words after them where a command
takes some; nothing else. For all else
``at_once`` gives ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.calls import Argument, Call, Candidate, Misreading, Problem, Understanding
from core.text import MARK, flat, storable
from gateway.rules.scan import ENGLISH
from gateway.rules.values import proven, settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern

_BETWEEN: Final = r"[+*#,./\-_: \r\n،٫٬]"
_PLAIN: Final = re.compile(
    rf"{_BETWEEN}*+([0-9]{{1,20}}+)"
    + rf"(?:{_BETWEEN}++([0-9]{{1,20}}+)" * 4
    + ")?" * 4
    + rf"{_BETWEEN}*+"
).fullmatch
_LETTERS: Final = rf"(?:[^\W\d_]++{MARK}*+)++"
_NAMED: Final = re.compile(
    rf"{_BETWEEN}*+({_LETTERS}(?: {_LETTERS})*+)"
    + rf"(?:{_BETWEEN}++([0-9]{{1,20}}+)" * 5
    + ")?" * 5
    + rf"{_BETWEEN}*+"
).fullmatch

_TOLD: Final = re.compile(
    rf"{_BETWEEN}*+({_LETTERS}(?: {_LETTERS})*+){_BETWEEN}++([0-9]{{1,20}}+)"
    + rf"(?:{_BETWEEN}++([0-9]{{1,20}}+)" * 4
    + ")?" * 4
    + rf"{_BETWEEN}++([^\W\d_][^0-9]*+)"
).fullmatch
"""Words after the figures, with no figure among them that could be one more field or a code."""

_MOST_COURTESIES: Final = 3


def at_once(grammar: Grammar, text: str) -> Understanding | None:
    """Every reading of a plainly written command, or ``None`` for any other text."""
    plain = flat(text)
    found = _PLAIN(plain)
    if found is not None:
        return _by_code(grammar, text, found)
    return _by_keyword(grammar, text, plain) or _telling(grammar, text, plain)


def _by_keyword(grammar: Grammar, text: str, plain: str) -> Understanding | None:
    """Read a keyword and its fields. All words are the keyword's: so no other one is longer.

    Courtesies may stand before it: «سلام آخرین قبض».
    """
    found = _NAMED(plain)
    if found is None:
        return None
    phrase, *runs = found.groups()[: found.lastindex]
    phrase = phrase.replace(MARK, "").lower()
    pattern = grammar.names.get(phrase) or _behind_courtesies(grammar, phrase)
    # A code among the figures may be the command's own, or nobody's: that takes more care.
    if pattern is None or not grammar.codes.keys().isdisjoint(runs):
        return None
    spans = [found.span(2 + place) for place in range(len(runs))]
    understood = _read(grammar, pattern, text, runs, spans)
    if understood is None or not phrase.isascii():
        return understood
    # Two readings of an English text are told of in English, which is rare enough to wait.
    return None if understood.problem else understood._replace(language=ENGLISH)


def _telling(grammar: Grammar, text: str, plain: str) -> Understanding | None:
    """Read a keyword with its figures and then what somebody tells: ``gateway.rules.free_text``.

    In English, or without figures, the words may be anything: that takes more care.
    """
    found = _TOLD(plain)
    if found is None:
        return None
    phrase, *figures, _told = found.groups()
    phrase = phrase.replace(MARK, "").lower()
    pattern = grammar.keywords.get(phrase)
    if (
        pattern is None
        or not pattern.takes_text
        or phrase in grammar.beginnings
        or phrase.isascii()
    ):
        return None
    runs = [run for run in figures if run is not None]
    if not grammar.codes.keys().isdisjoint(runs):
        return None
    spans = [found.span(2 + place) for place in range(len(runs))]
    understood = _read(grammar, pattern, text, runs, spans)
    if understood is None or understood.problem:
        return None
    (operation, arguments), hidden = understood.candidates[0]
    told = storable(text[found.start(found.lastindex or 0) :].rstrip())
    call = Call(operation, {**arguments, Argument.TEXT: told})
    masked = storable(hidden)
    return Understanding((Candidate(call, masked),), None, masked)


def _behind_courtesies(grammar: Grammar, phrase: str) -> Pattern | None:
    for _ in range(_MOST_COURTESIES):
        first, _space, phrase = phrase.partition(" ")
        if not phrase or first not in grammar.mere_courtesies:
            break
        pattern = grammar.names.get(phrase)
        if pattern is not None:
            return pattern
    return None


def _by_code(grammar: Grammar, text: str, found: re.Match[str]) -> Understanding | None:
    runs = found.groups()[: found.lastindex]
    pattern = grammar.codes.get(runs[0])
    if pattern is not None:
        rest, first = runs[1:], 2
    else:
        pattern = grammar.codes.get(runs[-1])
        if pattern is None:
            return None
        rest, first = runs[:-1], 1
    if pattern.takes_text or not grammar.codes.keys().isdisjoint(rest):
        return None
    return _read(grammar, pattern, text, rest, [found.span(first + n) for n in range(len(rest))])


def _read(
    grammar: Grammar,
    pattern: Pattern,
    text: str,
    runs: Sequence[str],
    spans: Sequence[tuple[int, int]],
) -> Understanding | None:
    candidates: list[Candidate] = []
    hidden_in_all = text
    for order in pattern.arrangements(tuple(map(len, runs))):
        arguments = dict(zip(order, runs, strict=True))
        if pattern.proves:
            if not proven(arguments):
                continue
            arguments = settled(arguments)
        stored = text
        hidden = grammar.hidden_in(arguments)
        if hidden is not None:
            start, end = spans[order.index(hidden)]
            stored = _starred(text, start, end)
            hidden_in_all = _starred(hidden_in_all, start, end)
        if pattern.fixed:
            arguments.update(pattern.fixed)
        if all(arguments != candidate.call.arguments for candidate in candidates):
            candidates.append(Candidate(Call(pattern.operation, arguments), stored))
    if len(candidates) > 1:
        problem = Problem(Misreading.AMBIGUOUS, {"code": pattern.name, "format": pattern.format})
        return Understanding(tuple(candidates), problem, hidden_in_all)
    if not candidates:
        return None
    sole = Candidate(candidates[0].call, hidden_in_all)
    return Understanding((sole,), None, hidden_in_all)


def _starred(text: str, start: int, end: int) -> str:
    return text[:start] + "*" * (end - start) + text[end:]
