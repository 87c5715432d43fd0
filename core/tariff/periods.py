"""Where a period is split: at a new version, a new rate of VAT, the hot season's ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar

from core import jalali
from core.tariff.types import Season, Tariff, Vat, Version


class Dated(Protocol):
    """What holds from a day on."""

    @property
    def since(self) -> date:
        """Its first day."""


D = TypeVar("D", bound=Dated)


class Segment(NamedTuple):
    """Days within which every price stays the same."""

    first: date
    end: date
    version: Version
    vat: Vat | None
    season: Season | None
    """Set when these days are in the hot season."""

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.first).days


def in_force(dated: Sequence[D], day: date) -> D | None:
    """What holds on ``day``: the newest that has begun; before all of them, the oldest.

    A bill that reaches back before the oldest version is priced by it, rather than not at all.
    """
    begun = [one for one in dated if one.since <= day]
    return max(begun, key=lambda one: one.since) if begun else next(iter(dated), None)


def segments(tariff: Tariff, first: date, end: date) -> Iterator[Segment]:
    """The days from ``first`` until before ``end``, cut wherever a price changes."""
    cuts = {version.since for version in tariff.versions} | {vat.since for vat in tariff.vat}
    for version in tariff.versions:
        if version.season:
            cuts.update(_ends(version.season, first, end))
    days = [first, *sorted(cut for cut in cuts if first < cut < end), end]
    for start, stop in pairwise(days):
        current = in_force(tariff.versions, start)
        assert current is not None  # noqa: S101 - a tariff has a version
        season = current.season
        hot = season if season and _holds(season, start) else None
        yield Segment(start, stop, current, in_force(tariff.vat, start), hot)


def _ends(season: Season, first: date, end: date) -> Iterator[date]:
    """The days on which the season begins or is over, in every year that is touched."""
    for year in range(_year(first) - 1, _year(end) + 1):
        yield _day(year, season.first)
        yield _day(year, season.last) + timedelta(days=1)


def _holds(season: Season, day: date) -> bool:
    _, month, of_month = (int(part) for part in jalali.jalali(day).split("/"))
    here = (month, of_month)
    if season.first <= season.last:
        return season.first <= here <= season.last
    return here >= season.first or here <= season.last


def _year(day: date) -> int:
    return int(jalali.jalali(day)[:4])


@lru_cache(maxsize=256)
def _day(year: int, at: tuple[int, int]) -> date:
    """A Jalali day; 30 Esfand is the 29th in a year that has none."""
    try:
        return jalali.from_jalali(year, *at)
    except jalali.DateError:
        return jalali.from_jalali(year, at[0], at[1] - 1)
