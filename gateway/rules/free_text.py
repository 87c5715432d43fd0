"""What a subscriber tells in words of their own, after a command and its fields.

People write their number and code where they like in it. Beside the command they are fields;
further on they are words like any other, only that what may be a code is hidden there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.calls import Argument
from gateway.rules.grammar import SHORT_CODE, words_of
from gateway.rules.reading import bound
from gateway.rules.scan import starred, text_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.reading import Reading
    from gateway.rules.scan import Message, Run


def has_text(message: Message, start: int) -> bool:
    """Whether there are words from ``start`` on."""
    return bool(message.words) and message.words[-1].start >= start


def with_text(
    grammar: Grammar, pattern: Pattern, message: Message, start: int
) -> Iterator[Reading]:
    """Read fields and then free text from ``start`` on: as many fields as fit.

    The text has words in it, and does not begin with a figure that may be meant as a field.
    Names of fields and courtesies may stand before and among the fields.
    """
    words = [word for word in message.words if word.start >= start]
    own = grammar.own_words[pattern.rank]
    first = next((word for word in words if word.letters not in own), next(iter(words), None))
    if first is None:
        return
    runs = [run for run in message.runs if start <= run.places[0] < first.start]
    for form in pattern.forms:
        fields, others = runs[: len(form)], runs[len(form) :]
        meant = any(len(run.digits) > SHORT_CODE for run in others)
        if len(fields) < len(form) or (meant and form != pattern.full):
            continue
        readings = list(bound(pattern, fields))
        if readings:
            begins = fields[-1].places[-1] + 1 if fields else start
            yield from (_telling(grammar, message, reading, begins) for reading in readings)
            return


def _telling(grammar: Grammar, message: Message, reading: Reading, begins: int) -> Reading:
    secrets = tuple(_secrets(grammar, message, reading.pattern, begins))
    hidden = message._replace(text=starred(message.text, secrets))
    return reading._replace(text=text_after(hidden, begins), secrets=secrets)


def _secrets(grammar: Grammar, message: Message, pattern: Pattern, begins: int) -> Iterator[Run]:
    """What from ``begins`` on has the length of a code and stands where people write theirs.

    That is beside a subscription number, or after the word for it: a figure elsewhere is a
    house number or a year, and worth keeping.
    """
    known = grammar.fields.get(Argument.CODE)
    title = words_of([known.title]) if known else frozenset[str]()
    own, courtesies = grammar.own_words[pattern.rank], grammar.courtesies
    runs = [run for run in message.runs if run.places[0] >= begins]
    before = _words_before(message, runs, begins)
    beside = [all(word in own for word in words) for words in before]
    numbers = [_is_number(grammar, run) for run in runs]
    for place, run in enumerate(runs):
        after_number = place > 0 and numbers[place - 1] and beside[place]
        before_number = place + 1 < len(runs) and numbers[place + 1] and beside[place + 1]
        beyond = next((word for word in reversed(before[place]) if word not in courtesies), "")
        if grammar.may_be_secret(len(run.digits)) and (
            after_number or before_number or beyond in title
        ):
            yield run


def _words_before(message: Message, runs: Sequence[Run], begins: int) -> list[list[str]]:
    """For each of ``runs``, the words between the one before it, or ``begins``, and it."""
    words = iter(word for word in message.words if word.start >= begins)
    word = next(words, None)
    found: list[list[str]] = []
    for run in runs:
        found.append([])
        while word is not None and word.start < run.places[0]:
            found[-1].append(word.letters)
            word = next(words, None)
    return found


def _is_number(grammar: Grammar, run: Run) -> bool:
    field = grammar.fields.get(Argument.NUMBER)
    return field is not None and field.shortest <= len(run.digits) <= field.longest
