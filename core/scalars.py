"""Facts and parameters as JSON keeps them: days and instants are told from texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from core.calls import Scalar


def written(values: Mapping[str, Scalar]) -> dict[str, Any]:
    """Values as ``json`` takes them."""
    return {name: _written(value) for name, value in values.items()}


def read(given: Mapping[str, Any]) -> dict[str, Scalar]:
    """What ``written`` was given. Raises ``ValueError`` for what it never writes."""
    return {name: _read(value) for name, value in given.items()}


def _written(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return value


def _read(given: Any) -> Scalar:
    match given:
        case {"instant": str(text), **rest} if not rest:
            return datetime.fromisoformat(text)
        case {"date": str(text), **rest} if not rest:
            return date.fromisoformat(text)
        case str() | int():
            return given
    raise ValueError(f"{given!r} is no value")
