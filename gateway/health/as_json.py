"""What the control socket, ``peyk health --json`` and ``/health`` give out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.jalali import iso
from gateway.health.judging import Health

_INSTANTS = frozenset(
    {
        "now",
        "started_at",
        "since",
        "waiting_since",
        "last_traffic",
        "next_attempt",
        "last_round",
        "at",
        "seen_at",
        "taken_over_at",
    }
)


def to_json(health: Health) -> dict[str, Any]:
    """What ``peyk health --json`` prints: instants as ISO 8601 in UTC."""
    found: dict[str, Any] = {"status": health.status.value, "problems": list(health.problems)}
    if health.snapshot:
        found["uptime_seconds"] = (health.snapshot.now - health.snapshot.started_at) // 1000
        found |= _with_iso(asdict(health.snapshot))
    return found


def _with_iso(value: Any, key: str = "") -> Any:
    if key in _INSTANTS and isinstance(value, int):
        return iso(value)
    if isinstance(value, dict):
        return {inner: _with_iso(each, inner) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_iso(each) for each in value]
    return value
