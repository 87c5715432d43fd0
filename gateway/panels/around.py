"""What a panel has around it in the daemon, and what it says of itself there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred

from core.outbox import Sent
from gateway.messages import BindListener
from gateway.outbound import Clock
from gateway.panels.intake import Books


class Surroundings(NamedTuple):
    """What a panel needs of the daemon."""

    listener: BindListener
    clock: Clock
    books: Books
    now_ms: Callable[[], int]
    settle: Callable[[str, Sequence[Sent]], None]
    on_up: Callable[[], object]
    """Called when it can send again: messages may be claimed."""
    close: Callable[[], Deferred[None]]
    """Lets the HTTP client's connections go."""


class PanelStatus(NamedTuple):
    """What health says of a panel."""

    name: str
    kind: str
    up: bool
    since: int
    """UTC milliseconds: when it came up or went down."""
    in_doubt: int
    owed: int
    """Messages whose state it still owes."""
    credit: float | None
    credit_low: float
    counters: Counter[str]
    last_error: str
    next_attempt: int | None
