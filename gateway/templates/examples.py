"""Example facts, as long as real ones, to fill templates in with before there are any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from core.calls import Fact
from core.events.facts import FactKind, FactKinds, is_a
from gateway.replies import EXAMPLES

_OF_KIND: Final[Mapping[FactKind, Fact]] = MappingProxyType(
    {
        FactKind.TEXT: "12345678",
        FactKind.NUMBER: 123_456_000,
        FactKind.DATE: date(2026, 9, 21),
        FactKind.INSTANT: datetime(2026, 9, 21, 6, 30, tzinfo=UTC),
        FactKind.FLAG: True,
    }
)
_NOTHING: Final[Mapping[FactKind, Fact]] = MappingProxyType(
    {FactKind.NUMBER: 0, FactKind.FLAG: False}
)
_REAL: Final[Mapping[str, Fact]] = MappingProxyType(
    {"reason": "تعمیر خط انتقال", "region": "خرم‌آباد، خیابان انقلاب", "company": "آب و فاضلاب"}
)


def written_out(kinds: FactKinds) -> dict[str, Fact]:
    """An example of each fact."""
    known: dict[str, Fact] = {**EXAMPLES, **_REAL}
    return {
        name: known[name] if name in known and is_a(kind, known[name]) else _OF_KIND[kind]
        for name, kind in kinds.items()
    }


def without(kind: FactKind) -> Fact:
    """What stands for a fact that there is none of."""
    return _NOTHING.get(kind, "")
