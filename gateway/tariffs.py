"""A profile's ``tariff.toml`` as the core's ``Tariff`` (docs/tariffs.md describes the file)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field as Setting
from pydantic import field_validator

from core import jalali
from core.tariff import (
    HOME,
    Block,
    Fee,
    Note,
    Rates,
    Season,
    Tariff,
    Vat,
    Version,
    Wastewater,
    usage_name,
)
from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen, read_model

_RIAL = Annotated[int, Setting(ge=0, le=10**9)]
_PERCENT = Annotated[int, Setting(ge=0, le=1000)]
_VOLUME = Annotated[int, Setting(gt=0, le=10**6)]
_LEAP_YEAR: Final = 1403
"""A Jalali year that has every day there can be."""


def _day(text: Any) -> date:
    if isinstance(text, date):
        return text
    try:
        return jalali.parse_date(str(text))
    except jalali.DateError as error:
        raise ValueError(str(error)) from None


class _Block(Frozen):
    up_to: _VOLUME | None = None
    rate: _RIAL


class _Rates(Frozen):
    rate: _RIAL
    free_rate: _RIAL


class _Fee(Frozen):
    home: _RIAL = 0
    other: _RIAL = 0

    def made(self) -> Fee:
        return Fee(self.home, self.other)


class _Wastewater(Frozen):
    home: _PERCENT
    other: _PERCENT
    fee: _Fee = _Fee()

    def made(self) -> Wastewater:
        return Wastewater(self.home, self.other, self.fee.made())


class _Note(Frozen):
    name: Annotated[str, Setting(min_length=1)]
    pattern: _VOLUME
    within: _RIAL = 0
    above: _RIAL = 0


class _Season(Frozen):
    first: str
    last: str
    above: _VOLUME
    percent: _PERCENT

    @field_validator("first", "last")
    @classmethod
    def _is_a_day(cls, text: str) -> str:
        _month_and_day(text)
        return text

    def made(self) -> Season:
        first, last = _month_and_day(self.first), _month_and_day(self.last)
        return Season(first, last, self.above, self.percent)


class _Version(Frozen):
    since: date
    blocks: Annotated[tuple[_Block, ...], Setting(min_length=1)]
    usages: dict[str, _Rates] = Setting(default_factory=dict)
    subscription: _Fee = _Fee()
    wastewater: _Wastewater | None = None
    notes: tuple[_Note, ...] = ()
    season: _Season | None = None
    regions: dict[str, Annotated[int, Setting(gt=0, le=1000)]] = Setting(default_factory=dict)

    _read_since = field_validator("since", mode="before")(_day)

    @field_validator("blocks")
    @classmethod
    def _ascending(cls, blocks: tuple[_Block, ...]) -> tuple[_Block, ...]:
        ends = [block.up_to for block in blocks]
        if ends[-1] is not None:
            raise ValueError("the last block has an end: leave out its up_to")
        bounded = [end for end in ends[:-1] if end is not None]
        if len(bounded) != len(ends) - 1 or bounded != sorted(set(bounded)):
            raise ValueError("up_to has to ascend from block to block, and only the last has none")
        return blocks

    def made(self) -> Version:
        return Version(
            since=self.since,
            blocks=tuple(Block(block.up_to, block.rate) for block in self.blocks),
            usages={name: Rates(one.rate, one.free_rate) for name, one in self.usages.items()},
            subscription=self.subscription.made(),
            wastewater=self.wastewater.made() if self.wastewater else None,
            notes=tuple(Note(one.name, one.pattern, one.within, one.above) for one in self.notes),
            season=self.season.made() if self.season else None,
            regions=self.regions,
        )


class _Vat(Frozen):
    since: date
    percent: _PERCENT

    _read_since = field_validator("since", mode="before")(_day)


class _Tariff(Frozen):
    usages: dict[str, tuple[str, ...]]
    vat: tuple[_Vat, ...] = ()
    versions: Annotated[tuple[_Version, ...], Setting(min_length=1)]


def load_tariff(file: Path) -> Tariff | None:
    """Read a tariff; None when there is no such file: the utility's bills are not computed.

    Raises ``ConfigError`` for the first mistake in it.
    """
    if not file.exists():
        return None
    read = read_model(file, _Tariff)
    names = _names(file, read.usages)
    _check_order(file, "versions", [version.since for version in read.versions])
    _check_order(file, "vat", [vat.since for vat in read.vat])
    _check_usages(file, read)
    return Tariff(
        tuple(version.made() for version in read.versions),
        tuple(Vat(vat.since, vat.percent) for vat in read.vat),
        names,
    )


def _names(file: Path, usages: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The usage that each name in the data means; its own name means it too."""
    if HOME not in usages:
        hint = f'write {HOME} = ["خانگی"]'
        raise ConfigError(file, f"usages.{HOME}", "is missing", hint)
    names = {usage_name(usage): usage for usage in usages}
    for usage, called in usages.items():
        for name in called:
            if names.setdefault(usage_name(name), usage) != usage:
                problem = f"{name!r} is a name of {names[usage_name(name)]!r} already"
                raise ConfigError(file, f"usages.{usage}", problem)
    return names


def _check_order(file: Path, key: str, days: Sequence[date]) -> None:
    for place, (before, after) in enumerate(pairwise(days), 2):
        if after <= before:
            problem = f"{jalali.jalali(after)} is not after {jalali.jalali(before)}"
            raise ConfigError(file, f"{key}[{place}].since", problem, "write the oldest first")


def _check_usages(file: Path, read: _Tariff) -> None:
    """Every usage has a price in every version, and every price a usage."""
    for place, version in enumerate(read.versions, 1):
        for usage in read.usages.keys() - {HOME} - version.usages.keys():
            key = f"versions[{place}].usages.{usage}"
            raise ConfigError(file, key, "this usage has no price here")
        for usage in version.usages.keys() - (read.usages.keys() - {HOME}):
            key = f"versions[{place}].usages.{usage}"
            hint = nearest_hint(usage, read.usages.keys() - {HOME})
            raise ConfigError(file, key, "there is no such usage under [usages]", hint)


def _month_and_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("/")
    if not (month.isdecimal() and day.isdecimal()):
        raise ValueError(f"{text!r} is not a month and a day such as 02/31")
    found = int(month), int(day)
    try:
        jalali.from_jalali(_LEAP_YEAR, *found)
    except jalali.DateError:
        raise ValueError(f"{text!r}: there is no such day") from None
    return found
