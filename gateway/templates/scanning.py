"""Where the words of a template stand: Jinja2 itself knows lines only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError
from jinja2.nodes import Template
from jinja2.parser import Parser

from gateway.templates.errors import BodyError


class Mark(NamedTuple):
    """A word of the template's language, or a sign, or a stretch of its text."""

    kind: str
    """As Jinja2's lexer calls it: ``name``, ``operator``, ``data`` …"""
    value: str
    line: int
    column: int
    """Both counted from one."""


class Scanned:
    """A body, parsed, and the places of all that it is made of."""

    def __init__(self, sandbox: Environment, body: str) -> None:
        """Parse ``body``. Raises ``BodyError``."""
        self.tests = frozenset(sandbox.tests)
        self._marks: list[Mark] = []
        self._body = "\n".join(body.splitlines())
        self.tree = self._parsed(sandbox)

    def _parsed(self, sandbox: Environment) -> Template:
        try:
            parser = Parser(sandbox, self._body)
            parser.stream = type(parser.stream)(sandbox.lexer.wrap(self._read(sandbox)), None, None)
            return parser.parse()
        except TemplateSyntaxError as error:
            problem = (error.message or "is no template").rstrip(".")
            last = self._marks[-1] if self._marks else Mark("", "", error.lineno, 1)
            column = last.column if last.line == error.lineno else self._tag_in(error.lineno)
            raise BodyError(error.lineno, column, problem) from None

    def _read(self, sandbox: Environment) -> Iterator[tuple[int, str, str]]:
        offset = 0
        for line, kind, value in sandbox.lexer.tokeniter(self._body, None):
            found = self._body.find(value, offset)
            begins = offset if found < 0 else found
            before = self._body.rfind("\n", 0, begins)
            self._marks.append(
                Mark(kind, value, self._body.count("\n", 0, begins) + 1, begins - before)
            )
            offset = begins + len(value)
            yield line, kind, value

    def error(self, word: str, problem: str, line: int = 0) -> BodyError:
        """A mistake with ``word``, where it first stands (in ``line``, if that is known)."""
        marks = [each for each in self._words() if line in (0, each.line)]
        for mark in marks:
            if mark.value == word:
                return BodyError(mark.line, mark.column, problem)
        return BodyError(line or 1, self._tag_in(line or 1), problem)

    def error_of_variable(self, name: str, problem: str) -> BodyError:
        """A mistake with the variable ``name``, where it is first used."""
        before = ""
        for mark in self._words():
            if mark.kind == "name" and mark.value == name and before not in (".", "|", "is"):
                return BodyError(mark.line, mark.column, problem)
            before = mark.value
        return self.error(name, problem)

    def _words(self) -> Iterator[Mark]:
        return (each for each in self._marks if each.kind not in ("whitespace", "data"))

    def _tag_in(self, line: int) -> int:
        """The column of the first tag in a line."""
        begins = ("variable_begin", "block_begin")
        tags = (each.column for each in self._marks if each.line == line and each.kind in begins)
        return next(tags, 1)
