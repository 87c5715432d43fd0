"""Replies with a list, written with as many of its rows as fit.

To find that out, a reply is wanted with this many rows and with that many. Where each row is
written without regard to the others, as they mostly are, all are written once and put together
as they are wanted; only what is after them, which tells where to go on, is written each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.calls import Fact
from gateway.listing import NEXT, ROWS, START, Fits
from gateway.sandbox import Write, writer

_MARK: Final = "\0"
"""Begins each row; no text that was stored has one."""

_Draft: TypeAlias = Callable[[Mapping[str, Fact], int], str]
"""Writes a reply with the first of its rows, so many of them."""


class Parts(NamedTuple):
    """A reply, taken apart."""

    listed: Write
    """All up to the end of the list, with a mark before each row."""
    rest: Write


class Fitted:
    """A reply with a list.

    Lists of one kind are much alike: as many rows fit as fitted in the last one, mostly. So
    that number is tried first, and then its neighbour; only after that it goes by halves.
    """

    def __init__(self, whole: Write, parts: Parts | None = None) -> None:
        self._whole = whole
        self._parts = parts
        self._last = 0

    def __call__(self, facts: Mapping[str, Fact], fits: Fits) -> str:
        """The text with the most rows that fits; with one row when not even that does."""
        rows, start = facts[ROWS], facts.get(START, 1)
        if not isinstance(rows, tuple) or not isinstance(start, int) or not rows:
            return self._whole(facts)
        draft = self._draft(facts, len(rows))
        words = draft(facts, len(rows))
        if fits(words):
            return words

        def with_first(count: int) -> str:
            return draft({**facts, ROWS: rows[:count], NEXT: start + count}, count)

        return self._most(with_first, len(rows) - 1, fits) or (
            with_first(1) if len(rows) > 1 else words
        )

    def _draft(self, facts: Mapping[str, Fact], count: int) -> _Draft:
        if self._parts:
            listed, rest = self._parts
            head, *rows = listed(facts).split(_MARK)
            if len(rows) == count:
                return lambda told, most: "".join((head, *rows[:most], rest(told)))
        return lambda told, _most: self._whole(told)

    def _most(self, with_first: Callable[[int], str], most: int, fits: Fits) -> str:
        """The text with the most rows of at most ``most``, or ``""`` if none fits."""
        best, least = "", 1
        guess, guesses = self._last, 2 if self._last else 0
        while least <= most:
            guessed = guesses and least <= guess <= most
            middle = guess if guessed else (least + most + 1) // 2
            shorter = with_first(middle)
            if fits(shorter):
                best, least, guess = shorter, middle + 1, middle + 1
            else:
                most, guess = middle - 1, middle - 1
            guesses -= 1 if guesses else 0
        self._last = least - 1
        return best


def take_apart(source: str, sandbox: ImmutableSandboxedEnvironment) -> Parts | None:
    """The parts of a template; None where a row may depend on anything but itself."""
    tree = sandbox.parse(source)
    loops = list(tree.find_all(nodes.For))
    if len(loops) != 1 or loops[0] not in tree.body or not _is_plain(tree, loops[0]):
        return None
    end = tree.body.index(loops[0]) + 1
    listed, rest = nodes.Template(tree.body[:end]), nodes.Template(tree.body[end:])
    if NEXT in _names(listed):
        return None
    loops[0].body.insert(0, nodes.Output([nodes.TemplateData(_MARK)]))
    for part in (listed, rest):
        part.set_environment(sandbox).set_lineno(1)
    return Parts(writer(sandbox.from_string(listed)), writer(sandbox.from_string(rest)))


def _is_plain(tree: nodes.Template, loop: nodes.For) -> bool:
    """Whether only the loop knows of the rows, and goes over all of them with the same words."""
    over = loop.iter
    if not isinstance(over, nodes.Name) or over.name != ROWS or _names(tree).count(ROWS) > 1:
        return False
    # Anything else could leave something behind for the next row, or for the rest.
    kinds = {type(each) for each in tree.find_all(nodes.Stmt)}
    is_simple = kinds <= {nodes.For, nodes.If, nodes.Output} and "loop" not in _names(tree)
    return is_simple and not (loop.test or loop.else_ or loop.recursive)


def _names(part: Any) -> list[str]:
    return [name.name for name in part.find_all(nodes.Name)]
