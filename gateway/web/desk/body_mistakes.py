"""What is wrong with a template's words, in the visitor's language.

``gateway.templates`` says it in English, for the operator of the command; what a visitor reads
is told by the form of that. A mistake without words of its own is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_KINDS: Final = (
    ("empty", "it says nothing"),
    ("long", r"it has (?P<count>\d+) characters; (?P<most>\d+) are allowed"),
    ("parts", r"with example figures it takes (?P<count>\d+) parts; (?P<most>\d+) are allowed"),
    ("deep", "it is nested too deeply"),
    ("place", r"(?P<word>'.+'|\".+\") has no place in a message; .*"),
    ("variable", r"there is no variable (?P<name>'.+?'|\".+?\")(?:; (?P<hint>.*))?"),
    ("filter", r"there is no filter (?P<name>'.+?'|\".+?\")(?:; (?P<hint>.*))?"),
    ("needs", r"(?P<name>\w+) is an? \w+: write (?P<write>.+)"),
    ("takes", r"(?P<name>\w+) is an? \w+, which (?P<filter>'.+?') does not take.*"),
)
_PATTERNS: Final = tuple((key, re.compile(pattern)) for key, pattern in _KINDS)
_HINTS: Final = (
    ("near", re.compile(r"did you mean (?P<name>.+)\?")),
    ("known", re.compile(r"known here: (?P<names>.+)")),
)
Say = Callable[..., str]


def in_words(problem: str, say: Say) -> str:
    """The same for the visitor."""
    for key, pattern in _PATTERNS:
        found = pattern.fullmatch(problem)
        if found:
            values: dict[str, Any] = {
                name: int(value) if value and value.isdecimal() else value or ""
                for name, value in found.groupdict().items()
            }
            if "hint" in values:
                values["hint"] = _hint(values["hint"], say)
            return say(f"mistakes.{key}", **values).strip()
    return problem


def _hint(said: str, say: Say) -> str:
    for key, pattern in _HINTS:
        found = pattern.fullmatch(said)
        if found:
            return say(f"mistakes.{key}", **found.groupdict())
    return said
