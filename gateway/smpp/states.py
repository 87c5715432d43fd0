"""The rules of an SMPP session: its states, what may come when, and what it tells.

Theory of operation
-------------------
A session is one TCP connection seen from one of its two ends, the ESME's (us) or the
SMSC's (the simulated operator). It never touches the network or a clock: ``receive``
takes what was read, ``tick`` takes the time, and both return a ``Batch`` with what
happened and the bytes to write now. All times are seconds of any one clock that does
not go back.

States::

    OPEN --bind--> BINDING --bind_resp, ROK--> BOUND --unbind--> UNBINDING
      |               |                          |                   |
      +---------------+--------------------------+-------------------+--> CLOSED

``MAY_RECEIVE`` is the whole table of what may arrive when; the mode of the bind (which
way messages go) narrows BOUND. What is not in it is answered with "incorrect bind
status" (0x04). Whatever may arrive is in one of four groups: requests that carry a
message, which go up and wait for ``acknowledge``/``refuse``; responses to messages of
ours, which go up as an ``Answer`` with the token that ``send`` was given; requests that
the session answers by itself (enquire_link, unbind); and responses to those of its own.

Errors, as SMPP 3.4 has them: a length that cannot be → generic_nack 0x02 and CLOSED,
since the next PDU cannot be found any more; an unknown command → generic_nack 0x03; a
body that is not as it should be → generic_nack with the status that fits. A response
that belongs to nothing is counted and forgotten.

Every message of ours ends in exactly one ``Answer``: by its response, by its timeout,
or by ``close``. At most ``window`` of them are on the wire; the rest wait in a backlog
and are written as responses come, those that somebody waits for (``send_first``) before
the others. Because the other end reads one stream in order, its
response to a request shows that it has read every acknowledgement written before: each
request remembers how many there were, and ``confirmed`` is the highest that came back.
An enquire_link is sent when no request was answered for a while, which tests the link
and moves ``confirmed`` alike. Any traffic shows that the link is alive, but not for ever:
an end that sends and answers nothing may not be reading either.

Memory is bounded: less than one PDU of unread bytes, ``window + backlog`` messages of
ours, ``backlog`` more that go first, one enquire_link. What came and waits for its
answer is the listener's to bound, by not reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.smpp import constants as c
from gateway.smpp.settings import Mode

if TYPE_CHECKING:
    from gateway.smpp.pdus import ShortMessage

NO_RESPONSE: Final = -1
"""An ``Answer.status``: written, and no response was seen."""
NEVER_WRITTEN: Final = -2
"""An ``Answer.status``: still in the backlog when the session ended."""


class Role(Enum):
    """Which end of the connection this is."""

    ESME = "esme"
    SMSC = "smsc"


class State(Enum):
    """Where the session stands."""

    OPEN = "open"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"
    CLOSED = "closed"


class Answer(NamedTuple):
    """What became of one message of ours."""

    token: int
    status: int
    """The response's command_status, ``NO_RESPONSE`` or ``NEVER_WRITTEN``."""
    message_id: str


class Bound(NamedTuple):
    """The SMSC took our bind."""

    system_id: str


class BindRefused(NamedTuple):
    """The SMSC refused our bind; an ``Ended`` follows."""

    status: int


class BindRequested(NamedTuple):
    """An ESME asks to be bound; answer with ``accept`` or ``reject``."""

    mode: Mode
    system_id: str
    password: str


class Ended(NamedTuple):
    """The session is CLOSED: write what the batch says, then close the connection."""

    reason: str


Event: TypeAlias = Bound | BindRefused | BindRequested | Ended


class Batch:
    """What one call brought."""

    __slots__ = ("answers", "events", "reply", "requests")

    def __init__(self) -> None:
        self.requests: list[ShortMessage] = []
        """Messages from the other end, each waiting for its answer."""
        self.answers: list[Answer] = []
        self.events: list[Event] = []
        self.reply: bytes = b""
        """To be written now, in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Limits and times of a session; times are seconds."""

    role: Role = Role.ESME
    window: int = 10
    backlog: int = 1000
    bind_timeout: float = 10.0
    response_timeout: float = 30.0
    enquire_link: float = 30.0
    """Send enquire_link when none of our requests was answered for so long; 0 never."""
    enquire_link_missed: int = 2
    inactivity: float = 0.0
    """End the session when nothing at all came for so long; 0 never."""
    unbind_timeout: float = 3.0
    max_pdu: int = c.MAX_PDU


@dataclass(slots=True)
class Counters:
    """What a session has seen; it only goes up."""

    received: int = 0
    stray_responses: int = 0
    malformed: int = 0
    timeouts: int = 0


BINDS: Final = {
    c.BIND_TRANSCEIVER: Mode.TRANSCEIVER,
    c.BIND_TRANSMITTER: Mode.TRANSMITTER,
    c.BIND_RECEIVER: Mode.RECEIVER,
}
BIND_COMMANDS: Final = {mode: command for command, mode in BINDS.items()}
BIND_RESPONSES: Final = frozenset(command | c.RESPONSE for command in BINDS)

_ALWAYS: Final = frozenset({c.ENQUIRE_LINK, c.ENQUIRE_LINK_RESP, c.GENERIC_NACK, c.UNBIND})
MESSAGE_RESPONSES: Final = frozenset({c.SUBMIT_SM_RESP, c.DELIVER_SM_RESP, c.DATA_SM_RESP})
_ENDING: Final = _ALWAYS | MESSAGE_RESPONSES | {c.UNBIND_RESP}

MAY_RECEIVE: Final[dict[tuple[Role, State], frozenset[int]]] = {
    (Role.ESME, State.OPEN): _ALWAYS,
    (Role.ESME, State.BINDING): _ALWAYS | BIND_RESPONSES,
    (Role.ESME, State.BOUND): _ENDING | {c.DELIVER_SM, c.DATA_SM, c.ALERT_NOTIFICATION},
    (Role.ESME, State.UNBINDING): _ENDING | {c.ALERT_NOTIFICATION},
    (Role.SMSC, State.OPEN): _ALWAYS | frozenset(BINDS),
    (Role.SMSC, State.BINDING): _ALWAYS,
    (Role.SMSC, State.BOUND): _ENDING | {c.SUBMIT_SM, c.DATA_SM},
    (Role.SMSC, State.UNBINDING): _ENDING,
}
ONE_WAY: Final = {
    (Role.ESME, Mode.TRANSMITTER): frozenset({c.DELIVER_SM, c.DATA_SM}),
    (Role.SMSC, Mode.RECEIVER): frozenset({c.SUBMIT_SM, c.DATA_SM}),
}
"""What a bind's mode takes away from BOUND."""

SUPPORTED: Final = frozenset().union(*MAY_RECEIVE.values())
"""Every command that may ever come; any other is unknown here."""
