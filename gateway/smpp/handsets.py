"""What a simulated operator is told and remembers, and the PDUs its handsets make."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict, Unpack

from gateway.messages import DeliveryState, PartOf
from gateway.smpp import constants as c
from gateway.smpp import parts, text
from gateway.smpp.codec import encode_body
from gateway.smpp.dialects import PRESETS, UssdDialect
from gateway.smpp.pdus import ShortMessage, Tlvs
from gateway.smpp.settings import LongMessages
from gateway.smpp.text import Alphabet

if TYPE_CHECKING:
    from collections.abc import Mapping


class IdStyle(Enum):
    """How message ids are written: in the response / in the receipt."""

    DECIMAL = "decimal"
    HEX = "hex"
    """Hexadecimal / decimal."""
    ZEROS = "zeros"
    """Ten digits with leading zeros / without."""


class ReceiptStyle(Enum):
    """What receipts look like."""

    NONE = "none"
    TEXT = "text"
    TLV = "tlv"
    PAYLOAD = "payload"
    """The text, in ``message_payload``."""
    ID_ONLY = "id_only"
    """The id as a TLV and the state in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscSettings:
    """What kind of operator to be. Times are seconds."""

    system_id: str = ""
    """The account that may bind; empty for any."""
    password: str = field(default="", repr=False)
    """Its password; empty for any."""
    lines: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The lines of each ``system_id``; one that is not named here serves every line."""
    window: int = 50
    """How many deliver_sm may wait for their response on a connection; 0 is unlimited."""
    alphabet: Alphabet = Alphabet.GSM7
    long_messages: LongMessages = LongMessages.UDH8
    id_style: IdStyle = IdStyle.DECIMAL
    receipts: ReceiptStyle = ReceiptStyle.TEXT
    receipt_delay: float = 0.2
    receipt_state: DeliveryState = DeliveryState.DELIVERED
    utc_offset: int = 210
    """Minutes that the dates in receipts are ahead of UTC."""
    redeliver_after: float = 1.0
    """How long to keep a text that was refused for now or got no response in time."""
    response_timeout: float = 30.0
    enquire_link: float = 60.0
    bind_timeout: float = 10.0
    ussd: UssdDialect = PRESETS["default"]
    ussd_timeout: float = 120.0
    """How long a session waits for a screen, or for somebody to type."""
    record: int = 10_000
    """How many texts and submits to remember; 0 remembers none, only counts."""


@dataclass(slots=True)
class Faults:
    """What goes wrong. A count is used up one by one; 0 and None are off."""

    throttle: int = 0
    """Answer so many submit_sm with 0x58."""
    refuse: int = 0
    """Answer so many submit_sm with ``refuse_status``."""
    refuse_status: int = c.RSYSERR
    drop: int = 0
    """Take so many submit_sm and never answer them."""
    delay: float = 0.0
    """Answer each submit_sm so many seconds late."""
    close_after: int | None = None
    """Cut the connection after so many more messages and answers, in either direction."""
    refuse_binds: int = 0
    """Refuse so many binds with "bind failed" (0x0D)."""
    silent: bool = False
    """Take everything and answer nothing, neither submit_sm nor enquire_link."""


@dataclass(slots=True)
class MobileText:
    """One PDU to an ESME: a text from a mobile, a part of one, or a receipt."""

    id: int
    mobile: str
    line: str
    body: bytes = field(repr=False)
    receipt: bool = False
    attempts: int = 0
    connections: list[int] = field(default_factory=list)
    """The connections it was written to, one for each attempt."""
    status: int | None = None
    """The command_status of the last response; None while there was none."""

    @property
    def acknowledged(self) -> bool:
        """Whether an ESME took it."""
        return self.status == c.ROK


class Submit(NamedTuple):
    """One submit_sm as it came."""

    order: int
    """1 for the first submit_sm of this operator's life."""
    connection: int
    sequence: int
    line: str
    mobile: str
    text: str
    part: PartOf | None
    status: int | None
    """What it was answered with; None when it was not."""
    message_id: str
    at: float


class Message(NamedTuple):
    """A whole message that reached a mobile."""

    mobile: str
    line: str
    text: str
    parts: int


@dataclass(slots=True)
class Totals:
    """Counts since the start."""

    texts: int = 0
    """Texts from mobiles (not parts) given to ``send_text``."""
    delivered: int = 0
    """deliver_sm written, receipts and redeliveries included."""
    acknowledged: int = 0
    refused_for_now: int = 0
    refused: int = 0
    redelivered: int = 0
    submits: int = 0
    accepted: int = 0
    messages: int = 0
    """Whole messages that reached a mobile."""
    receipts: int = 0
    binds: int = 0
    binds_refused: int = 0
    connections_lost: int = 0


