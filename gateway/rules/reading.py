"""One way to read a message: a command, and the run of digits that each field got."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.calls import Argument, Call
from gateway.rules.values import proven, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Run


class Reading(NamedTuple):
    """A command with its fields bound."""

    pattern: Pattern
    fields: tuple[tuple[Argument, Run], ...]
    text: str = ""
    """What is told after the fields, with ``secrets`` hidden."""
    secrets: tuple[Run, ...] = ()
    """What may be a secret code among the words of ``text``."""

    @property
    def typed(self) -> dict[Argument, str]:
        """The digits of each field."""
        return {argument: run.digits for argument, run in self.fields}

    @property
    def arguments(self) -> dict[Argument, str]:
        """What the call is given. Only for a reading whose fields are proven."""
        found = settled(self.typed) if self.pattern.proves else self.typed
        found.update(self.pattern.fixed)
        if self.text:
            found[Argument.TEXT] = self.text
        return found

    @property
    def call(self) -> Call:
        """The call that this reading makes."""
        return Call(self.pattern.operation, self.arguments)

    @property
    def key(self) -> tuple[object, ...]:
        """What is equal for two readings that make the same call."""
        return (self.pattern.operation, *sorted(self.arguments.items()))

    def hidden(self, grammar: Grammar) -> list[Run]:
        """The runs that nobody is to see: see ``Grammar.hidden_in``."""
        secret = grammar.hidden_in(self.arguments)
        return [run for argument, run in self.fields if argument is secret] + [*self.secrets]


def bound(pattern: Pattern, runs: Sequence[Run]) -> Iterator[Reading]:
    """Give each run of digits to a field, in every way that fits."""
    for order in pattern.arrangements(tuple(len(run.digits) for run in runs)):
        reading = Reading(pattern, tuple(zip(order, runs, strict=True)))
        if not pattern.proves or proven(reading.typed):
            yield reading
