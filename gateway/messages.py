"""The few frozen types that cross every boundary of the gateway.

They say what happened on a network or what should happen on one, in the field's
own words, and nothing about how the network carries it. ``gateway.smpp`` makes and
takes them, ``gateway.inbound`` and ``gateway.outbound`` carry them to and from the
core. They are named tuples because a daemon makes tens of thousands of them a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class PartOf(NamedTuple):
    """Where a part stands in a long message."""

    reference: int
    """The sender's reference, 8 or 16 bits; equal in every part of the message."""
    total: int
    """How many parts there are, 2 to 255."""
    number: int
    """Which part this is, 1 to ``total``."""


class InboundSms(NamedTuple):
    """A text from a mobile (MO), or one part of it."""

    source: str
    """The sender as the SMSC wrote it: ``989131234567``, ``+98913…``, ``0913…``."""
    destination: str
    """The short code it was sent to, as the SMSC wrote it."""
    data_coding: int
    payload: bytes
    """User data without its header; parts are joined as bytes, then decoded."""
    text: str
    """The decoded payload of a whole message; empty for a part."""
    part: PartOf | None


class DeliveryState(Enum):
    """What a receipt says of a message (SMPP 3.4, 5.2.28)."""

    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8


class Receipt(NamedTuple):
    """A delivery receipt."""

    smsc_id: str
    """The message's id in the form that ``SendResult.smsc_id`` has."""
    state: DeliveryState
    error: str
    """The operator's error code as it wrote it; empty when it gave none."""
    done_at: int | None
    """When the message reached that state: UTC milliseconds, None when not said."""


class UssdEvent(Enum):
    """What a network says of a USSD session."""

    BEGIN = "begin"
    """Somebody dialled."""
    ANSWER = "answer"
    """Somebody typed something into a screen of ours, also one that we began with (USSR)."""
    CONFIRM = "confirm"
    """A notification of ours has been shown (USSN)."""
    ABORT = "abort"
    """The subscriber or the network has ended the session; no answer is possible."""
    TIMEOUT = "timeout"
    """The network has waited long enough; no answer is possible."""


class UssdInput(NamedTuple):
    """One step of a USSD session, as the network tells it."""

    event: UssdEvent
    session: str
    """What the network calls the session, without a leading zero or sequence bits."""
    mobile: str
    """As the network wrote it; empty where it says it only when a session begins."""
    code: str
    """The service code as the network wrote it (``*1522#``, ``1522``); empty when only
    ``text`` tells it, or when it is said only when a session begins."""
    text: str
    """BEGIN: what was dialled, whole where the network tells it. ANSWER: what was typed."""
    turn: str
    """Equal when the same input comes again, different for the next one; empty where the
    network has no such mark."""
    joined: bool = False
    """Whether ``text`` of an ANSWER is all that was typed in the session, joined with ``*``,
    as some networks tell it: only who knows the session can say what is new in it."""


class ScreenKind(Enum):
    """What a screen does to its session."""

    ASK = "ask"
    """It waits for an answer."""
    LAST = "last"
    """The session ends with it."""
    OPEN = "open"
    """It begins a session and waits for an answer (USSR)."""
    NOTIFY = "notify"
    """It begins a session and only tells (USSN)."""


class Screen(NamedTuple):
    """What a handset is to show."""

    id: int
    """Comes back in the ``SendResult``."""
    kind: ScreenKind
    session: str
    """What the network calls the session. For OPEN and NOTIFY a decimal number of our own,
    of which a network keeps as many low bits as it has room for: the first input that comes
    of it tells what the network calls it."""
    mobile: str
    """E.164 digits without ``+``."""
    code: str
    """The service code, as in the settings."""
    text: str
    """Empty with LAST: nothing more is shown, the session only ends."""
    turn: str = ""
    """That of the input which the screen answers; some networks want it back."""


class Delivery(NamedTuple):
    """Something the SMSC handed over and waits to have acknowledged."""

    sequence: int
    content: InboundSms | Receipt | UssdInput


class OutboundSms(NamedTuple):
    """One part of a message to a mobile (MT), ready for one submit_sm."""

    id: int
    """The outbox row; comes back in the ``SendResult``."""
    source: str
    """The line (short code) it goes out from."""
    destination: str
    """The mobile: E.164 digits without ``+``."""
    text: str
    """This part's text, already cut to fit."""
    part: PartOf | None
    """None for a message of one part."""
    receipt: bool
    """Whether to ask for a delivery receipt."""
    validity: int | None
    """How long the SMSC may try, in seconds; None leaves it to the SMSC."""


class SendStatus(Enum):
    """What became of a submit_sm."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    """The SMSC asks for less speed (0x58, 0x14): slow the bind down and try again."""
    TEMPORARY = "temporary"
    """Try again by policy (0x08, 0x64)."""
    PERMANENT = "permanent"
    """Refused for good."""
    UNCERTAIN = "uncertain"
    """Sent, and no response was seen: it may or may not go out."""
    UNSENT = "unsent"
    """Never written to the network: safe to send again."""


class SendResult(NamedTuple):
    """What became of one ``OutboundSms``."""

    id: int
    status: SendStatus
    smsc_id: str
    """The operator's id, normalised by the bind's ``message_id_base``; empty if none."""
    code: int
    """The command_status of the response; 0 when there was none or it was ROK."""


class Temporary(Enum):
    """How to refuse a delivery for now, so that the SMSC keeps it."""

    QUEUE_FULL = 0x14
    APPLICATION_ERROR = 0x64


class Connection(Protocol):
    """One bound session, from its bind to its end."""

    @property
    def id(self) -> int:
        """Different for every connection of this process."""

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""

    @property
    def acknowledged(self) -> int:
        """How many deliveries have been answered on this connection, well or ill."""

    @property
    def confirmed(self) -> int:
        """How many of those answers the SMSC has surely read.

        The SMSC reads one stream in order, so its response to a request of ours shows
        that it has read every acknowledgement written before that request.
        """

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Answer deliveries with ESME_ROK, in one write; does nothing once closed."""

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Answer deliveries with a temporary error, in one write."""

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Write submit_sm for each, in one write.

        Every one of them comes back, once, as a ``SendResult`` through
        ``BindListener.sent``: at the latest when the connection is lost (``UNCERTAIN``),
        or before this returns when it is closed (``UNSENT``).
        """

    def show(self, screens: Sequence[Screen]) -> None:
        """Write screens of USSD sessions, before whatever else is waiting.

        Every one of them comes back, once, as a ``SendResult`` through
        ``BindListener.shown``, at the latest when the connection is lost.
        """

    def pause_reading(self) -> None:
        """Stop taking bytes from the network until ``resume_reading``."""

    def resume_reading(self) -> None:
        """Take bytes again."""


class BindListener(Protocol):
    """What a bind tells whoever holds it. All calls come on the reactor's thread."""

    def bound(self, bind: str, connection: Connection) -> None:
        """The SMSC accepted the bind; messages may be submitted from now on."""

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """All that one read from the network brought; each waits for its answer."""

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """What became of submitted messages."""

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """What became of screens."""

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """The connection has ended; comes after ``sent`` for all that was in flight."""
