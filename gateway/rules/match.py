"""Understanding a text: every call that its form allows, or what was wrong with it.

Source: DOMAIN section 3. What people mostly send, one published command with known
separators, is read by one expression and a few lookups (``_at_once``). All else is taken
apart and read in tiers (``_readings``): the first tier that finds a reading ends the search,
and all readings of that tier are candidates.

1. A command's code among the digit runs, or its keyword among the words.
2. A code whose leading zeros were lost on the way.
3. Fields, or all of the message, written without separators between (``together``).
4. Fields alone, where the line says what bare fields mean.

Which field a run is follows from the lengths of runs and the check digits of identifiers:
the published order, its reverse, and any other order that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from core.calls import Argument, Call, Candidate, Misreading, Problem, Understanding
from core.text import flat
from gateway.rules import together
from gateway.rules.fault import problem_of, veiled
from gateway.rules.grammar import SHORT_CODE, Grammar
from gateway.rules.keyword import keywords_in, sign_of
from gateway.rules.pattern import Form, Pattern, proven
from gateway.rules.reading import Reading
from gateway.rules.scan import Message, Run, masked, scan, text_after

_BETWEEN: Final = r"[+*#,./\-_: \r\n،٫٬]"
_PLAIN: Final = re.compile(
    rf"{_BETWEEN}*+([0-9]{{1,20}}+)"
    + "".join(rf"(?:{_BETWEEN}++([0-9]{{1,20}}+)" for _ in range(4))
    + ")?" * 4
    + rf"{_BETWEEN}*+"
).fullmatch


def understand(grammar: Grammar, text: str) -> Understanding:
    """Return all that the form of ``text`` allows it to say. Never raises."""
    return _at_once(grammar, text) or _thoroughly(grammar, text)


def _at_once(grammar: Grammar, text: str) -> Understanding | None:
    """Read a code at either end and fields with one arrangement, or leave it."""
    found = _PLAIN(flat(text))
    if found is None:
        return None
    last = found.lastindex or 1
    runs = found.groups()[:last]
    first_field = 2
    pattern = grammar.codes.get(runs[0])
    if pattern is not None:
        rest = runs[1:]
    else:
        pattern = grammar.codes.get(runs[-1])
        if pattern is None:
            return None
        rest = runs[:-1]
        first_field = 1
    if pattern.takes_text or not grammar.codes.keys().isdisjoint(rest):
        return None
    arrangements = pattern.arrangements(tuple(map(len, rest)))
    if len(arrangements) != 1:
        return None
    return _sole(grammar, pattern, arrangements[0], text, found, first_field)


def _sole(  # noqa: PLR0913  (a call made once for each message; a carrier would cost more)
    grammar: Grammar,
    pattern: Pattern,
    order: Form,
    text: str,
    found: re.Match[str],
    first_field: int,
) -> Understanding | None:
    groups = range(first_field, first_field + len(order))
    arguments = {argument: found[group] for argument, group in zip(order, groups, strict=True)}
    if pattern.proves and not proven(arguments):
        return None
    hidden = Argument.CODE
    if hidden not in arguments:
        hidden = Argument.READING
        if not (
            grammar.keeps_secrets
            and Argument.NUMBER in arguments
            and grammar.may_be_secret(len(arguments.get(hidden, "")))
        ):
            candidate = Candidate(Call(pattern.operation, arguments), text)
            return Understanding((candidate,), None, text)
    start, end = found.span(first_field + order.index(hidden))
    stored = text[:start] + "*" * (end - start) + text[end:]
    return Understanding((Candidate(Call(pattern.operation, arguments), stored),), None, stored)


def _thoroughly(grammar: Grammar, text: str) -> Understanding:
    message = scan(text)
    readings = _distinct(_readings(grammar, message))
    if not readings:
        problem = problem_of(grammar, message)
        return Understanding((), problem, veiled(grammar, message))
    hidden = [reading.hidden(grammar) for reading in readings]
    candidates = tuple(
        Candidate(reading.call, masked(text, runs))
        for reading, runs in zip(readings, hidden, strict=True)
    )
    if len(candidates) == 1:
        return Understanding(candidates, None, candidates[0].masked)
    first = readings[0].pattern
    facts = {"code": first.name, "format": first.format}
    stored = masked(text, (run for runs in hidden for run in runs))
    return Understanding(candidates, Problem(Misreading.AMBIGUOUS, facts), stored)


def _distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Put readings in the order of publication, one for each call that they make."""
    found: dict[tuple[object, ...], Reading] = {}
    for reading in sorted(readings, key=lambda reading: reading.pattern.rank):
        found.setdefault(reading.key, reading)
    return list(found.values())


