"""The lines of a bill, computed from a tariff and what was used (DOMAIN section 5).

Exact, and the only rounding is that each line's amount is rounded down to the whole rial.
The lines are the bill: its amount is their sum. Every line's quantity grows with the use or
stays, so more water never costs less.

Volumes are counted in whole ``grains`` of a unit of the meter, of which a bill has so many
that each of its parts is a whole number of them: several times quicker than fractions, and
as exact. A price has hundredths, since a region's coefficient is a percentage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd
from typing import NamedTuple

from core.tariff.periods import Segment, segments
from core.tariff.types import HOME, MONTH_DAYS, Line, Note, Tariff, Use

_HUNDRED = 100


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
    """The share of the use that falls into days of equal prices; volumes are in grains."""

    segment: Segment
    use: Use
    """The whole."""
    grains: int
    """How many of them are a unit of the meter."""
    used: int
    months: int
    """The days as months of one unit: so many m³ is one per month, in grains."""
    coefficient: int
    """Percent, of the region."""

    @classmethod
    def of(cls, segment: Segment, use: Use) -> _Part:
        whole = use.used.denominator * use.days
        return cls(
            segment,
            use,
            whole * MONTH_DAYS,
            use.used.numerator * segment.days * MONTH_DAYS,
            segment.days * whole,
            segment.version.regions.get(use.region, _HUNDRED),
        )

    @property
    def is_home(self) -> bool:
        return self.use.usage == HOME

    def up_to(self, per_month: int | None) -> int:
        """The use that does not go beyond ``per_month`` m³ per unit and month."""
        if per_month is None:
            return self.used
        return min(self.used, per_month * self.use.units * self.months)

    def within_capacity(self) -> int:
        """The use within the contracted capacity; all of it where none is contracted."""
        capacity = self.use.capacity
        return self.used if capacity is None else min(self.used, capacity * self.months)

    def water(self, code: str, grains: int, rate: int) -> Line:
        """A line of water, whose price has the region's coefficient on it."""
        return self.line(code, (grains, self.grains), (rate * self.coefficient, _HUNDRED))

    def fee(self, code: str, rate: int) -> Line:
        """A line by months of all units."""
        return self.line(code, (self.use.units * self.segment.days, MONTH_DAYS), (rate, 1))

    def share(self, code: str, of: int, percent: int) -> Line:
        """A line that is a share of whole rial."""
        return self.line(code, (of, 1), (percent, _HUNDRED))

    def line(
        self, code: str, quantity: tuple[int, int], rate: tuple[int, int], note: str = ""
    ) -> Line:
        title = code.partition(".")[0]
        days = (self.segment.first, self.segment.end)
        amount = quantity[0] * rate[0] // (quantity[1] * rate[1])
        return Line(code, title, _reduced(quantity), _reduced(rate), amount, *days, note)


def _reduced(ratio: tuple[int, int]) -> tuple[int, int]:
    common = gcd(*ratio)
    return ratio[0] // common, ratio[1] // common


def _segment_lines(part: _Part) -> list[Line]:
    """The lines of days of equal prices; VAT is on all of the others."""
    lines = list(_water(part))
    water = amount_of(lines)
    lines += _season(part)
    lines += _subscription(part)
    lines += _wastewater(part, water)
    for place, note in enumerate(part.segment.version.notes, 1):
        lines += _note(part, place, note)
    vat = part.segment.vat
    taxed = amount_of(lines)
    if vat and vat.percent and taxed:
        lines.append(part.share("vat", taxed, vat.percent))
    return lines


def _water(part: _Part) -> Iterator[Line]:
    """The price of the water: blocks for homes, capacity and free rate for the others."""
    if not part.is_home:
        yield from _by_capacity(part)
        return
    below = 0
    for place, block in enumerate(part.segment.version.blocks, 1):
        reached = part.up_to(block.up_to)
        if reached == below:
            return
        yield part.water(f"water.{place}", reached - below, block.rate)
        below = reached


def _by_capacity(part: _Part) -> Iterator[Line]:
    rates = part.segment.version.usages.get(part.use.usage)
    if rates is None:
        raise ValueError(f"no price of {part.use.usage!r} on {part.segment.first}")
    within = part.within_capacity()
    if within:
        yield part.water("capacity", within, rates.rate)
    if part.used > within:
        yield part.water("free", part.used - within, rates.free_rate)


def _season(part: _Part) -> Iterator[Line]:
    """The hot season's share of the price of what homes use beyond a threshold."""
    season = part.segment.season
    if season is None or not part.is_home:
        return
    below = part.up_to(season.above)
    price = 0
    for block in part.segment.version.blocks:
        reached = part.up_to(block.up_to)
        if reached > below:
            price += (reached - below) * block.rate
            below = reached
    if price:
        of = (price * part.coefficient, part.grains * _HUNDRED)
        yield part.line("season", of, (season.percent, _HUNDRED))


def _subscription(part: _Part) -> Iterator[Line]:
    fee = part.segment.version.subscription
    rate = fee.home if part.is_home else fee.other
    if rate:
        yield part.fee("subscription", rate)


def _wastewater(part: _Part, water: int) -> Iterator[Line]:
    """Its share of the price of the water, and its own fee."""
    terms = part.segment.version.wastewater
    if terms is None or not part.use.wastewater:
        return
    share = terms.home if part.is_home else terms.other
    if water and share:
        yield part.share("wastewater", water, share)
    fee = terms.fee.home if part.is_home else terms.fee.other
    if fee:
        yield part.fee("wastewater_fee", fee)


def _note(part: _Part, place: int, note: Note) -> Iterator[Line]:
    """A budget note: one rate within the pattern of use, another beyond it."""
    within = part.up_to(note.pattern) if part.is_home else part.within_capacity()
    beyond = part.used - within
    if note.within and within:
        yield part.line(f"note.{place}", (within, part.grains), (note.within, 1), note.name)
    if note.above and beyond:
        yield part.line(f"note_above.{place}", (beyond, part.grains), (note.above, 1), note.name)
