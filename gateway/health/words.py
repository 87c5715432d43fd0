"""Figures of health as people say them."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """A duration as people say it: ``42 s``, ``3 min``, ``5 h 12 min``, ``2 d 3 h``."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
