"""The lines of a bill, computed from a tariff and what was used (DOMAIN section 5).

Exact: quantities and rates are fractions, and the only rounding is that each line's amount
is rounded down to the whole rial. The lines are the bill: its amount is their sum. Every
line's quantity grows with the use or stays, so more water never costs less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor
from typing import NamedTuple

from core.tariff.periods import Segment, segments
from core.tariff.types import HOME, MONTH_DAYS, Line, Note, Tariff, Use

_HUNDREDTH = Fraction(1, 100)


def lines_of(tariff: Tariff, use: Use) -> tuple[Line, ...]:
    """The lines of a bill, in the order of the days and, within them, of the bill.

    Use is taken as even over the period, so that a part of the days has its share of it.
    Raises ``ValueError`` for a period without days, a negative use, no units, or a usage that
    a version has no price of.
    """
    if use.days <= 0 or use.used < 0 or use.units <= 0:
        raise ValueError(f"cannot be billed: {use}")
    lines: list[Line] = []
    for segment in segments(tariff, use.first, use.end):
        lines += _segment_lines(_Part.of(segment, use))
    return tuple(lines)


def amount_of(lines: Iterable[Line]) -> int:
    """The amount of a bill, rial: the sum of its lines."""
    return sum(line.amount for line in lines)


class _Part(NamedTuple):
    """The share of the use that falls into days of equal prices."""

    segment: Segment
    use: Use
    """The whole."""
    used: Fraction
    months: Fraction
    coefficient: Fraction
    """Of the region."""

    @classmethod
    def of(cls, segment: Segment, use: Use) -> _Part:
        return cls(
            segment,
            use,
            use.used * segment.days / use.days,
            Fraction(segment.days, MONTH_DAYS),
            segment.version.regions.get(use.region, 100) * _HUNDREDTH,
        )

    @property
    def is_home(self) -> bool:
        return self.use.usage == HOME

    @property
    def unit_months(self) -> Fraction:
        """Months of all units: what fees are counted by, and blocks scaled by."""
        return self.months * self.use.units

    def up_to(self, per_month: int | None) -> Fraction:
        """The use that does not go beyond ``per_month`` m³ per unit and month."""
        return self.used if per_month is None else min(self.used, per_month * self.unit_months)

    def within_capacity(self) -> Fraction:
        """The use within the contracted capacity; all of it where none is contracted."""
        capacity = self.use.capacity
        return self.used if capacity is None else min(self.used, capacity * self.months)

    def line(self, code: str, quantity: Fraction, rate: Fraction | int, note: str = "") -> Line:
        rate = Fraction(rate)
        amount = floor(quantity * rate)
        days = (self.segment.first, self.segment.end)
        return Line(code, code.partition(".")[0], quantity, rate, amount, *days, note)


def _segment_lines(part: _Part) -> list[Line]:
    """The lines of days of equal prices; VAT is on all of the others."""
    water = list(_water(part))
    lines = [*water, *_season(part), *_subscription(part), *_wastewater(part, water)]
    for place, note in enumerate(part.segment.version.notes, 1):
        lines += _note(part, place, note)
    vat = part.segment.vat
    if vat and vat.percent:
        lines.append(part.line("vat", Fraction(amount_of(lines)), vat.percent * _HUNDREDTH))
    return [line for line in lines if line.quantity]


def _water(part: _Part) -> Iterator[Line]:
    """The price of the water: blocks for homes, capacity and free rate for the others."""
    if not part.is_home:
        rates = part.segment.version.usages.get(part.use.usage)
        if rates is None:
            raise ValueError(f"no price of {part.use.usage!r} on {part.segment.first}")
        within = part.within_capacity()
        yield part.line("capacity", within, rates.rate * part.coefficient)
        yield part.line("free", part.used - within, rates.free_rate * part.coefficient)
        return
    below = Fraction(0)
    for place, block in enumerate(part.segment.version.blocks, 1):
        reached = part.up_to(block.up_to)
        yield part.line(f"water.{place}", reached - below, block.rate * part.coefficient)
        below = reached


def _season(part: _Part) -> Iterator[Line]:
    """The hot season's share of the price of what homes use beyond a threshold."""
    season = part.segment.season
    if season is None or not part.is_home:
        return
    start = part.up_to(season.above)
    below = price = Fraction(0)
    for block in part.segment.version.blocks:
        reached = part.up_to(block.up_to)
        price += max(Fraction(0), reached - max(below, start)) * block.rate
        below = reached
    yield part.line("season", price * part.coefficient, season.percent * _HUNDREDTH)


def _subscription(part: _Part) -> Iterator[Line]:
    fee = part.segment.version.subscription
    rate = fee.home if part.is_home else fee.other
    if rate:
        yield part.line("subscription", part.unit_months, rate)


def _wastewater(part: _Part, water: Iterable[Line]) -> Iterator[Line]:
    """Its share of the price of the water, and its own fee."""
    terms = part.segment.version.wastewater
    if terms is None or not part.use.wastewater:
        return
    share = terms.home if part.is_home else terms.other
    yield part.line("wastewater", Fraction(amount_of(water)), share * _HUNDREDTH)
    fee = terms.fee.home if part.is_home else terms.fee.other
    if fee:
        yield part.line("wastewater_fee", part.unit_months, fee)


def _note(part: _Part, place: int, note: Note) -> Iterator[Line]:
    """A budget note: one rate within the pattern of use, another beyond it."""
    within = part.up_to(note.pattern) if part.is_home else part.within_capacity()
    if note.within:
        yield part.line(f"note.{place}", within, note.within, note.name)
    if note.above:
        yield part.line(f"note_above.{place}", part.used - within, note.above, note.name)
