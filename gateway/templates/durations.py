"""Spans of time as people write them: ``30s``, ``5m``, ``2h``, ``1d``, ``1h 30m``. Pure."""

from __future__ import annotations

import re
from typing import Final

from core.text import normalise

_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART: Final = re.compile(r"([0-9]{1,9})([dhms])")


class DurationError(ValueError):
    """A text is no span of time, in words for the person who wrote it."""


def parse_duration(text: str) -> int:
    """Seconds: those of all parts together. Raises ``DurationError``."""
    return sum(parse_durations(text))


def parse_durations(text: str) -> tuple[int, ...]:
    """Seconds, one figure a part. Raises ``DurationError``."""
    parts = re.split(r"[\s,،]+", normalise(text).lower().strip())
    return tuple(_seconds(part) for part in parts if part or len(parts) == 1)


def _seconds(part: str) -> int:
    found = _PART.fullmatch(part)
    if found is None:
        raise DurationError(f"{part!r} is no span of time such as 30s, 5m, 2h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


def write_duration(seconds: int) -> str:
    """``1h 30m``; ``parse_duration`` reads it as the same."""
    words = []
    for unit, size in _SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def write_durations(spans: tuple[int, ...]) -> str:
    """``90s 5m``: each span as one part, as ``parse_durations`` reads them."""
    return " ".join(map(_as_one, spans))


def _as_one(seconds: int) -> str:
    unit = next(unit for unit, size in _SECONDS.items() if seconds % size == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"
