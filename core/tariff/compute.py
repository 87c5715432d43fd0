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
from datetime import date
from typing import NamedTuple

from core.tariff.plan import Hot, Plan, Premises, Ratio, Step, cut, plan_of, reduced
from core.tariff.types import HOME, MONTH_DAYS, Line, Tariff, Use


class _Part(NamedTuple):
    """Days of equal prices, and what is billed for them."""

    first: date
    end: date
    used: int
    """Grains."""
    grains: int
    """How many of them are a unit of the meter."""
    scale: int
    """The grains of what the plan's steps count in: 1 m³ per month for each unit, or the
    contracted capacity."""
    months: Ratio
    """Of all units together."""


def lines_of(tariff: Tariff, use: Use) -> tuple[Line, ...]:
    """The lines of a bill, in the order of the days and, within them, of the bill.

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
    lines: list[Line] = []
    for since, until, version, vat, season in cut(tariff, first, end):
        days = (until - since).days
        part = _Part(
            first=since,
            end=until,
            used=numerator * days * MONTH_DAYS,
            grains=all_days * MONTH_DAYS,
            scale=(size or 0) * days * all_days,
            months=reduced(units * days, MONTH_DAYS),
        )
        _add_lines(lines, plan_of(version, vat, season, premises), part)
    return tuple(lines)


def amount_of(lines: Iterable[Line]) -> int:
    """The amount of a bill, rial: the sum of its lines."""
    return sum([line.amount for line in lines])


def _add_lines(lines: list[Line], plan: Plan, part: _Part) -> None:
    """Add the lines of days of equal prices; VAT is on all of the others."""
    start = len(lines)
    _add_steps(lines, plan.water, part)
    water = amount_of(lines[start:])
    if plan.hot is not None:
        _add_season(lines, plan.hot, part)
    if plan.subscription:
        lines.append(_line(part, "subscription", part.months, (plan.subscription, 1)))
    if plan.wastewater is not None and water:
        lines.append(_line(part, "wastewater", (water, 1), plan.wastewater))
    if plan.wastewater_fee:
        lines.append(_line(part, "wastewater_fee", part.months, (plan.wastewater_fee, 1)))
    _add_steps(lines, plan.notes, part)
    if plan.vat is not None:
        taxed = amount_of(lines[start:])
        if taxed:
            lines.append(_line(part, "vat", (taxed, 1), plan.vat))


def _add_steps(lines: list[Line], steps: Sequence[Step], part: _Part) -> None:
    """Add the line of each step that the use reaches."""
    first, end, used, grains, scale, _months = part
    for below, up_to, code, title, rate, note in steps:
        within = (used if up_to is None else min(used, up_to * scale)) - below * scale
        if within > 0:
            amount = within * rate[0] // (grains * rate[1])
            quantity = reduced(within, grains)
            lines.append(Line(code, title, quantity, rate, amount, first, end, note))


def _add_season(lines: list[Line], hot: Hot, part: _Part) -> None:
    """Add the season's share of the price of what is beyond its threshold."""
    price = 0
    for below, up_to, rate in hot.steps:
        within = part.used if up_to is None else min(part.used, up_to * part.scale)
        price += max(within - below * part.scale, 0) * rate
    if price:
        lines.append(
            _line(part, "season", reduced(price * hot.coefficient, part.grains * 100), hot.rate)
        )


def _line(part: _Part, code: str, quantity: Ratio, rate: Ratio) -> Line:
    amount = quantity[0] * rate[0] // (quantity[1] * rate[1])
    return Line(code, code, quantity, rate, amount, part.first, part.end)
