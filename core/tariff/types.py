"""The parts of a tariff, of what is billed, and of a bill: frozen values.

Volumes are units of the meter (m³), money is rial, a month is 30 days (DOMAIN 5: use ÷
units × 30 ÷ days). Percentages are whole: 70 is 70 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from core.text import fold

HOME: Final = "home"
"""The usage that is priced by blocks per unit and month; every other has ``Rates``."""

MONTH_DAYS: Final = 30

Ratio = tuple[int, int]
"""Numerator and denominator."""


class Block(NamedTuple):
    """A step of the progressive price of homes."""

    up_to: int | None
    """m³ per unit and month, this much included; None for the last block."""
    rate: int
    """Rial for each m³ that falls into it."""


class Rates(NamedTuple):
    """The price of a usage other than homes."""

    rate: int
    """Rial/m³ within the contracted capacity (m³ per month) …"""
    free_rate: int
    """… and beyond it (نرخ آزاد)."""


class Fee(NamedTuple):
    """A fixed charge, rial per unit and month, due at zero use as well."""

    home: int = 0
    other: int = 0


NO_FEE: Final = Fee()


class Wastewater(NamedTuple):
    """What those pay besides whose premises drain into the sewers."""

    home: int
    """Percent of the price of the water, for homes …"""
    other: int
    """… and for every other usage."""
    fee: Fee = NO_FEE


class Note(NamedTuple):
    """A charge per m³ that a budget law adds (تبصره)."""

    name: str
    """What the operator calls it, such as ``تبصره ۳``."""
    pattern: int
    """The pattern of use (الگوی مصرف): m³ per unit and month. Of a usage with a contracted
    capacity, the capacity takes its place."""
    within: int
    """Rial/m³ up to the pattern …"""
    above: int
    """… and beyond it."""


class Season(NamedTuple):
    """The hot season's surcharge on homes (DOMAIN 5: 20 % above 25 m³ per month)."""

    first: tuple[int, int]
    """Jalali month and day on which it begins …"""
    last: tuple[int, int]
    """… and its last day. One that ends before it begins goes over the new year."""
    above: int
    """m³ per unit and month; only the price of what is beyond it is raised."""
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """The prices that hold from a day on, until the next version's.

    Compared and hashed as the object it is: what was made of it is kept and found by it.
    """

    since: date
    blocks: tuple[Block, ...]
    """Ascending; the last one has no end."""
    usages: Mapping[str, Rates] = field(default_factory=dict)
    subscription: Fee = NO_FEE
    """آبونمان."""
    wastewater: Wastewater | None = None
    notes: tuple[Note, ...] = ()
    season: Season | None = None
    regions: Mapping[str, int] = field(default_factory=dict)
    """Percent of the price of water, by region; a region that is not here has 100."""


class Vat(NamedTuple):
    """Value added tax from a day on."""

    since: date
    percent: int


@lru_cache(maxsize=1024)
def usage_name(name: str) -> str:
    """A name of a usage as names are compared: half-spaces and kinds of ی and ک tell nothing."""
    return fold(name).strip()


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """All versions of a utility's prices. Never empty; ascending by day.

    Compared and hashed as ``Version`` is.
    """

    versions: tuple[Version, ...]
    vat: tuple[Vat, ...]
    names: Mapping[str, str]
    """The usage that each name means, as ``usage_name`` has it: ``{"خانگی": "home"}``."""

    def usage(self, name: str) -> str | None:
        """The usage that a name means; None for one that no price is known of."""
        return self.names.get(usage_name(name))


class Use(NamedTuple):
    """What is billed."""

    used: Fraction
    """Units of the meter; never negative."""
    first: date
    """The first day …"""
    end: date
    """… and the first that is no longer part of it."""
    usage: str = HOME
    """A usage of the tariff, not the name in the subscribers' data: see ``Tariff.usage``."""
    units: int = 1
    capacity: int | None = None
    """Contracted capacity, m³ per month; None (all is within it) and homes have none."""
    region: str = ""
    wastewater: bool = True

    @property
    def days(self) -> int:
        """How many days it took."""
        return (self.end - self.first).days


class Line(NamedTuple):
    """One line of a bill: ``amount`` is ``quantity × rate``, rounded down to the rial."""

    code: str
    """What it is, such as ``water.3`` for the third block."""
    quantity_is: Ratio
    """``quantity`` as a reduced fraction: making a ``Fraction`` of it takes its time."""
    rate_is: Ratio
    amount: int
    """Rial."""
    first: date
    """The days that it is for: a period is split where prices change."""
    end: date
    note: str = ""
    """The name of a budget note."""

    @property
    def title(self) -> str:
        """The key of its words: the code without what counts lines of one kind."""
        return self.code.partition(".")[0]

    @property
    def quantity(self) -> Fraction:
        """m³, months of a unit, or the rial that a share is taken of."""
        return Fraction(*self.quantity_is)

    @property
    def rate(self) -> Fraction:
        """Rial for each, or the share."""
        return Fraction(*self.rate_is)

    def as_plain(self) -> dict[str, str | int]:
        """The line as other programs are told of it: fractions as ``"25/2"``, days in ISO."""
        plain: dict[str, str | int] = {
            "code": self.code,
            "title": self.title,
            "quantity": str(self.quantity),
            "rate": str(self.rate),
            "amount": self.amount,
            "first": self.first.isoformat(),
            "end": self.end.isoformat(),
        }
        return plain | {"note": self.note} if self.note else plain
