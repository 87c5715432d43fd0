"""Whether an answer is what was asked for: lengths and check digits of the profile's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from core.calls import Argument
from gateway.rules.values import proven, settled
from gateway.ussd.menu import Menu
from gateway.ussd.typed import digits_of

LONGEST_TEXT: Final = 500
"""Characters of an answer in words."""


class Answer(NamedTuple):
    """An answer that fits."""

    argument: Argument
    value: str


def answer_to(
    menu: Menu, arguments: Sequence[Argument], piece: str, said: Mapping[str, str]
) -> Answer | str:
    """The first of ``arguments`` that an answer can be, or what is wrong with it in words.

    ``said`` is what was answered before: a payment ID is judged with its bill ID.
    """
    if arguments[0] is Argument.TEXT:
        text = piece.strip()[:LONGEST_TEXT]
        has_words = any(sign.isalpha() for sign in text)
        return Answer(Argument.TEXT, text) if has_words else _missing(menu, Argument.TEXT)
    digits = digits_of(piece)
    fitting = [each for each in arguments if _has_length(menu, each, digits)]
    for argument in fitting:
        values = {argument: digits}
        if argument is Argument.PAYMENT_ID and Argument.BILL_ID in said:
            values[Argument.BILL_ID] = said[Argument.BILL_ID]
        if proven(values):
            return Answer(argument, settled({argument: digits})[argument])
    if fitting:
        return menu.wording.check.get(fitting[0]) or _length(menu, fitting[0])
    return _length(menu, arguments[0]) if digits else _missing(menu, arguments[0])


def has_length(menu: Menu, arguments: Sequence[Argument], piece: str) -> bool:
    """Whether an answer is as long as one of ``arguments``, right or not."""
    return any(_has_length(menu, argument, digits_of(piece)) for argument in arguments)


def fits(menu: Menu, arguments: Sequence[Argument], piece: str) -> bool:
    """Whether an answer can be one of ``arguments``."""
    return isinstance(answer_to(menu, arguments, piece, {}), Answer)


def _has_length(menu: Menu, argument: Argument, digits: str) -> bool:
    known = menu.fields.get(argument)
    return known is not None and known.shortest <= len(digits) <= known.longest


def _length(menu: Menu, argument: Argument) -> str:
    return menu.wording.length.get(argument, "")


def _missing(menu: Menu, argument: Argument) -> str:
    return menu.wording.missing.get(argument, "")
