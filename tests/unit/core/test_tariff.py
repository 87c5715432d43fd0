"""The lines of a bill: figures computed by hand, and what must hold for any tariff."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jalali import from_jalali
from core.tariff import (
    Block,
    Fee,
    Line,
    Note,
    Part,
    Rates,
    Season,
    Tariff,
    Use,
    Vat,
    Version,
    Wastewater,
    amount_of,
    lines_in,
    lines_stored,
    parts_of,
    to_store,
)

RATES_1397 = (
    (5, 1518), (10, 2272), (15, 3025), (20, 3962), (25, 5778), (30, 9091), (35, 12391),
    (40, 16525), (50, 35804), (None, 71609),
)  # fmt: skip
RATES_1395 = (
    (5, 710), (10, 1062), (15, 1414), (20, 1852), (25, 2700), (30, 4248), (35, 5790),
    (40, 7722), (50, 16731), (None, 33462),
)  # fmt: skip
YEAR_1397 = from_jalali(1397, 1, 1)
AUTUMN = from_jalali(1397, 7, 1)
NOTHING_ELSE = Version(
    since=from_jalali(1395, 1, 1), blocks=tuple(Block(*each) for each in RATES_1395)
)
PLAIN = Version(since=YEAR_1397, blocks=tuple(Block(*each) for each in RATES_1397))
FULL = Version(
    since=YEAR_1397,
    blocks=PLAIN.blocks,
    usages={"industrial": Rates(6163, 71609)},
    subscription=Fee(8000, 16000),
    wastewater=Wastewater(70, 100, Fee(4000, 8000)),
    notes=(Note("تبصره", 20, 150, 300),),
    season=Season((2, 31), (6, 31), 25, 20),
    regions={"سرد": 90},
)


def tariff(*versions: Version, vat: int = 0) -> Tariff:
    """These versions, with one rate of VAT."""
    return Tariff(versions, (Vat(date(2000, 1, 1), vat),), {"خانگی": "home"})


def lines_of(prices: Tariff, some: Use) -> tuple[Line, ...]:
    """The lines of a bill."""
    return lines_in(parts_of(prices, some))


def use(used: int | Fraction, first: date, days: int, **more: Any) -> Use:
    """Use over some days."""
    return Use(Fraction(used), first, first + timedelta(days=days), **more)


def bill(version: Version, used: int, vat: int = 0, **more: Any) -> dict[str, int]:
    """The amounts of the lines of 30 days of autumn, by code."""
    lines = lines_of(tariff(version, vat=vat), use(used, AUTUMN, 30, **more))
    return {line.code: line.amount for line in lines}


# --- by hand ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "used", "rial"),
    [
        (PLAIN, 0, 0),
        (PLAIN, 5, 5 * 1518),
        (PLAIN, 6, 5 * 1518 + 2272),
        # 5 × (1518 + 2272 + 3025 + 3962) = 53,885
        (PLAIN, 20, 53_885),
        # … + 5 × (5778 + 9091 + 12391 + 16525) + 10 × 35804 + 10 × 71609 = 1,346,940
        (PLAIN, 60, 1_346_940),
        # 5 × (710 + 1062 + 1414 + 1852) = 25,190
        (NOTHING_ELSE, 20, 25_190),
    ],
)
def test_a_month_of_a_home_by_blocks(version: Version, used: int, rial: int) -> None:
    """The published rates of 1395 and 1397, added up by hand."""
    assert amount_of(lines_of(tariff(version), use(used, AUTUMN, 30))) == rial


def test_two_units_for_two_months_pay_as_four_of_a_month() -> None:
    """Blocks are per unit and month: 80 m³ are four times 20."""
    lines = lines_of(tariff(PLAIN), use(80, AUTUMN, 60, units=2))
    assert amount_of(lines) == 4 * 53_885


def test_every_line_of_a_full_bill() -> None:
    """30 m³ of a home in autumn: water 5 × 25,646 = 128,230, the rest as the tariff says."""
    assert bill(FULL, 30, vat=9) == {
        "water.1": 7590,
        "water.2": 11_360,
        "water.3": 15_125,
        "water.4": 19_810,
        "water.5": 28_890,
        "water.6": 45_455,
        "subscription": 8000,
        "wastewater": 89_761,
        "wastewater_fee": 4000,
        "note.1": 3000,
        "note_above.1": 3000,
        "vat": 21_239,  # 9 % of 235,991 is 21,239.19
    }


def test_nothing_used_costs_the_fees() -> None:
    """آبونمان is due at zero use, and VAT on it."""
    assert bill(FULL, 0, vat=10) == {"subscription": 8000, "wastewater_fee": 4000, "vat": 1200}


def test_who_has_no_sewer_pays_for_none() -> None:
    """Neither the share nor its fee."""
    assert not {"wastewater", "wastewater_fee"} & bill(FULL, 30, wastewater=False).keys()


def test_a_contracted_capacity_and_the_free_rate_beyond_it() -> None:
    """100 m³ of a factory with 60: 60 × 6163 and 40 × 71609; all of the water for sewage."""
    found = bill(FULL, 100, usage="industrial", capacity=60)
    assert (found["capacity"], found["free"]) == (369_780, 2_864_360)
    assert found["wastewater"] == 369_780 + 2_864_360
    assert (found["note.1"], found["note_above.1"]) == (9000, 12_000)
    assert found["subscription"] == 16_000


def test_no_contracted_capacity_is_never_exceeded() -> None:
    """Where none is on record, all of the use is within it."""
    assert "free" not in bill(FULL, 100, usage="industrial")


def test_a_region_has_its_coefficient_on_the_price_of_water() -> None:
    """90 % of 5 × 1518 is 6831; the fees stay."""
    found = bill(FULL, 5, region="سرد")
    assert (found["water.1"], found["wastewater"], found["subscription"]) == (6831, 4781, 8000)


def test_the_hot_season_raises_the_price_of_what_is_beyond_25() -> None:
    """In 31 days to the end of Shahrivar: 20 % of the price of the sixth block alone."""
    lines = lines_of(tariff(FULL), use(31, from_jalali(1397, 6, 1), 31))
    season = [line for line in lines if line.code == "season"]
    # 30 m³ per month: 5 × 31/30 m³ at 9091 are 46,970 1/6 rial.
    assert [line.amount for line in season] == [9394]
    assert "season" not in bill(FULL, 60)


@pytest.mark.parametrize(
    ("first", "days", "hot_days"),
    [
        ((2, 30), 2, 1),  # 31 Ordibehesht is hot
        ((6, 31), 2, 1),  # 31 Shahrivar is, 1 Mehr is not
        ((1, 1), 186, 125),
    ],
)
def test_the_season_begins_and_ends_on_its_days(
    first: tuple[int, int], days: int, hot_days: int
) -> None:
    """Both of them included: 02/31 to 06/31."""
    lines = lines_of(tariff(FULL), use(1000 * days, from_jalali(1397, *first), days))
    hot = {(line.first, line.end) for line in lines if line.code == "season"}
    assert sum((end - start).days for start, end in hot) == hot_days


def test_a_season_may_go_over_the_new_year() -> None:
    """From Bahman to the end of Farvardin."""
    winter = replace(FULL, season=Season((11, 1), (1, 31), 25, 20))
    lines = lines_of(tariff(winter), use(3000, from_jalali(1397, 12, 20), 30))
    assert {line.first for line in lines if line.code == "season"} == {from_jalali(1397, 12, 20)}


def test_a_new_rate_of_vat_is_on_its_own_days() -> None:
    """9 % for ten days, 10 % for twenty; the fee of each part is taxed by its own."""
    cut = AUTUMN + timedelta(days=10)
    both = Tariff((FULL,), (Vat(date(2000, 1, 1), 9), Vat(cut, 10)), {})
    lines = lines_of(both, use(0, AUTUMN, 30, wastewater=False))
    # 8000 × 10/30 = 2666.6, and 9 % of 2666; 8000 × 20/30 = 5333.3, and 10 % of 5333
    assert [line.amount for line in lines] == [2666, 239, 5333, 533]


def test_days_before_the_oldest_version_are_priced_by_it() -> None:
    """Rather than not at all."""
    assert amount_of(lines_of(tariff(PLAIN), use(5, date(2000, 1, 1), 30))) == 7590


@pytest.mark.parametrize(
    "wrong",
    [
        use(5, AUTUMN, 0),
        use(-1, AUTUMN, 30),
        use(5, AUTUMN, 30, units=0),
        use(5, AUTUMN, 30, usage="palace"),
    ],
)
def test_what_cannot_be_billed(wrong: Use) -> None:
    """An error, and no bill of nonsense."""
    with pytest.raises(ValueError, match=r"cannot be billed|no price"):
        lines_of(tariff(FULL), wrong)


# --- for any tariff -----------------------------------------------------------------------

RIAL = st.integers(0, 100_000)
PERCENT = st.integers(0, 150)
FEES = st.builds(Fee, RIAL, RIAL)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Block, ...]:
    """Up to six blocks, whose rates need not even ascend."""
    ends = sorted(draw(st.sets(st.integers(1, 80), max_size=5)))
    return tuple(Block(end, draw(RIAL)) for end in [*ends, None])


VERSIONS = st.builds(
    Version,
    since=st.dates(date(2017, 1, 1), date(2020, 12, 31)),
    blocks=blocks(),
    usages=st.fixed_dictionaries({"shop": st.builds(Rates, RIAL, RIAL)}),
    subscription=FEES,
    wastewater=st.none() | st.builds(Wastewater, PERCENT, PERCENT, FEES),
    notes=st.lists(st.builds(Note, st.just("n"), st.integers(1, 60), RIAL, RIAL), max_size=2).map(
        tuple
    ),
    season=st.none()
    | st.builds(Season, st.just((2, 31)), st.just((6, 31)), st.integers(1, 60), PERCENT),
    regions=st.fixed_dictionaries({"r": st.integers(1, 300)}),
)
VATS = st.builds(Vat, st.dates(date(2017, 1, 1), date(2020, 12, 31)), st.integers(0, 20))


def _by_day(versions: list[Version]) -> tuple[Version, ...]:
    return tuple(sorted({each.since: each for each in versions}.values(), key=lambda v: v.since))


TARIFFS = st.builds(
    lambda versions, vats: Tariff(_by_day(versions), tuple(sorted(vats)), {}),
    st.lists(VERSIONS, min_size=1, max_size=3),
    st.lists(VATS, max_size=2, unique_by=lambda vat: vat.since),
)
USES = st.builds(
    use,
    st.integers(0, 3000),
    st.dates(date(2017, 1, 1), date(2020, 12, 31)),
    st.integers(1, 400),
    usage=st.sampled_from(["home", "shop"]),
    units=st.integers(1, 20),
    capacity=st.none() | st.integers(0, 200),
    region=st.sampled_from(["", "r"]),
    wastewater=st.booleans(),
)


@given(TARIFFS, USES, st.integers(0, 500))
def test_more_water_never_costs_less(prices: Tariff, some: Use, more: int) -> None:
    """Whatever the prices, whatever is rounded."""
    amounts = [
        amount_of(lines_of(prices, some._replace(used=used)))
        for used in (some.used, some.used + more)
    ]
    assert amounts == sorted(amounts)


@given(TARIFFS, USES)
def test_each_line_is_what_it_says_and_their_sum_is_the_bill(prices: Tariff, some: Use) -> None:
    """Quantity × rate, rounded down to the rial; nothing is negative, nothing left out."""
    lines = lines_of(prices, some)
    for line in lines:
        assert 0 <= line.quantity * line.rate - line.amount < 1
        assert line.amount >= 0
    assert amount_of(lines) == sum(line.amount for line in lines)


@given(TARIFFS, USES)
def test_a_split_at_a_change_of_prices_is_two_bills(prices: Tariff, some: Use) -> None:
    """Each part at its own prices, to the rial: nothing else changes."""
    cuts = sorted({line.first for line in lines_of(prices, some)} | {some.first})
    days = [*cuts, some.end]
    parts = [
        some._replace(first=first, end=end, used=some.used * (end - first).days / some.days)
        for first, end in pairwise(days)
    ]
    split = [line for part in parts for line in lines_of(prices, part)]
    assert split == list(lines_of(prices, some))


@given(VERSIONS, USES, st.integers(1, 399))
def test_a_split_under_one_version_changes_no_more_than_the_rounding(
    version: Version, some: Use, at: int
) -> None:
    """Each line loses less than a rial, and what is taken of it a little more."""
    prices = tariff(replace(version, season=None), vat=9)
    cut = some.first + timedelta(days=min(at, some.days - 1)) if some.days > 1 else None
    if cut is None:
        return
    whole = lines_of(prices, some)
    parts = [
        some._replace(end=cut, used=some.used * (cut - some.first).days / some.days),
        some._replace(first=cut, used=some.used * (some.end - cut).days / some.days),
    ]
    split = [line for part in parts for line in lines_of(prices, part)]
    # A rial lost in a line of water is lost in the share of wastewater (up to 150 %) and in
    # VAT (9 %) as well: less than three rial for each line.
    assert abs(amount_of(split) - amount_of(whole)) <= 3 * (len(split) + len(whole))


@given(VERSIONS, USES)
def test_a_version_that_says_the_same_changes_no_more_than_the_rounding(
    version: Version, some: Use
) -> None:
    """A new year with last year's prices."""
    middle = some.first + timedelta(days=some.days // 2)
    once = lines_of(tariff(replace(version, since=some.first)), some)
    twice = lines_of(
        tariff(replace(version, since=some.first), replace(version, since=middle)), some
    )
    assert abs(amount_of(once) - amount_of(twice)) <= 3 * (len(once) + len(twice))


@given(TARIFFS, st.lists(USES, min_size=1, max_size=3), st.integers(1, 9))
def test_what_is_kept_of_other_bills_changes_nothing(
    prices: Tariff, some: list[Use], parts: int
) -> None:
    """The lines are those of a tariff that no bill was made of before."""
    some += [each._replace(used=each.used / parts) for each in some]
    some += [each._replace(used=each.used * 2, units=1, region="") for each in some]
    kept = [lines_of(prices, each) for each in [*some, *reversed(some)]][len(some) :]
    fresh = [lines_of(replace(prices), each) for each in reversed(some)]
    assert kept == fresh


@given(TARIFFS, USES, st.text())
def test_lines_are_read_as_they_were_stored(prices: Tariff, some: Use, name: str) -> None:
    """Whatever an operator calls a budget note; and as they were stored before."""
    versions = tuple(
        replace(version, notes=tuple(note._replace(name=name) for note in version.notes))
        for version in prices.versions
    )
    prices = replace(prices, versions=versions)
    lines = lines_of(prices, some)
    assert lines_stored(to_store(parts_of(prices, some))) == lines
    assert {line.note for line in lines if line.title.startswith("note")} <= {name}
    assert lines_stored(json.dumps([line.as_plain() for line in lines])) == lines


def test_no_figure_is_too_long_to_be_stored() -> None:
    """Of a tariff with absurd rates, say."""
    days = date(2018, 1, 1), date(2018, 2, 1)
    parts = [Part(*days, [("water.1", (10**30, 7), (10**20, 1), 10**50 // 7, "")], 10**50 // 7)]
    assert lines_stored(to_store(parts)) == lines_in(parts)
