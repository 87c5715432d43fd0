"""How the lines of a bill are shown: what each is for, how much of it, at which rate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context

from core.tariff import Line
from core.text import persian_digits

_SHARES: Final = frozenset({"season", "wastewater", "vat"})
"""Lines that are a share of other lines."""
_ISOLATE: Final = "\u2068"
_END: Final = "\u2069"
"""A name in Persian goes its own way in a line of English."""
_MONTHS: Final = frozenset({"subscription", "wastewater_fee"})


@pass_context
def _title(context: Context, line: Line) -> str:
    """What a line is for."""
    place = line.code.partition(".")[2]
    words: str = context["t"](
        f"bills.line.{line.title}",
        place=int(place) if place.isdigit() else place,
        note=f"{_ISOLATE}{line.note}{_END}",
    )
    return words


@pass_context
def _quantity(context: Context, line: Line) -> str:
    """How much of it; of a share, the sum that it is taken of."""
    kind = "rial" if line.title in _SHARES else "months" if line.title in _MONTHS else "units"
    words: str = context["t"](f"bills.{kind}", count=_plain(context, line.quantity))
    return words


@pass_context
def _rate(context: Context, line: Line) -> str:
    """Rial for each, or the share."""
    if line.title in _SHARES:
        share: str = context["t"]("bills.percent", count=_plain(context, line.rate * 100))
        return share
    return _plain(context, line.rate)


@pass_context
def _fraction(context: Context, figure: Fraction) -> str:
    """A figure with two decimals at the most."""
    return _plain(context, figure, 2)


def _plain(context: Context, figure: Fraction, decimals: int = 3) -> str:
    """A fraction as people read it, grouped."""
    said = f"{float(figure):,.{decimals}f}".rstrip("0").rstrip(".")
    if figure.denominator == 1:
        said = f"{figure.numerator:,}"
    if context["language"] != "fa":
        return said
    return persian_digits(said).translate({ord(","): "٬", ord("."): "٫"})


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "line_title": _title,
    "line_quantity": _quantity,
    "line_rate": _rate,
    "fraction": _fraction,
}
