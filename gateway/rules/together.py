"""Commands written without separators: ``010100000014321``, ``010 100000014321``.

Only a command with its code and all the fields it needs is read so, in published order or its
reverse: with a field left out, ``1105`` or any number that happens to begin with a code would
be one, and with a keyword for the code, a bill ID would be number and secret code.
A separator that was typed always ends a field; one that was not may stand anywhere that the
lengths allow, so that several readings may come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from core.calls import Argument
from gateway.rules.reading import Reading
from gateway.rules.values import proven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Message, Run

_Step: TypeAlias = "Argument | str"
"""A field to be filled, or the command's code to be found."""

_Bound: TypeAlias = "tuple[tuple[Argument, Run], ...]"

_MOST_DIGITS: Final = 60
_MOST_READINGS: Final = 32
"""Beyond these a message is not a command that somebody wrote."""


def readings(grammar: Grammar, message: Message) -> Iterator[Reading]:
    """Read a message whose separators were left out, whole or in part."""
    digits = sum(len(run.digits) for run in message.runs)
    if not message.runs or len(message.runs) >= grammar.most_runs or digits > _MOST_DIGITS:
        return
    for pattern in grammar.patterns:
        fields = pattern.full if pattern.basic is None else pattern.basic
        if pattern.takes_text or not fields or len(message.runs) > len(fields):
            continue
        for code in pattern.codes:
            steps: tuple[_Step, ...] = (code, *fields)
            for order in (steps, steps[::-1]):
                yield from _of(pattern, order, message.runs)


def _of(pattern: Pattern, order: Sequence[_Step], runs: Sequence[Run]) -> Iterator[Reading]:
    for count, fields in enumerate(_split(pattern, tuple(order), tuple(runs))):
        if count >= _MOST_READINGS:
            return
        reading = Reading(pattern, fields)
        if not pattern.proves or proven(reading.typed):
            yield reading


def _split(pattern: Pattern, order: tuple[_Step, ...], runs: tuple[Run, ...]) -> Iterator[_Bound]:
    if not order or not runs:
        if not order and not runs:
            yield ()
        return
    step, run, rest = order[0], runs[0], runs[1:]
    for length in _lengths(pattern, step, run):
        remains = (run.part(length, len(run.digits)), *rest) if length < len(run.digits) else rest
        bound = ((step, run.part(0, length)),) if isinstance(step, Argument) else ()
        for others in _split(pattern, order[1:], remains):
            yield bound + others


def _lengths(pattern: Pattern, step: _Step, run: Run) -> Sequence[int]:
    if not isinstance(step, Argument):
        return (len(step),) if run.digits.startswith(step) else ()
    field = pattern.fields[step]
    return range(field.shortest, min(field.longest, len(run.digits)) + 1)
