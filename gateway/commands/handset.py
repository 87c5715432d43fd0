"""A handset's screen in a terminal: text in a small frame, Persian from the right."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from gateway.commands.output import console, is_right_to_left, isolated

WIDE = 34
"""Columns of text that a screen shows."""


def framed(shown: str) -> list[str]:
    """The lines of a screen with its frame: ``┌──┐``, ``│…│``, ``└──┘``."""
    lines = [line for each in shown.split("\n") for line in _folded(each)]
    bar = "─" * (WIDE + 2)
    return [f"┌{bar}┐", *(f"│ {_placed(line)} │" for line in lines), f"└{bar}┘"]


def _folded(line: str) -> list[str]:
    folded = Text(line).wrap(console(), WIDE)
    return [each.plain.rstrip() for each in folded] or [""]


def _placed(line: str) -> str:
    room = " " * (WIDE - cell_len(line))
    return room + isolated(line) if is_right_to_left(line) else isolated(line) + room
