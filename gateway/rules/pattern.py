"""One published command: what names it and which fields go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations
from typing import Final, NamedTuple, TypeAlias

from core.calls import Argument
from gateway.rules.values import CHECKED

MOST_FIELDS: Final = 5
"""A command has at most this many fields of digits; their orders are all tried."""

Form: TypeAlias = tuple[Argument, ...]
"""The digit fields of one way to write a command, in published order."""


class Field(NamedTuple):
    """What a utility calls a field, and how many digits it has there."""

    title: str
    shortest: int
    longest: int


TEXT: Final = Field("متن", 1, 1)
"""Free text, for which a profile has no field of its own."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """A command of a profile, ready to be matched."""

    operation: str
    codes: tuple[str, ...]
    """The digits that name it, such as ``010``."""
    keywords: tuple[str, ...]
    """The words that name it, as published."""
    forms: tuple[Form, ...]
    """Each complete way to write its fields, the fullest first."""
    format: str
    """How to write it, as shown to subscribers."""
    fields: Mapping[Argument, Field]
    rank: int = 0
    """Its place in the order of publication."""
    takes_text: bool = False
    """Whether free text follows the fields."""
    bare: bool = False
    """Whether its fields alone, without code or keyword, name it."""
    fixed: Mapping[Argument, str] = field(default_factory=dict)
    """Arguments that the profile gives and nobody types: the kind of a request."""
    text_optional: bool = False
    """Whether the free text may be left out."""
    basic: Form | None = None
    """The published fields without those that may be left out by anybody; ``None``: all."""
    proves: bool = field(init=False)
    """Whether the digits of some field of the command cannot be just any."""
    arrangements: Callable[[tuple[int, ...]], tuple[Form, ...]] = field(init=False, repr=False)
    """For the lengths of a message's runs: each order of fields that fits them, the
    published order first and its reverse second."""

    def __post_init__(self) -> None:
        proves = any(not CHECKED.isdisjoint(form) for form in self.forms)
        object.__setattr__(self, "proves", proves)
        remember = lru_cache(maxsize=1024)
        object.__setattr__(self, "arrangements", remember(self._arrangements))

    @property
    def name(self) -> str:
        """What stands for the command in a reply: its first code, or else keyword."""
        return next(iter((*self.codes, *self.keywords)), "")

    @property
    def full(self) -> Form:
        """The published fields, nothing left out."""
        return self.forms[0]

    def _arrangements(self, lengths: tuple[int, ...]) -> tuple[Form, ...]:
        found: dict[Form, None] = {}
        for form in self.forms:
            if len(form) == len(lengths):
                found.update((order, None) for order in _orders(form) if self._fits(order, lengths))
        return tuple(found)

    def _fits(self, order: Form, lengths: Iterable[int]) -> bool:
        return all(
            self.fields[argument].shortest <= length <= self.fields[argument].longest
            for argument, length in zip(order, lengths, strict=True)
        )


def _orders(form: Form) -> Iterator[Form]:
    yield form
    yield form[::-1]
    yield from permutations(form)
