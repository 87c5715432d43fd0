"""What a webhook can be told of, by name: ``inbound``, ``message.delivered``, ``event.…``. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.events import EventKind
from core.state_groups import Group
from core.text import nearest_hint

INBOUND: Final = "inbound"
"""A message that came in."""
MESSAGE: Final = "message."
EVENT: Final = "event."
GROUPS: Final = (
    Group.DELIVERED,
    Group.FAILED,
    Group.UNCERTAIN,
    Group.SUPPRESSED,
    Group.CANCELLED,
)
"""What can become of a message in the end."""
EVERY_MESSAGE: Final = f"{MESSAGE}*"
EVERY_EVENT: Final = f"{EVENT}*"
"""Also of kinds that a later version knows."""
TOPICS: Final = (
    INBOUND,
    EVERY_MESSAGE,
    *(f"{MESSAGE}{group.value}" for group in GROUPS),
    EVERY_EVENT,
    *(f"{EVENT}{kind.value}" for kind in EventKind),
)


class Topics:
    """What one webhook wants. Immutable."""

    __slots__ = ("names",)

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)

    @property
    def inbound(self) -> bool:
        """Whether messages that came in are wanted."""
        return INBOUND in self.names

    @property
    def states(self) -> bool:
        """Whether any states of messages are."""
        return any(name.startswith(MESSAGE) for name in self.names)

    @property
    def events(self) -> bool:
        """Whether any events are."""
        return any(name.startswith(EVENT) for name in self.names)

    def wants_state(self, group: Group) -> bool:
        """Whether messages that ended so are wanted."""
        return bool(self.names & {EVERY_MESSAGE, f"{MESSAGE}{group.value}"})

    def wants_event(self, kind: str) -> bool:
        """Whether events of this kind are wanted."""
        return bool(self.names & {EVERY_EVENT, f"{EVENT}{kind}"})


def parse_topics(words: Iterable[str]) -> Topics:
    """Raises ``ValueError`` for a word that is no topic, and for none at all."""
    names = [word.strip() for word in words if word.strip()]
    if not names:
        raise ValueError(f"say what to tell of: {', '.join(TOPICS)}")
    for name in names:
        if name not in TOPICS:
            hint = nearest_hint(name, TOPICS)
            raise ValueError(f"there is nothing called {name!r} to tell of; {hint}")
    return Topics(names)
