"""One way to read a message: a command, and the run of digits that each field got."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.calls import Argument, Call

if TYPE_CHECKING:
    from gateway.rules.grammar import Grammar
    from gateway.rules.pattern import Pattern
    from gateway.rules.scan import Run


class Reading(NamedTuple):
    """A command with its fields bound."""

    pattern: Pattern
    fields: tuple[tuple[Argument, Run], ...]
    text: str = ""

    @property
    def arguments(self) -> dict[Argument, str]:
        """Return what the call is given."""
        found = {argument: run.digits for argument, run in self.fields}
        if self.text:
            found[Argument.TEXT] = self.text
        return found

    @property
    def call(self) -> Call:
        """Return the call that this reading makes."""
        return Call(self.pattern.operation, self.arguments)

    @property
    def key(self) -> tuple[object, ...]:
        """Return what is equal for two readings that make the same call."""
        return (self.pattern.operation, *sorted(self.arguments.items()))

    def hidden(self, grammar: Grammar) -> list[Run]:
        """Return the runs that nobody is to see: the code, or what may be one.

        Someone who forgot the reading sends number and code, and with the lengths of both
        alike that reads as number and reading: so the reading is hidden there too.
        """
        bound = dict(self.fields)
        if Argument.CODE in bound:
            return [bound[Argument.CODE]]
        reading = bound.get(Argument.READING)
        doubtful = (
            grammar.keeps_secrets
            and reading is not None
            and Argument.NUMBER in bound
            and grammar.may_be_secret(len(reading.digits))
        )
        return [reading] if doubtful and reading is not None else []
