"""What a bind has to be told, and what it tells about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gateway.smpp.dialects import UssdDialect
from gateway.smpp.receipts import MessageIdBase
from gateway.smpp.text import Alphabet


class Mode(Enum):
    """Which way a bind carries messages. The values are the words used in settings."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


class LongMessages(Enum):
    """How the parts of a long message are marked. The values are the words in settings."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"
    """One PDU with the whole text in ``message_payload``; the SMSC cuts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindSettings:
    """One account at an SMSC. Times are seconds."""

    name: str
    host: str
    port: int = 2775
    tls: bool = False
    tls_hostname: str = ""
    """The name in the SMSC's certificate; empty for ``host``."""
    tls_ca_file: str = ""
    """A PEM file with the authority to trust instead of the system's."""
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    mode: Mode = Mode.TRANSCEIVER
    address_range: str = ""
    address_ton: int = 0
    address_npi: int = 0
    window: int = 10
    """How many submit_sm may wait for their responses."""
    alphabet: Alphabet = Alphabet.GSM7
    """What this SMSC means by ``data_coding`` 0."""
    always_ucs2: bool = False
    """Send UCS-2 even where the default alphabet would do."""
    long_messages: LongMessages = LongMessages.UDH8
    message_id_base: MessageIdBase = MessageIdBase.AS_IS
    receipt_utc_offset: int = 210
    """Minutes that the SMSC's clock is ahead of UTC; its receipts carry no zone."""
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 1
    dest_ton: int = 1
    dest_npi: int = 1
    ussd: UssdDialect | None = None
    """How this SMSC speaks USSD; None reads everything as texts and shows no screen."""
    connect_timeout: float = 10.0
    bind_timeout: float = 10.0
    response_timeout: float = 30.0
    enquire_link: float = 30.0
    enquire_link_missed: int = 2
    """How many enquire_link in a row may go unanswered before the connection is dropped."""
    unbind_timeout: float = 3.0
    backoff_first: float = 1.0
    backoff_longest: float = 60.0

    @property
    def reference_bits(self) -> int:
        """The bits of a part's reference, which decide where a text is cut (``split``)."""
        return 8 if self.long_messages is LongMessages.UDH8 else 16


class BindState(Enum):
    """Where a bind stands. The values are the words an operator sees."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND = "bound"
    WAITING = "waiting"
    """Between two attempts."""
    UNBINDING = "unbinding"


@dataclass(frozen=True, slots=True, kw_only=True)
class BindStatus:
    """What an operator wants to know of a bind. Times are seconds of the reactor's clock."""

    name: str
    state: BindState
    since: float
    """When it came into that state."""
    last_traffic: float | None
    """When the SMSC last sent anything on any connection; None if it never did."""
    in_flight: int
    window: int
    reconnects: int
    """How many connections were lost since the start."""
    last_error: str
    """Why the last connection or attempt ended, in words; empty if none did."""
    next_attempt: float | None
    """When the next attempt is due, while waiting."""
    down_since: float | None = None
    """From when on there has been no bound connection; None while there is one."""
    received: int = 0
    submitted: int = 0
    stray_responses: int = 0
    malformed: int = 0
    unreadable_receipts: int = 0
    unreadable_ussd: int = 0
    """USSD inputs that the bind's dialect does not know."""
    timeouts: int = 0
