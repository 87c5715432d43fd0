"""Reading the JSON of panels: values by dotted paths, and their several ways with figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.panels.port import Unclear

_TEHRAN: Final = ZoneInfo("Asia/Tehran")
_MILLISECONDS: Final = 100_000_000_000
"""A figure above it counts milliseconds since 1970, one below it seconds."""
_SHORT: Final = re.compile(r"-?\d{1,9}")


def at(data: Any, path: str) -> Any:
    """What stands at ``return.status``; None where nothing does. A list's first item counts."""
    for step in path.split(".") if path else ():
        if isinstance(data, list):
            data = data[0] if data else None
        if not isinstance(data, Mapping):
            return None
        data = data.get(step)
    return data


def items(data: Any, path: str) -> Sequence[Any]:
    """The list at a path; a single object there is a list of one, and nothing is an empty one.

    Raises ``Unclear`` for anything else.
    """
    found = at(data, path)
    if found is None:
        return []
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, list):
        raise Unclear(f"the answer has no list at {path or 'its top'}")
    return found


def text(value: Any) -> str:
    """A code or an id as text: ``12`` and ``"12"`` are the same; no value is empty."""
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def number(code: str) -> int:
    """A code as the database has room for it; 0 for one that is longer, or no number."""
    return int(code) if _SHORT.fullmatch(code) else 0


def identity(value: Any) -> str:
    """An id as text; ``0`` and values below it stand for none."""
    found = text(value)
    return "" if found == "0" or found.startswith("-") else found


def instant(value: Any) -> int | None:
    """UTC milliseconds of what a panel writes: Unix time, or a date and time of Tehran."""
    written = text(value)
    if written.isdecimal():
        figure = int(written)
        return figure if figure > _MILLISECONDS else figure * 1000
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=_TEHRAN)).timestamp() * 1000)
