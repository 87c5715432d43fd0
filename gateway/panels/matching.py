"""Which item of an answer is about which of the messages that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.panels.description import Send
from gateway.panels.port import Text
from gateway.panels.reading import at, text

NATIONAL_DIGITS: Final = 10
"""Of a mobile, however it is written: the last ones are the same."""
MISSING: Final = object()
"""In the place of an item that the answer does not have."""


def matched(
    send: Send, texts: Sequence[Text], mobiles: Sequence[str], found: Sequence[Any]
) -> list[Any]:
    """The answer's item for each text: by our id, else by the order, else by the mobile."""
    if send.local_id:
        by_id = {text(at(item, send.local_id)): item for item in found}
        if any(str(each.local_id) in by_id for each in texts):
            return [by_id.get(str(each.local_id), MISSING) for each in texts]
    said = [_last_digits(text(at(item, send.mobile))) if send.mobile else "" for item in found]
    wanted = [_last_digits(mobile) for mobile in mobiles]
    if len(found) == len(texts) and (not send.mobile or said == wanted or not any(said)):
        return list(found)
    if not send.mobile:
        return [MISSING] * len(texts)
    # Fewer than were sent, or in another order: a mobile that stands once in both is sure.
    return [
        found[said.index(mobile)] if wanted.count(mobile) == said.count(mobile) == 1 else MISSING
        for mobile in wanted
    ]


def _last_digits(mobile: str) -> str:
    return mobile[-NATIONAL_DIGITS:]
