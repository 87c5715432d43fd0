"""What is shown of people: whole to a token that may see personal data, masked to others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from core.browse import Message, Received
from core.identifiers import masked_mobile
from gateway.web.api.call import Call
from gateway.web.desk.wording import veiled

_LEAST: int = 5


def seen_whole(
    call: Call[Any, Any], box: str, found: Iterable[Message | Received]
) -> frozenset[int]:
    """The ids of those that the token sees whole; it is noted as one look, however many."""
    seen = [each.id for each in found if call.sees_personal(call.means.utility_of(each.line))]
    if seen:
        object_ = f"{box}:{seen[0]}" if len(seen) == 1 else box
        call.note(object_, call.token.utility, shown=len(seen), first=seen[0], last=seen[-1])
    return frozenset(seen)


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
