"""Understanding a text: every call that its form allows, or what was wrong with it.

Source: DOMAIN section 3. What people mostly send is read ``at_once``. All else is taken
apart and read in tiers (``_readings``): the first tier that finds a reading ends the search,
and all readings of that tier are candidates.

1. A command's code among the digit runs, or its keyword among the words.
2. A code whose leading zeros were lost on the way.
3. Fields, or all of the message, written without separators between (``together``).
4. Fields alone, where the line says what bare fields mean; the two IDs of a bill also with
   the words that stand beside them there.

Which field a run is follows from the lengths of runs and the check digits of identifiers:
the published order, its reverse, and any other order that fits. Words that are no keyword
change nothing beside a subscription number or an identifier; without one, the message has
to be the command and nothing else: «۹ ماه است که قبض نیامده» stops no bills. A keyword that a
message begins or ends with rules out the codes of other commands; but what a subscriber has
to tell (``free_text``) may be about anything: «۳۱۲» and number and code, «کنتور خراب است».
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.calls import Argument, Candidate, Misreading, Problem, Understanding
from gateway.rules import together
from gateway.rules.fault import problem_of, veiled
from gateway.rules.free_text import has_text, with_text
from gateway.rules.grammar import own_words
from gateway.rules.keyword import keywords_in, named_in, sign_of
from gateway.rules.quick import at_once
from gateway.rules.reading import Reading, bound
from gateway.rules.scan import masked, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Message, Run

_SUBSCRIPTION = (
    Argument.NUMBER,
    Argument.BILL_ID,
    Argument.PAYMENT_ID,
    Argument.METER_SERIAL,
    Argument.TRACKING,
    Argument.MOBILE,
)
"""The fields that say whom or what is meant: nobody writes one by chance."""
_PAIR = {Argument.BILL_ID, Argument.PAYMENT_ID}


def understand(grammar: Grammar, text: str) -> Understanding:
    """All that the form of ``text`` allows it to say. Never raises."""
    return at_once(grammar, text) or _thoroughly(grammar, text)


def _thoroughly(grammar: Grammar, text: str) -> Understanding:
    message = scan(text)
    readings = sorted(_readings(grammar, message), key=lambda reading: reading.pattern.rank)
    if not readings:
        problem = problem_of(grammar, message)
        return Understanding((), problem, veiled(grammar, message), message.language)
    alike: dict[tuple[object, ...], list[Reading]] = {}
    for reading in readings:
        alike.setdefault(reading.key, []).append(reading)
    candidates = tuple(
        Candidate(same[0].call, _stored(grammar, message, same)) for same in alike.values()
    )
    if len(candidates) == 1:
        return Understanding(candidates, None, candidates[0].masked, message.language)
    first, language = readings[0].pattern, message.language
    shown = grammar.wording_in(language).formats.get(first.rank, first.format)
    problem = Problem(Misreading.AMBIGUOUS, {"code": first.name, "format": shown})
    return Understanding(candidates, problem, _stored(grammar, message, readings), language)


def _stored(grammar: Grammar, message: Message, readings: Iterable[Reading]) -> str:
    hidden = (run for reading in readings for run in reading.hidden(grammar))
    return masked(message.text, hidden)


def _readings(grammar: Grammar, message: Message) -> list[Reading]:
    if message.blank:
        return _sign(grammar, message)
    named = named_in(grammar, message)
    for tier in _tiers(grammar, message):
        found = _preferred(grammar, message, list(tier), named)
        if found:
            return found
    return list(_labelled(grammar, message))


def _preferred(
    grammar: Grammar, message: Message, readings: list[Reading], named: Sequence[Pattern]
) -> list[Reading]:
    """Those that the keywords leave; words that somebody tells are no keywords.

    Told is what follows a code with its fields; without fields, the keyword is believed first.
    """
    told = [reading for reading in readings if reading.text]
    if any(reading.fields for reading in told):
        return [reading for reading in told if reading.fields]
    by_name = [reading for reading in readings if not named or reading.pattern in named]
    return by_name or told or _in_own_words(grammar, message, readings)


def _in_own_words(grammar: Grammar, message: Message, readings: Iterable[Reading]) -> list[Reading]:
    """Those of a code alone among words of its own: «لغو ۱۱», though «لغو» names another.

    Else a keyword rules the code out: «لغو ۲۱۰» does not start what 210 does.
    """
    return [
        reading
        for reading in readings
        if not reading.fields
        and all(
            word.letters in grammar.courtesies or word.letters in own_words(reading.pattern)
            for word in message.words
        )
    ]


def _tiers(grammar: Grammar, message: Message) -> Iterator[Iterable[Reading]]:
    yield (*_by_code(grammar, message, grammar.codes), *_by_keyword(grammar, message))
    yield _by_code(grammar, message, grammar.shortened)
    yield together.readings(grammar, message)
    yield _bare(grammar, message)


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
        text_from = run.places[-1] + 1 if pattern.takes_text else None
        if text_from is not None and has_text(message, text_from):
            if place == 0 and not _words_before(grammar, message, run.places[0]):
                yield from with_text(grammar, pattern, message, text_from)
        elif text_from is None or pattern.text_optional:
            yield from _plain(grammar, pattern, message, runs[:place] + runs[place + 1 :])


def _by_keyword(grammar: Grammar, message: Message) -> Iterator[Reading]:
    for pattern, start, end in keywords_in(grammar, message):
        if pattern.takes_text and has_text(message, end):
            if not (
                any(run.places[0] < start for run in message.runs)
                or _words_before(grammar, message, start)
            ):
                yield from with_text(grammar, pattern, message, end)
        elif not pattern.takes_text or pattern.text_optional:
            yield from _plain(grammar, pattern, message, message.runs)


def _plain(
    grammar: Grammar, pattern: Pattern, message: Message, runs: Sequence[Run]
) -> Iterator[Reading]:
    if len(runs) > grammar.most_runs:
        return
    own = grammar.own_words[pattern.rank]
    alone = all(word.letters in own for word in message.words)
    for reading in bound(pattern, runs):
        if alone or any(argument in _SUBSCRIPTION for argument, _ in reading.fields):
            yield reading


def _words_before(grammar: Grammar, message: Message, place: int) -> bool:
    return any(
        word.start < place and word.letters not in grammar.courtesies for word in message.words
    )


def _bare(grammar: Grammar, message: Message) -> Iterator[Reading]:
    if any(word.letters not in grammar.courtesies for word in message.words):
        return
    if len(message.runs) > grammar.most_runs:
        return
    for pattern in grammar.patterns:
        if pattern.bare:
            for reading in bound(pattern, message.runs):
                if any(argument in _SUBSCRIPTION for argument, _ in reading.fields):
                    yield reading


def _labelled(grammar: Grammar, message: Message) -> Iterator[Reading]:
    """The two IDs of a bill with what stands beside them there: «شناسه قبض … شناسه پرداخت …».

    Their three check digits leave nothing to chance, so these words are no keywords of others.
    """
    if len(message.runs) != len(_PAIR):
        return
    words = {word.letters for word in message.words}
    for pattern in grammar.patterns:
        if pattern.bare and words <= grammar.own_words[pattern.rank]:
            for reading in bound(pattern, message.runs):
                if reading.typed.keys() == _PAIR:
                    yield reading
