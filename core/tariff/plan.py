"""What of a bill's lines is the same for every use of the same days, made once and kept.

Most bills of a day are alike in all but the figure of the meter: a few first days, units and
regions. So the days are cut, the prices found and the lines that do not depend on the use
(fees, blocks that are used up) made once for all of them. The rules are those of
docs/tariffs.md; ``core.tariff.compute`` puts a use to them.

Volumes are counted in whole ``grains`` of a unit of the meter, of which a bill has so many
that each of its parts is a whole number of them: several times quicker than fractions, and
as exact. A price has hundredths, since a region's coefficient is a percentage.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from math import gcd
from typing import Final, NamedTuple

from core.tariff.periods import Segment, segments
from core.tariff.types import HOME, MONTH_DAYS, Line, Tariff

_HUNDRED: Final = 100
_PLANS: Final = 2048
"""A few days of each length, kinds of premises and regions of a tariff or two: some MB."""
_PERIODS: Final = 512

Ratio = tuple[int, int]


class Terms(NamedTuple):
    """Everything that a bill's lines depend on besides how much was used."""

    first: date
    end: date
    usage: str
    units: int
    capacity: int | None
    region: str
    wastewater: bool
    denominator: int
    """Of the use: 1 but for a share of a use."""


class Step(NamedTuple):
    """A part of the use that has one price."""

    below: int
    """It begins after so many grains …"""
    end: int | None
    """… and ends with so many; None for never."""
    code: str
    title: str
    rate: Ratio
    note: str
    whole: Line | None
    """Its line when all of it is used; None for a step without an end."""


class Hot(NamedTuple):
    """The season's surcharge."""

    steps: tuple[tuple[int, int | None, int], ...]
    """What is beyond the threshold: after so many grains, until so many, at this price."""
    coefficient: int
    rate: Ratio


class Plan(NamedTuple):
    """Days of equal prices."""

    first: date
    end: date
    share: int
    """Grains of these days for each of the use's numerator."""
    grains: int
    """How many of them are a unit of the meter."""
    water: tuple[Step, ...]
    hot: Hot | None
    subscription: tuple[Line, ...]
    wastewater: Ratio | None
    """The share of the price of the water."""
    wastewater_fee: tuple[Line, ...]
    notes: tuple[Step, ...]
    vat: Ratio | None


@lru_cache(maxsize=_PLANS)
def plans_of(tariff: Tariff, terms: Terms) -> tuple[Plan, ...]:
    """The plans of a period, one for each part of it; ``ValueError`` for one without a price."""
    return tuple(_Maker(each, terms).plan() for each in _cut(tariff, terms.first, terms.end))


@lru_cache(maxsize=_PERIODS)
def _cut(tariff: Tariff, first: date, end: date) -> tuple[Segment, ...]:
    return tuple(segments(tariff, first, end))


def reduced(numerator: int, denominator: int) -> Ratio:
    """The same ratio in its lowest terms."""
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def _percent(share: int) -> Ratio | None:
    return reduced(share, _HUNDRED) if share else None


