"""One published command: what names it and which fields go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations
from typing import Final, NamedTuple, TypeAlias

from core.calls import Argument
from core.identifiers import check_bill_id, check_payment_id

MOST_FIELDS: Final = 5
"""A command has at most this many fields of digits; their orders are all tried."""

IDENTIFIERS: Final = frozenset({Argument.BILL_ID, Argument.PAYMENT_ID})
"""The fields that prove themselves by a check digit."""

Form: TypeAlias = tuple[Argument, ...]
"""The digit fields of one way to write a command, in published order."""


class Field(NamedTuple):
    """What a utility calls a field, and how many digits it has there."""

    title: str
    shortest: int
    longest: int


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
    proves: bool = field(init=False)
    """Whether a field of the command has a check digit."""
    arrangements: Callable[[tuple[int, ...]], tuple[Form, ...]] = field(init=False, repr=False)
    """For the lengths of a message's runs: each order of fields that fits them, the
    published order first and its reverse second."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "proves", not IDENTIFIERS.isdisjoint(self.full))
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


def unproven(arguments: Mapping[Argument, str]) -> Argument | None:
    """The first identifier among ``arguments`` whose check digit is wrong, if any is."""
    bill_id = arguments.get(Argument.BILL_ID, "")
    if bill_id and not check_bill_id(bill_id):
        return Argument.BILL_ID
    payment_id = arguments.get(Argument.PAYMENT_ID)
    if payment_id is not None and not check_payment_id(payment_id, bill_id):
        return Argument.PAYMENT_ID
    return None


def proven(arguments: Mapping[Argument, str]) -> bool:
    """Whether the identifiers among ``arguments`` have right check digits."""
    return unproven(arguments) is None


def _orders(form: Form) -> Iterator[Form]:
    yield form
    yield form[::-1]
    yield from permutations(form)
