"""A bill as it is kept: parts of its period, and what each of them costs.

A line of a bill is a charge with the days of its part and names for its figures. Most bills are
made, told in a sentence and stored, so that charges are plain tuples, which JSON has as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import orjson

from core.tariff.types import Line, Ratio

Charge: TypeAlias = tuple[str, Ratio, Ratio, int, str]
"""Code, quantity, rate, amount and note of a ``Line``."""


class Part(NamedTuple):
    """Days of equal prices, and what they cost."""

    first: date
    end: date
    charges: Sequence[Charge]
    """In the order of the bill."""
    amount: int
    """Rial: their sum."""


def lines_in(parts: Iterable[Part]) -> tuple[Line, ...]:
    """The lines of a bill, in its order."""
    return tuple(
        Line(code, quantity, rate, amount, part.first, part.end, note)
        for part in parts
        for code, quantity, rate, amount, note in part.charges
    )


def to_store(parts: Iterable[Part]) -> str:
    """What is stored of a bill's parts, JSON: days in ISO, and their charges."""
    kept = [(first, end, charges) for first, end, charges, _amount in parts]
    try:
        return orjson.dumps(kept).decode()
    except orjson.JSONEncodeError:  # a fraction of more than 64 bits
        return json.dumps(kept, ensure_ascii=False, default=str)


def lines_stored(stored: str) -> tuple[Line, ...]:
    """The lines of a bill as they were stored: by ``to_store``, or earlier as ``Line.as_plain``."""
    return tuple(line for each in json.loads(stored) for line in _stored(each))


def _stored(each: Any) -> Iterable[Line]:
    if isinstance(each, dict):
        quantity, rate = (Fraction(each[name]).as_integer_ratio() for name in ("quantity", "rate"))
        days = date.fromisoformat(each["first"]), date.fromisoformat(each["end"])
        yield Line(each["code"], quantity, rate, each["amount"], *days, each.get("note", ""))
        return
    first, end, charges = each
    days = date.fromisoformat(first), date.fromisoformat(end)
    for code, quantity, rate, amount, note in charges:
        yield Line(code, tuple(quantity), tuple(rate), amount, *days, note)