class _Maker:
    """Makes the plan of a segment."""

    def __init__(self, segment: Segment, terms: Terms) -> None:
        self._segment = segment
        self._terms = terms
        self._version = segment.version
        self._is_home = terms.usage == HOME
        days = (terms.end - terms.first).days
        self._grains = days * terms.denominator * MONTH_DAYS
        self._month = segment.days * days * terms.denominator
        """So many m³ in these days are one per month, in grains."""
        self._coefficient = self._version.regions.get(terms.region, _HUNDRED)

    def plan(self) -> Plan:
        """All of it."""
        segment, version, home = self._segment, self._version, self._is_home
        subscription, sewers = version.subscription, version.wastewater
        share = fee = 0
        if sewers is not None and self._terms.wastewater:
            share = sewers.home if home else sewers.other
            fee = sewers.fee.home if home else sewers.fee.other
        return Plan(
            first=segment.first,
            end=segment.end,
            share=segment.days * MONTH_DAYS,
            grains=self._grains,
            water=tuple(self._blocks() if home else self._by_capacity()),
            hot=self._hot(),
            subscription=self._fee(
                "subscription", subscription.home if home else subscription.other
            ),
            wastewater=_percent(share),
            wastewater_fee=self._fee("wastewater_fee", fee),
            notes=tuple(self._notes()),
            vat=_percent(segment.vat.percent) if segment.vat else None,
        )

    def _blocks(self) -> Iterator[Step]:
        """Homes: by the progressive price of each unit and month."""
        below: int | None = 0
        for place, block in enumerate(self._version.blocks, 1):
            if below is None:
                return
            end = self._per_unit(block.up_to)
            yield from self._step(f"water.{place}", (below, end), self._regional(block.rate))
            below = end

    def _by_capacity(self) -> Iterator[Step]:
        """The others: up to the contracted capacity, and at the free rate beyond it."""
        rates = self._version.usages.get(self._terms.usage)
        if rates is None:
            raise ValueError(f"no price of {self._terms.usage!r} on {self._segment.first}")
        end = self._contracted()
        yield from self._step("capacity", (0, end), self._regional(rates.rate))
        if end is not None:
            yield from self._step("free", (end, None), self._regional(rates.free_rate))

    def _notes(self) -> Iterator[Step]:
        """Budget notes: one rate within the pattern of use, another beyond it."""
        for place, note in enumerate(self._version.notes, 1):
            end = self._per_unit(note.pattern) if self._is_home else self._contracted()
            if note.within:
                yield from self._step(f"note.{place}", (0, end), (note.within, 1), note.name)
            if note.above and end is not None:
                code = f"note_above.{place}"
                yield from self._step(code, (end, None), (note.above, 1), note.name)

    def _hot(self) -> Hot | None:
        """The season's share of the price of what homes use beyond a threshold."""
        season = self._segment.season
        if season is None or not self._is_home:
            return None
        steps: list[tuple[int, int | None, int]] = []
        below = self._per_unit(season.above)
        for block in self._version.blocks:
            end = self._per_unit(block.up_to)
            if below is not None and (end is None or end > below):
                steps.append((below, end, block.rate))
                below = end
        return Hot(tuple(steps), self._coefficient, reduced(season.percent, _HUNDRED))

    def _per_unit(self, per_month: int | None) -> int | None:
        """The grains of so many m³ per unit and month."""
        return None if per_month is None else per_month * self._terms.units * self._month

    def _contracted(self) -> int | None:
        """The grains of the contracted capacity; None where none is contracted."""
        capacity = self._terms.capacity
        return None if capacity is None else capacity * self._month

    def _regional(self, rate: int) -> Ratio:
        """The price of water has the region's coefficient on it."""
        return reduced(rate * self._coefficient, _HUNDRED)

    def _step(
        self, code: str, within: tuple[int, int | None], rate: Ratio, note: str = ""
    ) -> Iterator[Step]:
        """A step, unless there is nothing between its beginning and its end."""
        below, end = within
        if end is not None and end <= below:
            return
        title = code.partition(".")[0]
        whole = None if end is None else self._line(code, (end - below, self._grains), rate, note)
        yield Step(below, end, code, title, rate, note, whole)

    def _fee(self, code: str, rate: int) -> tuple[Line, ...]:
        """The line by months of all units, if there is anything to pay."""
        quantity = (self._terms.units * self._segment.days, MONTH_DAYS)
        return (self._line(code, quantity, (rate, 1)),) if rate else ()

    def _line(self, code: str, quantity: Ratio, rate: Ratio, note: str = "") -> Line:
        title = code.partition(".")[0]
        amount = quantity[0] * rate[0] // (quantity[1] * rate[1])
        days = (self._segment.first, self._segment.end)
        return Line(code, title, reduced(*quantity), rate, amount, *days, note)
