"""The lines of a bill, computed from a tariff and what was used (DOMAIN section 5).

Exact, and the only rounding is that each line's amount is rounded down to the whole rial.
The lines are the bill: its amount is their sum. Every line's quantity grows with the use or
stays, so more water never costs less. What does not depend on the use is in a ``Plan``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.tariff.plan import Hot, Plan, Ratio, Step, Terms, plans_of, reduced
from core.tariff.types import HOME, Line, Tariff, Use


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
    # Homes have no capacity, and a figure on record must not make plans of its own.
    capacity = None if usage == HOME else capacity
    terms = Terms(first, end, usage, units, capacity, region, wastewater, denominator)
    lines: list[Line] = []
    for plan in plans_of(tariff, terms):
        _add_lines(lines, plan, numerator * plan.share)
    return tuple(lines)


def amount_of(lines: Iterable[Line]) -> int:
    """The amount of a bill, rial: the sum of its lines."""
    return sum([line.amount for line in lines])


def _add_lines(lines: list[Line], plan: Plan, used: int) -> None:
    """Add the lines of days of equal prices; VAT is on all of the others."""
    start = len(lines)
    _add_steps(lines, plan, plan.water, used)
    water = amount_of(lines[start:])
    if plan.hot is not None:
        _add_season(lines, plan, plan.hot, used)
    lines += plan.subscription
    if plan.wastewater is not None and water:
        lines.append(_share(plan, "wastewater", water, plan.wastewater))
    lines += plan.wastewater_fee
    _add_steps(lines, plan, plan.notes, used)
    if plan.vat is not None:
        taxed = amount_of(lines[start:])
        if taxed:
            lines.append(_share(plan, "vat", taxed, plan.vat))


def _add_steps(lines: list[Line], plan: Plan, steps: Sequence[Step], used: int) -> None:
    """Add the line of each step that the use reaches."""
    grains = plan.grains
    for below, end, code, title, rate, note, whole in steps:
        if used <= below:
            continue
        if whole is not None and end is not None and used >= end:
            lines.append(whole)
            continue
        part = used - below
        amount = part * rate[0] // (grains * rate[1])
        quantity = reduced(part, grains)
        lines.append(Line(code, title, quantity, rate, amount, plan.first, plan.end, note))


def _add_season(lines: list[Line], plan: Plan, hot: Hot, used: int) -> None:
    """Add the season's share of the price of what is beyond its threshold."""
    price = 0
    for below, end, rate in hot.steps:
        if used <= below:
            break
        price += ((used if end is None or used < end else end) - below) * rate
    if price:
        of = reduced(price * hot.coefficient, plan.grains * 100)
        amount = of[0] * hot.rate[0] // (of[1] * hot.rate[1])
        lines.append(Line("season", "season", of, hot.rate, amount, plan.first, plan.end))


def _share(plan: Plan, code: str, of: int, rate: Ratio) -> Line:
    """A line that is a share of whole rial."""
    return Line(code, code, (of, 1), rate, of * rate[0] // rate[1], plan.first, plan.end)
