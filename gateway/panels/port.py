"""What a panel is to the daemon, whichever company it belongs to.

A request to a panel ends in one of four ways, and all of this package turns on telling them
apart: it was answered; it was refused (``Refused``: nothing of it was done); it never left
(``NotSent``); or it left and what became of it is not known (``Unclear``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from core.outbox import Result
from gateway.messages import DeliveryState


class Meaning(StrEnum):
    """What a panel's error says, and so what is to be done about it."""

    RETRY = "retry"
    """It cannot just now."""
    THROTTLED = "throttled"
    """Too much was asked of it."""
    NO_CREDIT = "no_credit"
    """Our account is empty: nothing goes until somebody pays."""
    ACCOUNT = "account"
    """The key, the password, our address or the line: nothing goes until somebody mends it."""
    BLOCKED = "blocked"
    """The mobile is on a block list."""
    REFUSED = "refused"
    """This message, for good."""


class NotSent(Exception):
    """The panel could not be reached: nothing was asked of it."""


class Unclear(Exception):
    """The request may have been carried out: no answer came, or none that can be read."""


class Refused(Exception):
    """The panel said no to the whole request: nothing of it was done."""

    def __init__(self, meaning: Meaning, code: str, words: str) -> None:
        self.meaning = meaning
        self.code = code
        super().__init__(f"{words} ({code})" if words else f"error {code}")


class Text(NamedTuple):
    """A whole message on its way to a panel."""

    local_id: int
    """Ours, below 2^62; the same message has another one at each attempt."""
    line: str
    """The line of ours that it goes out from."""
    mobile: str
    """E.164 digits without ``+``."""
    text: str


class Taken(NamedTuple):
    """What became of one ``Text``."""

    result: Result
    """ACCEPTED, PERMANENT, BLOCKED, TEMPORARY, THROTTLED; UNSENT where the account as a whole is
    at fault; UNCERTAIN where the answer does not tell."""
    id: str
    """The panel's id for it; empty unless it was accepted."""
    code: int
    meaning: Meaning | None = None
    """Of its code; None when it was accepted or the answer does not tell."""


class Standing(NamedTuple):
    """What a panel says of a message that it took."""

    id: str
    state: DeliveryState
    """UNKNOWN: the panel knows of no such message, or no longer."""
    code: str
    at: int | None
    """UTC milliseconds; None where it does not say."""


class PanelSms(NamedTuple):
    """A text from a mobile."""

    mark: tuple[str, ...]
    """What tells it from every other text of this panel."""
    source: str
    destination: str
    """The panel's number for one of our lines."""
    text: str
    at: int | None
    """When it came there: UTC milliseconds; None where that is not said."""


class Limits(NamedTuple):
    """How much one request may ask for."""

    texts: int
    states: int
    local_ids: int


class Panel(Protocol):
    """One account at a panel. Every request raises ``Refused``, ``NotSent`` or ``Unclear``."""

    @property
    def limits(self) -> Limits:
        """How much a request may hold."""

    @property
    def one_line(self) -> bool:
        """Whether all texts of a request go out from one line."""

    @property
    def knows_local_ids(self) -> bool:
        """Whether ``known`` can be asked."""

    @property
    def tells_credit(self) -> bool:
        """Whether ``credit`` can be asked."""

    @property
    def hands_over(self) -> bool:
        """Whether texts can be asked for."""

    @property
    def hands_over_again(self) -> bool:
        """Whether texts can be asked for that were handed over before."""

    async def send(self, texts: Sequence[Text]) -> Sequence[Taken]:
        """Send these; returns what became of each, in their order."""

    async def states(self, ids: Sequence[str]) -> Sequence[Standing]:
        """What became of messages; those that the panel does not speak of are left out."""

    async def known(self, local_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Which of these the panel took; the others it knows nothing of."""

    async def texts(self, *, again: bool = False) -> Sequence[PanelSms]:
        """Texts that came; with ``again`` the last of those that were handed over before."""

    async def credit(self) -> float:
        """What is left on the account, in the panel's own unit."""