def _readings(grammar: Grammar, message: Message) -> list[Reading]:
    if message.blank:
        return _sign(grammar, message)
    return (
        [*_by_code(grammar, message, grammar.codes), *_by_keyword(grammar, message)]
        or [*_by_code(grammar, message, grammar.shortened)]
        or [*together.readings(grammar, message)]
        or [*_bare(grammar, message)]
    )


def _sign(grammar: Grammar, message: Message) -> list[Reading]:
    """Read a keyword that is no word, such as ``?``, once or several times."""
    pattern = grammar.keywords.get(sign_of(message))
    return [Reading(pattern, ())] if pattern is not None and () in pattern.forms else []


def _by_code(grammar: Grammar, message: Message, codes: Mapping[str, Pattern]) -> Iterator[Reading]:
    runs = message.runs
    for place, run in enumerate(runs[: grammar.most_runs]):
        pattern = codes.get(run.digits)
        if pattern is None:
            continue
        if pattern.takes_text:
            if place == 0 and not _words_before(grammar, message, run.places[0]):
                yield from _with_text(pattern, message, run.places[-1] + 1)
        elif len(runs) <= grammar.most_runs:
            rest = runs[:place] + runs[place + 1 :]
            if rest or len(run.digits) >= SHORT_CODE or _stands_alone(grammar, message, pattern):
                yield from bound(pattern, rest)


def _stands_alone(grammar: Grammar, message: Message, pattern: Pattern) -> bool:
    """Whether the words beside a short code are its own keywords or courtesies."""
    own = grammar.own_words[pattern.rank]
    return all(word.letters in own for word in message.words)


def _words_before(grammar: Grammar, message: Message, place: int) -> bool:
    return any(
        word.start < place and word.letters not in grammar.courtesies for word in message.words
    )


def _by_keyword(grammar: Grammar, message: Message) -> Iterator[Reading]:
    for pattern, start, end in keywords_in(grammar, message):
        if pattern.takes_text:
            no_run_before = not message.runs or message.runs[0].places[0] > start
            if no_run_before and not _words_before(grammar, message, start):
                yield from _with_text(pattern, message, end)
        elif len(message.runs) <= grammar.most_runs:
            yield from bound(pattern, message.runs)


def bound(pattern: Pattern, runs: Sequence[Run]) -> Iterator[Reading]:
    """Give each run of digits to a field, in every way that fits."""
    for order in pattern.arrangements(tuple(len(run.digits) for run in runs)):
        reading = Reading(pattern, tuple(zip(order, runs, strict=True)))
        if not pattern.proves or proven(reading.arguments):
            yield reading


def _with_text(pattern: Pattern, message: Message, start: int) -> Iterator[Reading]:
    """Read fields and then free text from ``start`` on: as many fields as fit."""
    next_word = next((word.start for word in message.words if word.start >= start), None)
    runs = [
        run
        for run in message.runs
        if run.places[0] >= start and (next_word is None or run.places[0] < next_word)
    ]
    for form in pattern.forms:
        fields = runs[: len(form)]
        if len(fields) < len(form):
            continue
        after = fields[-1].places[-1] + 1 if fields else start
        text = text_after(message, after)
        readings = list(bound(pattern, fields)) if text else []
        if readings:
            yield from (reading._replace(text=text) for reading in readings)
            return


def _bare(grammar: Grammar, message: Message) -> Iterator[Reading]:
    if any(word.letters not in grammar.courtesies for word in message.words):
        return
    for pattern in grammar.patterns:
        if pattern.bare and len(pattern.full) == len(message.runs):
            yield from bound(pattern, message.runs)
