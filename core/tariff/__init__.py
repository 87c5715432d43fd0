"""What water costs: tariffs as data, and the lines of a bill computed from one.

DOMAIN section 5 says what a bill is made of; docs/tariffs.md writes each rule down, with
what is rounded where. Everything here is pure: a ``Tariff`` is read from a profile's
``tariff.toml`` by the gateway, and ``parts_of`` makes of it and a ``Use`` the parts of a bill.
"""

from __future__ import annotations

from core.tariff.compute import amount_of, parts_of
from core.tariff.parts import Part, lines_in, lines_stored, to_store
from core.tariff.types import (
    HOME,
    Block,
    Fee,
    Line,
    Note,
    Rates,
    Season,
    Tariff,
    Use,
    Vat,
    Version,
    Wastewater,
    usage_name,
)

__all__ = [
    "HOME",
    "Block",
    "Fee",
    "Line",
    "Note",
    "Part",
    "Rates",
    "Season",
    "Tariff",
    "Use",
    "Vat",
    "Version",
    "Wastewater",
    "amount_of",
    "lines_in",
    "lines_stored",
    "parts_of",
    "to_store",
    "usage_name",
]