class Joiner:
    """Puts the parts of messages to mobiles together, at most ``limit`` at a time."""

    def __init__(self, limit: int = 100_000) -> None:
        self._open: dict[tuple[str, str, int, int], dict[int, str]] = {}
        self._order: deque[tuple[str, str, int, int]] = deque()
        self._limit = limit

    def add(self, mobile: str, line: str, part: PartOf, part_text: str) -> Message | None:
        """Take a part; return the message once all of its parts are there."""
        key = (mobile, line, part.reference, part.total)
        if key not in self._open:
            self._order.append(key)
            if len(self._order) > self._limit:
                self._open.pop(self._order.popleft(), None)
        found = self._open.setdefault(key, {})
        found[part.number] = part_text
        if len(found) < part.total:
            return None
        del self._open[key]
        self._order.remove(key)
        whole = "".join(found[number] for number in sorted(found))
        return Message(mobile, line, whole, part.total)


def text_bodies(
    settings: SmscSettings, mobile: str, line: str, message: str, reference: int
) -> list[bytes]:
    """Return the body of each deliver_sm that carries a text from a mobile.

    Raises ``Unencodable`` for an address that is none, ``TooLongError`` for a text that
    is too long.
    """
    how = settings.long_messages
    bits = 8 if how is LongMessages.UDH8 else 16
    pieces = text.split(message, settings.alphabet, reference_bits=bits)
    as_ucs2 = not text.is_short_alphabet(message, settings.alphabet)
    if how is LongMessages.PAYLOAD and len(pieces) > 1:
        coding, data = text.encode(message, settings.alphabet, as_ucs2=as_ucs2)
        return [_body(mobile, line, data_coding=coding, tlvs=((c.MESSAGE_PAYLOAD, data),))]
    bodies = []
    for number, piece in enumerate(pieces, 1):
        coding, data = text.encode(piece, settings.alphabet, as_ucs2=as_ucs2)
        said = _Fields(data_coding=coding, short_message=data)
        part = PartOf(reference % (1 << bits), len(pieces), number)
        if len(pieces) > 1 and how is LongMessages.SAR:
            said["tlvs"] = parts.sar(part)
        elif len(pieces) > 1:
            said["esm_class"] = c.ESM_UDHI
            said["short_message"] = parts.header(part, bits) + data
        bodies.append(_body(mobile, line, **said))
    return bodies


def _body(mobile: str, line: str, **fields: Unpack[_Fields]) -> bytes:
    return encode_body(
        ShortMessage(
            c.DELIVER_SM,
            source_ton=1,
            source_npi=1,
            source=mobile,
            dest_npi=1,
            destination=line,
            **fields,
        )
    )


class _Fields(TypedDict, total=False):
    data_coding: int
    short_message: bytes
    esm_class: int
    tlvs: Tlvs


_STATE_WORDS: Final = {
    DeliveryState.ENROUTE: "ENROUTE",
    DeliveryState.DELIVERED: "DELIVRD",
    DeliveryState.EXPIRED: "EXPIRED",
    DeliveryState.DELETED: "DELETED",
    DeliveryState.UNDELIVERABLE: "UNDELIV",
    DeliveryState.ACCEPTED: "ACCEPTD",
    DeliveryState.UNKNOWN: "UNKNOWN",
    DeliveryState.REJECTED: "REJECTD",
}


def receipt_body(settings: SmscSettings, submit: Submit, message_id: str, now: float) -> bytes:
    """Return the body of the deliver_sm that says what became of a submit_sm.

    ``now`` is seconds since 1970.
    """
    state = settings.receipt_state
    local = datetime.fromtimestamp(now, UTC) + timedelta(minutes=settings.utc_offset)
    date = f"{local:%y%m%d%H%M}"
    delivered = int(state is DeliveryState.DELIVERED)
    error = "000" if delivered else "001"
    status = f"submit date:{date} done date:{date} stat:{_STATE_WORDS[state]} err:{error} text:"
    words = f"id:{message_id} sub:001 dlvrd:{delivered:03} {status}".encode("latin-1")
    id_tlv = (c.RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0")
    state_tlv = (c.MESSAGE_STATE, bytes([state.value]))
    data, tlvs = {
        ReceiptStyle.TLV: (b"", (id_tlv, state_tlv)),
        ReceiptStyle.PAYLOAD: (b"", ((c.MESSAGE_PAYLOAD, words),)),
        ReceiptStyle.ID_ONLY: (status.encode("latin-1"), (id_tlv,)),
    }.get(settings.receipts, (words, ()))
    return _body(submit.mobile, submit.line, short_message=data, esm_class=c.ESM_RECEIPT, tlvs=tlvs)


def message_ids(style: IdStyle, number: int) -> tuple[str, str]:
    """Return how one id is written in the response and in the receipt."""
    if style is IdStyle.HEX:
        return f"{number:X}", str(number)
    if style is IdStyle.ZEROS:
        return f"{number:010}", str(number)
    return str(number), str(number)


def international(mobile: str) -> str:
    """Return a mobile as an SMSC writes it, 989131234567, however a person typed it."""
    digits = mobile.strip().removeprefix("+").removeprefix("00")
    if digits.startswith("0"):
        return "98" + digits[1:]
    return "98" + digits if len(digits) == _NATIONAL and digits.startswith("9") else digits


_NATIONAL: Final = 10
