"""What was wrong with a message that has no reading, and what of it may be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.calls import Argument, Misreading, Problem
from core.identifiers import MobileError, check_bill_id, mobile
from gateway.rules.grammar import SHORT_CODE
from gateway.rules.keyword import keywords_in, named_in
from gateway.rules.scan import masked
from gateway.rules.values import CHECKED, IDENTIFIERS, unproven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.rules.grammar import Grammar, Wording
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Message, Run


def problem_of(grammar: Grammar, message: Message) -> Problem:
    """Why ``message`` has no reading, in the words of the profile."""
    if message.blank:
        return Problem(Misreading.EMPTY, {})
    meant = _meant(grammar, message)
    if meant is None:
        return Problem(Misreading.UNKNOWN_CODE, {})
    pattern, runs = meant
    wording = grammar.wording_in(message.language)
    kind, wrong = _wrong(grammar, wording, pattern, runs)
    shown = wording.formats.get(pattern.rank, pattern.format)
    return Problem(kind, {"code": pattern.name, "format": shown, "wrong": wrong})


def veiled(grammar: Grammar, message: Message) -> str:
    """The text of a message without a reading as it may be stored.

    Whatever could be a secret code is hidden: all digits but commands, one subscription
    number, valid bill IDs, mobile numbers, and, when no command is known, what is too short.
    """
    if not grammar.keeps_secrets:
        return masked(message.text, ())
    known = _meant(grammar, message) is not None
    hidden: list[Run] = []
    number_shown = False
    for run in message.runs:
        secret = grammar.may_be_secret(len(run.digits))
        if not (number_shown or secret) and _has_shape(grammar, Argument.NUMBER, run):
            number_shown = True
        elif not (_is_harmless(grammar, run) or (not known and len(run.digits) <= SHORT_CODE)):
            hidden.append(run)
    return masked(message.text, hidden)


def _is_harmless(grammar: Grammar, run: Run) -> bool:
    if run.digits in grammar.codes or run.digits in grammar.shortened:
        return True
    if grammar.may_be_secret(len(run.digits)):
        return False
    if check_bill_id(run.digits):
        return True
    try:
        mobile(run.digits)
    except MobileError:
        return False
    return True


def _has_shape(grammar: Grammar, argument: Argument, run: Run) -> bool:
    field = grammar.fields.get(argument)
    return field is not None and field.shortest <= len(run.digits) <= field.longest


def _meant(grammar: Grammar, message: Message) -> tuple[Pattern, Sequence[Run]] | None:
    """The command that was probably meant, and the runs that are not its code.

    The first and the last run come before those between, and commands with fields before
    those without: the 9 of ``110*10000001*9`` is not what its sender wanted.
    """
    runs = message.runs
    named = named_in(grammar, message)
    ends = (*runs[:1], *runs[:0:-1])
    for codes in (grammar.codes, grammar.shortened):
        found = [(codes[run.digits], run) for run in ends if run.digits in codes]
        found = [pair for pair in found if not named or pair[0] in named]
        found.sort(key=lambda pair: not pair[0].full)
        for pattern, code in found:
            if pattern.full or not message.words:
                return pattern, [run for run in runs if run is not code]
    keywords = keywords_in(grammar, message)
    if keywords:
        return keywords[0].pattern, runs
    return _run_together(grammar, runs) or _bare(grammar, message)


def _run_together(grammar: Grammar, runs: Sequence[Run]) -> tuple[Pattern, Sequence[Run]] | None:
    """The command that a long first run begins with."""
    number = grammar.fields.get(Argument.NUMBER)
    if not runs or number is None:
        return None
    for code, pattern in grammar.codes.items():
        if len(code) >= SHORT_CODE and runs[0].digits.startswith(code) and pattern.full:
            number_ends, ends = len(code) + number.longest, len(runs[0].digits)
            if ends >= len(code) + number.shortest:
                parts = runs[0].part(len(code), number_ends), runs[0].part(number_ends, ends)
                return pattern, [*(part for part in parts if part.digits), *runs[1:]]
    return None


def _bare(grammar: Grammar, message: Message) -> tuple[Pattern, Sequence[Run]] | None:
    """What bare fields mean here when only their check digits are wrong."""
    for pattern in grammar.patterns:
        lengths = tuple(len(run.digits) for run in message.runs)
        if pattern.bare and pattern.proves and lengths and pattern.arrangements(lengths):
            return pattern, message.runs
    return None


_MEANT_FIRST = (
    # An order in which only the payment ID is wrong is the one that was meant.
    Argument.PAYMENT_ID,
    *sorted(CHECKED - {Argument.PAYMENT_ID, Argument.START}),
    Argument.START,
)


def _wrong(
    grammar: Grammar, wording: Wording, pattern: Pattern, runs: Sequence[Run]
) -> tuple[Misreading, str]:
    orders = pattern.arrangements(tuple(len(run.digits) for run in runs))
    digits = [run.digits for run in runs]
    faults = {unproven(dict(zip(order, digits, strict=True))) for order in orders}
    for argument in _MEANT_FIRST:
        if argument in faults:
            kind = Misreading.WRONG_FORMAT
            if argument in IDENTIFIERS:
                kind = Misreading.BAD_CHECK_DIGIT
            return kind, wording.check[argument]
    return Misreading.WRONG_FORMAT, _wrong_form(grammar, wording, pattern, runs)


def _wrong_form(grammar: Grammar, wording: Wording, pattern: Pattern, runs: Sequence[Run]) -> str:
    left, unused = _best_fit(grammar, pattern, runs)
    if pattern.takes_text and not pattern.text_optional and not runs:
        # A number may be left out, by whom this cannot tell; the words never.
        return wording.missing[Argument.TEXT]
    if left and unused:
        return wording.length[left[0]]
    if left:
        needed = [argument for argument in left if all(argument in form for form in pattern.forms)]
        if not needed and pattern.takes_text and not pattern.text_optional:
            return wording.missing[Argument.TEXT]
        return wording.missing[(needed or left)[0]]
    if pattern.takes_text:
        return wording.missing[Argument.TEXT]
    return wording.extra if unused and pattern.full else wording.alone


def _best_fit(
    grammar: Grammar, pattern: Pattern, runs: Sequence[Run]
) -> tuple[list[Argument], list[Run]]:
    """Give runs to the fields that they fit; return the fields and the runs left over."""
    left = list(pattern.full)
    unused = []
    for run in runs:
        fits = [argument for argument in left if _has_shape(grammar, argument, run)]
        if fits:
            left.remove(fits[0])
        else:
            unused.append(run)
    return left, unused
