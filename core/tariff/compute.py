"""The lines of a bill, computed from a tariff and what was used (DOMAIN section 5).

Exact, and the only rounding is that each line's amount is rounded down to the whole rial.
The lines are the bill: its amount is their sum. Every line's quantity grows with the use or
stays, so more water never costs less. The prices come from a ``Plan``.

Volumes are counted in whole ``grains`` of a unit of the meter, of which a bill has so many
that each of its parts is a whole number of them: several times quicker than fractions, and
as exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.tariff.parts import Charge, Part
from core.tariff.plan import Hot, Plan, Premises, Step, cut, plan_of, reduced
from core.tariff.types import HOME, MONTH_DAYS, Line, Ratio, Tariff, Use


class _Measure(NamedTuple):
    """What is billed for days of equal prices."""

    used: int
    """Grains."""
    grains: int
    """How many of them are a unit of the meter."""
    scale: int
    """The grains of what the plan's steps count in: 1 m³ per month for each unit, or the
    contracted capacity."""
    months: Ratio
    """Of all units together."""


def parts_of(tariff: Tariff, use: Use) -> list[Part]:
    """The parts of a bill, in the order of their days; ``lines_in`` has their lines.

    Use is taken as even over the period, so that a part of the days has its share of it.
    Raises ``ValueError`` for a period without days, a negative use, no units, or a usage that
    a version has no price of.
    """
    used, first, end, usage, units, capacity, region, wastewater = use
    numerator, denominator = used.as_integer_ratio()
    if end <= first or numerator < 0 or units <= 0:
        raise ValueError(f"cannot be billed: {use}")
    # Homes have no capacity, whatever is on record.
    size = units if usage == HOME else capacity
    premises = Premises(usage, region, wastewater, size is not None)
    all_days = (end - first).days * denominator
    parts: list[Part] = []
    for since, until, version, vat, season in cut(tariff, first, end):
        days = (until - since).days
        measure = _Measure(
            used=numerator * days * MONTH_DAYS,
            grains=all_days * MONTH_DAYS,
            scale=(size or 0) * days * all_days,
            months=reduced(units * days, MONTH_DAYS),
        )
        charges: list[Charge] = []
        amount = _add_charges(charges, plan_of(version, vat, season, premises), measure)
        parts.append(Part(since, until, charges, amount))
    return parts


def amount_of(lines: Iterable[Line | Part]) -> int:
    """The amount of a bill, rial: the sum of its lines, or its parts."""
    return sum([line.amount for line in lines])


def _add_charges(charges: list[Charge], plan: Plan, measure: _Measure) -> int:
    """Add the charges of days of equal prices; their sum. VAT is on all of the others."""
    water = amount = _add_steps(charges, plan.water, measure)
    if plan.hot is not None:
        amount += _add_season(charges, plan.hot, measure)
    if plan.subscription is not None:
        amount += _add(charges, "subscription", measure.months, plan.subscription)
    if plan.wastewater is not None and water:
        amount += _add(charges, "wastewater", (water, 1), plan.wastewater)
    if plan.wastewater_fee is not None:
        amount += _add(charges, "wastewater_fee", measure.months, plan.wastewater_fee)
    amount += _add_steps(charges, plan.notes, measure)
    if plan.vat is not None and amount:
        amount += _add(charges, "vat", (amount, 1), plan.vat)
    return amount


def _add_steps(charges: list[Charge], steps: Sequence[Step], measure: _Measure) -> int:
    """Add the charge of each step that the use reaches; their sum."""
    used, grains, scale, _months = measure
    added = 0
    for below, up_to, code, rate, note in steps:
        start = below * scale
        if used <= start:
            continue
        within = (used if up_to is None else min(used, up_to * scale)) - start
        if within:  # a capacity of nothing holds nothing
            amount = within * rate[0] // (grains * rate[1])
            charges.append((code, reduced(within, grains), rate, amount, note))
            added += amount
    return added


def _add_season(charges: list[Charge], hot: Hot, measure: _Measure) -> int:
    """Add the season's share of the price of what is beyond its threshold; the amount."""
    price = 0
    for below, up_to, rate in hot.steps:
        within = measure.used if up_to is None else min(measure.used, up_to * measure.scale)
        price += max(within - below * measure.scale, 0) * rate
    if not price:
        return 0
    return _add(charges, "season", reduced(price * hot.coefficient, measure.grains * 100), hot.rate)


def _add(charges: list[Charge], code: str, quantity: Ratio, rate: Ratio) -> int:
    """Add a charge; its amount."""
    amount = quantity[0] * rate[0] // (quantity[1] * rate[1])
    charges.append((code, quantity, rate, amount, ""))
    return amount
