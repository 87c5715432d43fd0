"""What working on the inputs of USSD sessions needs, and what it leaves to store and show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.dialogues.limits import Limits, OpenSessions
from core.dialogues.rows import Session, Step
from core.dialogues.types import Shown, Talker
from core.ids import IdMaker
from core.outbox import Answer
from core.secrecy import Keys

OPENED = "opened"
ENDED = "ended"
"""Whatever ended it, but for the next one."""
EXPIRED = "expired"
LIMITED = "limited"
"""Inputs that were too many."""
LATE = "late"
"""Inputs for a session that is over, or that there is none of."""
REPEATED = "repeated"
"""Inputs that had come before."""
UNKNOWN = "unknown"
"""Dials of a code that no line has, or from nobody."""
BUSY = "busy"
"""Sessions that we would have begun with a mobile that was in one."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is the same for all inputs."""

    node: int
    ids: IdMaker
    keys: Keys
    talkers: Mapping[str, Talker]
    """By line."""
    limits: Limits
    sessions: OpenSessions
    error: str = ""
    """Why no call can be run, or empty; menus are told that their calls have failed."""


@dataclass(slots=True)
class Worked:
    """What has come of a batch's inputs."""

    sessions: dict[str, Session] = field(default_factory=dict)
    """By mobile: those that changed."""
    steps: list[Step] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    notes: list[Answer] = field(default_factory=list)
    repeated: dict[int, int] = field(default_factory=dict)
    """Inputs known by their turn: their id → the id under which they are stored."""
    operations: list[tuple[str, str]] = field(default_factory=list)
    """Operation and outcome of each call."""
    unwanted: list[int] = field(default_factory=list)
    """Rows that are with a daemon to be sent, to people who have just opted out of them."""
    happened: bool = False
    """Whether events were stored."""
    counters: Counter[str] = field(default_factory=Counter)

    @property
    def more_open(self) -> int:
        """By how many there are more sessions open than before."""
        counted = self.counters
        return counted[OPENED] - counted[ENDED] - counted[EXPIRED]
