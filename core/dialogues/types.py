"""What passes between a USSD session's row and the menu that the gateway lends the batch.

The core keeps a session and runs operations for it; it does not know menus. The gateway
walks a menu; it does not know the database. An input goes to ``Talker.step``, which says
what to show, or names a ``Call`` whose outcome is the next thing it hears, and so on until
there is something to show.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from core.calls import Call, Outcome
from core.terms import Terms


class Event(StrEnum):
    """What a session hears of."""

    BEGIN = "begin"
    """Somebody dialled: ``text`` is the whole string, such as ``*1522*2*1#``."""
    ANSWER = "answer"
    """Something was typed: ``text``."""
    CONFIRM = "confirm"
    """A notification of ours has been shown (USSN confirm)."""
    ABORT = "abort"
    """The subscriber or the network ended the session."""
    TIMEOUT = "timeout"
    """The network did not wait longer for an answer, from the handset or from us."""
    OPEN = "open"
    """We begin the session ourselves (USSR, USSN): ``text`` names a node of the menu."""
    OUTCOME = "outcome"
    """The operation that the last step called for has run."""


class Ending(StrEnum):
    """Why there is a last screen for an input that no session hears of."""

    OVER = "over"
    """The session that it answers has ended or expired, or there is none."""
    LIMIT = "limit"
    """Too many dials or inputs from the mobile within a minute."""
    FAILED = "failed"
    """It could not be worked on."""


class Input(NamedTuple):
    """One thing that came from a handset, and waits to be acknowledged."""

    id: int
    received_at: int
    """UTC milliseconds."""
    door: str
    """The bind or HTTP door."""
    connection: int
    network_id: str
    """What the network calls the session: equal in all of its inputs."""
    line: str
    """The line's number in the settings (``*1522#``); empty for one that none has, and for an
    input whose network names the code only when the session begins."""
    mobile: str
    """E.164 digits without +; empty where the network says it only when a session begins."""
    event: Event
    text: str
    turn: str
    """Equal when the same input is delivered again, where the network has such a mark."""
    fingerprint: int
    joined: bool = False
    """Whether ``text`` of an ANSWER is all that was typed in the session, joined with ``*``:
    ``core.dialogues.joined.untangled`` says what is new in it."""


class Heard(NamedTuple):
    """What a step is told."""

    event: Event
    text: str
    at: int
    """UTC milliseconds."""
    own: tuple[str, ...]
    """Numbers of the subscriptions that the mobile is registered to."""
    cut: str = ""
    """With BEGIN: the state of a session that was cut off lately and may be gone on with."""
    outcome: Outcome | None = None
    """With OUTCOME."""


class Said(NamedTuple):
    """What a step makes of it. Either a call or a screen; neither when the session is over."""

    state: str
    """The session from now on, as JSON; it holds no secret code."""
    call: Call | None = None
    """Run this, and come back with its outcome."""
    shown: tuple[str, ...] = ()
    """Numbers to which a right has been shown in this session: a call may be about them
    without a code."""
    screen: str = ""
    """What the handset is to show: it fits the line's page."""
    ends: bool = False
    """Whether the session is over with it."""
    notes: tuple[tuple[str, ...], ...] = ()
    """Texts to send to the mobile by SMS, each cut into the parts of a message."""
    masked: str = ""
    """What was heard, with every digit of a secret code replaced: what is stored."""


class Talker(Protocol):
    """What the gateway lends the batch for one USSD line. Pure, and never raises."""

    @property
    def utility(self) -> str:
        """The key of its data."""

    @property
    def terms(self) -> Terms:
        """What the utility has set for itself."""

    @property
    def sms_line(self) -> str:
        """The line that texts to the handset go out from; empty: it sends none."""

    @property
    def timeout_ms(self) -> int:
        """How long the network keeps a session waiting for the handset."""

    @property
    def resume_ms(self) -> int:
        """For how long a session that was cut off may be gone on with; 0: not at all."""

    @property
    def nodes(self) -> frozenset[str]:
        """Where a session of our own may begin (``Event.OPEN``)."""

    def step(self, state: str, heard: Heard) -> Said:
        """Go on with a session; ``state`` is empty for a new one.

        States between the calls of one input are not stored. Nor is it asked about ABORT and
        TIMEOUT: the state stays as it was, and is what ``Heard.cut`` tells of the session.
        """

    def last_words(self, why: Ending) -> str:
        """A last screen for an input that no session hears of; it fits the line's page."""


class Shown(NamedTuple):
    """A screen that is to go out once the batch is committed."""

    input_id: int
    """The input that it answers; a session that we began: its own id."""
    door: str
    network_id: str
    mobile: str
    line: str
    text: str
    """Empty when nothing is shown and only the session is closed."""
    ends: bool
    opens: Event | None = None
    """For a session that we begin: OPEN asks (USSR), CONFIRM only tells (USSN)."""
    turn: str = ""
    """That of the input; some networks want it back with the screen."""
