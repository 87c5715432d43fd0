"""What is shown of people to a token that may not see personal data."""

from __future__ import annotations

from collections.abc import Collection

from core.identifiers import masked_mobile
from gateway.web.desk.wording import veiled

_LEAST: int = 5


def mobile(number: str, *, whole: bool) -> str:
    """A mobile."""
    return number if whole else masked_mobile(number)


def code(number: str | None, *, whole: bool) -> str | None:
    """A subscription, a bill ID: the first and last two digits."""
    if number is None or whole:
        return number
    return f"{number[:2]}***{number[-2:]}" if len(number) >= _LEAST else "***"


def text(words: str, names: Collection[str], *, whole: bool) -> str:
    """A text, without figures and the names of those whom it is about."""
    return words if whole else veiled(words, names)
