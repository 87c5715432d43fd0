"""Everything that is wrong with a profile, for ``peyk profile check``.

Loading a profile stops at its first mistake, which is right for a daemon; whoever writes one
wants to see them all, and besides what is no mistake by itself: commands that can be taken
for each other once their fields are filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from jinja2 import TemplateError

from core import tracking
from core.calls import DONE, Argument, Outcome
from core.identifiers import make_bill_id, make_payment_id
from core.operations import Operation
from core.operations.guide import HELP
from core.operations.operation import IDENTIFYING
from core.text import persian_digits
from gateway.configuration import ConfigError
from gateway.findings import Findings
from gateway.listing import units
from gateway.profiles import Profile, load_profile
from gateway.replies import Replies
from gateway.rules.grammar import Grammar
from gateway.rules.pattern import Field, Form, Pattern
from gateway.templates.shipped import mistakes
from gateway.ussd.menu_file import has_menu, load_menu

ONE_PART: Final = 70
IN_EACH_PART: Final = 67
"""UTF-16 units of a message alone, and of each part of a longer one."""

_BILL_ID: Final = make_bill_id("12345678", "046", "1")
_ANY_FIGURE: Final = frozenset({Argument.READING, Argument.START})
"""Fields that may well hold what is another command's code."""
_SAMPLES: Final[Mapping[Argument, str]] = {
    Argument.BILL_ID: _BILL_ID,
    Argument.PAYMENT_ID: make_payment_id(_BILL_ID, 1_250_000),
    Argument.TRACKING: tracking.make(1_234_567),
    Argument.YEAR: "1403",
    Argument.START: "7",
    Argument.MOBILE: "09131234567",
}


def check_profile(
    directory: Path, operations: Mapping[str, Operation], most_parts: int = 2
) -> list[ConfigError]:
    """All mistakes in the profile in ``directory``; none for one that is right.

    A reply is too long when it takes more than ``most_parts`` parts with example figures.
    """
    most_units = ONE_PART if most_parts == 1 else IN_EACH_PART * most_parts
    findings = Findings(keeps_all=True, most_units=most_units)
    try:
        profile = load_profile(directory, operations, findings)
    except ConfigError as error:
        findings.add(error)
        return findings.found
    for problem in clashes(profile.grammar):
        findings.add(ConfigError(directory / "codes.toml", "pattern", problem))
    for file, words in (("replies.toml", profile.replies), *_others(profile)):
        if long := _more_than_one_part(words):
            problem = f"is {long} units long; the guide is one part: {ONE_PART}, Latin letters more"
            findings.add(ConfigError(directory / file, "help.done", problem, "shorten it"))
    if has_menu(directory):
        try:
            load_menu(directory, profile, operations, findings)
        except ConfigError as error:
            findings.add(error)
    for mistake in mistakes(directory, profile):
        place = f"line {mistake.line}, column {mistake.column}"
        findings.add(ConfigError(Path(mistake.where), place, mistake.problem))
    return findings.found


def _others(profile: Profile) -> Iterator[tuple[str, Replies]]:
    for language, words in profile.other_replies.items():
        yield f"replies.{language}.toml", words


def _more_than_one_part(words: Replies) -> int:
    """The length of a guide that takes two parts; 0 where it takes one, or is no text at all."""
    try:
        guide = words.render(Outcome(HELP.name, DONE, {}))
    except TemplateError:  # a mistake that loading has told
        return 0
    # In Latin letters two parts of Persian are one: 140 octets hold as many.
    return 0 if guide.isascii() or units(guide) <= ONE_PART else units(guide)


def languages(profile: Profile) -> list[str]:
    """The languages that a profile answers in, its own first."""
    return ["fa", *sorted(profile.other_replies)]


def clashes(grammar: Grammar) -> Iterator[str]:
    """Commands of which a correctly written one may also be read as another.

    Each is written in its own order with sample figures, one of which may happen to be
    another command's code; more than one reading would be answered with a question for ever.
    """
    from gateway.rules.match import understand  # noqa: PLC0415 - only where it is checked

    told: set[frozenset[str]] = set()
    for pattern in grammar.patterns:
        for text in written(grammar, pattern):
            names = frozenset(
                candidate.call.operation for candidate in understand(grammar, text).candidates
            )
            if len(names) > 1 and names not in told:
                told.add(names)
                yield f"{persian_digits(text)!r} can be read as {' and as '.join(sorted(names))}"


def written(grammar: Grammar, pattern: Pattern) -> Iterator[str]:
    """A command in each of its forms, as published; once more for each code that a field fits."""
    name = next(iter((*pattern.codes, *pattern.keywords)), "")
    if pattern.takes_text:
        return
    for form in pattern.forms:
        samples = [sample_of(grammar.fields[argument], argument) for argument in form]
        for runs in (samples, *_with_codes(grammar, form, samples)):
            yield " ".join(part for part in (name, *runs) if part)


def _with_codes(grammar: Grammar, form: Form, samples: list[str]) -> Iterable[list[str]]:
    for place, argument in enumerate(form):
        known = grammar.fields[argument]
        if argument not in _ANY_FIGURE or IDENTIFYING.isdisjoint(form):
            continue
        for code in grammar.codes:
            if known.shortest <= len(code) <= known.longest:
                yield [*samples[:place], code, *samples[place + 1 :]]


def sample_of(known: Field, argument: Argument) -> str:
    """Digits that can stand in a field."""
    return _SAMPLES.get(argument) or "7" * known.shortest
