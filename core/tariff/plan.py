"""What of a bill's lines is the same for every use, every length of a period and every size.

Most bills are alike in all but figures: a tariff has a few versions, usages and regions. So
the prices for premises of one kind are found once and kept, with their bounds per month and
unit (or, other than for homes, in contracted capacities). The rules are those of
docs/tariffs.md; ``core.tariff.compute`` puts a period, a size and a use to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from math import gcd
from typing import Final, NamedTuple

from core.tariff.periods import Segment, segments
from core.tariff.types import HOME, Ratio, Season, Tariff, Vat, Version

_HUNDRED: Final = 100
_PLANS: Final = 4096
"""Versions, usages and regions of a tariff or two, many times over: a few MB."""
_PERIODS: Final = 2048


class Premises(NamedTuple):
    """Everything that prices depend on besides the day."""

    usage: str
    region: str
    wastewater: bool
    has_bound: bool
    """Whether a capacity is contracted; homes have units instead."""


class Step(NamedTuple):
    """A part of the use that has one price. Bounds: see ``Plan.steps``."""

    below: int
    """It begins after so much …"""
    up_to: int | None
    """… and ends with so much; None for never."""
    code: str
    rate: Ratio
    note: str


class Hot(NamedTuple):
    """The season's surcharge."""

    steps: tuple[tuple[int, int | None, int], ...]
    """What is beyond the threshold: after so much, until so much, at this price."""
    coefficient: int
    rate: Ratio


class Plan(NamedTuple):
    """The prices of one kind of premises, while they stay the same.

    Bounds of steps are m³ per month and unit for homes, contracted capacities for others.
    """

    water: tuple[Step, ...]
    hot: Hot | None
    subscription: Ratio | None
    """Rial per unit and month."""
    wastewater: Ratio | None
    """The share of the price of the water."""
    wastewater_fee: Ratio | None
    """Rial per unit and month."""
    notes: tuple[Step, ...]
    vat: Ratio | None


@lru_cache(maxsize=_PERIODS)
def cut(tariff: Tariff, first: date, end: date) -> tuple[Segment, ...]:
    """The days of a period in parts of equal prices."""
    return tuple(segments(tariff, first, end))


@lru_cache(maxsize=_PLANS)
def plan_of(version: Version, vat: Vat | None, season: Season | None, premises: Premises) -> Plan:
    """The prices that premises have; ``ValueError`` for a usage without a price.

    ``season`` is the hot season on its days, None on others.
    """
    usage, region, has_sewer, has_bound = premises
    home = usage == HOME
    coefficient = version.regions.get(region, _HUNDRED)
    subscription, sewers = version.subscription, version.wastewater
    share = fee = 0
    if sewers is not None and has_sewer:
        share = sewers.home if home else sewers.other
        fee = sewers.fee.home if home else sewers.fee.other
    steps = _blocks(version) if home else _by_capacity(version, usage, has_bound=has_bound)
    return Plan(
        # The price of water has the region's coefficient on it.
        water=tuple(
            Step(below, up_to, code, reduced(rate * coefficient, _HUNDRED), "")
            for below, up_to, code, rate in steps
        ),
        hot=_hot(version, season, coefficient) if season is not None and home else None,
        subscription=_rial(subscription.home if home else subscription.other),
        wastewater=_percent(share),
        wastewater_fee=_rial(fee),
        notes=tuple(_notes(version, home=home, has_bound=has_bound)),
        vat=_percent(vat.percent) if vat else None,
    )


def reduced(numerator: int, denominator: int) -> Ratio:
    """The same ratio in its lowest terms."""
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def _percent(share: int) -> Ratio | None:
    return reduced(share, _HUNDRED) if share else None


def _rial(fee: int) -> Ratio | None:
    return (fee, 1) if fee else None


def _blocks(version: Version) -> Iterator[tuple[int, int | None, str, int]]:
    """Homes: by the progressive price of each unit and month."""
    below: int | None = 0
    for place, block in enumerate(version.blocks, 1):
        if below is None:
            return
        yield below, block.up_to, f"water.{place}", block.rate
        below = block.up_to


def _by_capacity(
    version: Version, usage: str, *, has_bound: bool
) -> Iterator[tuple[int, int | None, str, int]]:
    """The others: up to the contracted capacity, and at the free rate beyond it."""
    rates = version.usages.get(usage)
    if rates is None:
        raise ValueError(f"no price of {usage!r} since {version.since}")
    yield 0, 1 if has_bound else None, "capacity", rates.rate
    if has_bound:
        yield 1, None, "free", rates.free_rate


def _notes(version: Version, *, home: bool, has_bound: bool) -> Iterator[Step]:
    """Budget notes: one rate within the pattern of use, another beyond it."""
    for place, note in enumerate(version.notes, 1):
        up_to = note.pattern if home else 1 if has_bound else None
        if note.within:
            yield Step(0, up_to, f"note.{place}", (note.within, 1), note.name)
        if note.above and up_to is not None:
            yield Step(up_to, None, f"note_above.{place}", (note.above, 1), note.name)


def _hot(version: Version, season: Season, coefficient: int) -> Hot:
    """The season's share of the price of what homes use beyond a threshold."""
    steps: list[tuple[int, int | None, int]] = []
    below: int | None = season.above
    for block in version.blocks:
        if below is not None and (block.up_to is None or block.up_to > below):
            steps.append((below, block.up_to, block.rate))
            below = block.up_to
    return Hot(tuple(steps), coefficient, reduced(season.percent, _HUNDRED))
