"""What a panel has around it in the daemon, and what it says of itself there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred

from core.outbox import Sent
from gateway.messages import BindListener
from gateway.outbound import Clock, Submitted, unnoticed
from gateway.panels.intake import Books
from gateway.panels.port import Meaning


class PanelSending(NamedTuple):
    """What sending through one panel must know."""

    bind: str
    """The panel's name: to lines a panel is one of their binds."""
    requests: int
    """How many requests may be under way at once."""
    rate: float
    """Messages a second; 0 is no limit."""
    shared: bool = False
    """Whether that is for several daemons together: each has its share."""


class Hooks(NamedTuple):
    """Whom a sender tells."""

    settle: Callable[[str, Sequence[Sent]], None]
    taken: Callable[[Sequence[str]], None]
    """Ids of messages that the panel took: it owes their states."""
    trouble: Callable[[Meaning, str], None]
    """The panel cannot go on; ``down`` has to be called."""
    submitted: Submitted = unnoticed
    """Messages are being handed to it."""


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
    submitted: Submitted = unnoticed


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
