"""A bill as it is kept: parts of its period, and what each of them costs.

Most bills are made, told in a sentence and stored, and their lines are read now and then. So the
charges of a part are written as they are kept while they are computed. JSON, for each part: its
first day, the day after its last, and its charges: ``["water.1",1518,1,"",960,53,27495]``, a
code, a rate (a fraction), the name of a budget note, a quantity (a fraction) and an amount.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from core.tariff.types import Line, Ratio


class Part(NamedTuple):
    """Days of equal prices, and what they cost."""

    first: date
    end: date
    charges: Sequence[str]
    """As they are kept, in the order of the bill."""
    amount: int
    """Rial: their sum."""


class Price(NamedTuple):
    """What a charge is for, and its rate; the same for everybody."""

    numerator: int
    denominator: int
    head: str
    """What its charges begin with."""


def price_of(code: str, rate: Ratio, note: str = "") -> Price:
    """The price of a line."""
    return Price(*rate, f'"{code}",{rate[0]},{rate[1]},{json.dumps(note, ensure_ascii=False)}')


def add_charge(charges: list[str], price: Price, quantity: Ratio) -> int:
    """Add a charge as it is kept; its amount."""
    numerator, denominator, head = price
    count, of = quantity
    amount = count * numerator // (of * denominator)
    charges.append(f"[{head},{count},{of},{amount}]")
    return amount


def to_store(parts: Iterable[Part]) -> str:
    """A bill's parts as they are kept."""
    kept = [
        f'["{first.isoformat()}","{end.isoformat()}",[{",".join(charges)}]]'
        for first, end, charges, _amount in parts
    ]
    return f"[{','.join(kept)}]"


def lines_stored(stored: str) -> tuple[Line, ...]:
    """The lines of a bill that was kept: by ``to_store``, or earlier as ``Line.as_plain``."""
    return tuple(line for part in json.loads(stored) for line in _lines_of(part))


def _lines_of(part: Any) -> Iterable[Line]:
    if isinstance(part, dict):
        quantity, rate = (Fraction(part[name]).as_integer_ratio() for name in ("quantity", "rate"))
        days = date.fromisoformat(part["first"]), date.fromisoformat(part["end"])
        yield Line(part["code"], quantity, rate, part["amount"], *days, part.get("note", ""))
        return
    first, end, charges = part
    days = date.fromisoformat(first), date.fromisoformat(end)
    for code, rate, rate_of, note, quantity, quantity_of, amount in charges:
        yield Line(code, (quantity, quantity_of), (rate, rate_of), amount, *days, note)
