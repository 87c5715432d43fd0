"""USSD over SMPP: a bind's deliver_sm into ``UssdInput``, a ``Screen`` into a submit_sm's body.

Pure, by the bind's ``UssdDialect``. Whatever the TLVs hold, reading returns an input or None
and never raises. How a session is named on the wire (``Mark``) is the same in both
directions and for both ends, so the simulated operator uses it too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.messages import ScreenKind, UssdEvent, UssdInput
from gateway.smpp import constants as c
from gateway.smpp import text
from gateway.smpp.codec import source_prefix, write_address, write_tlvs
from gateway.smpp.dialects import FirstString, Sequence, SessionPlace
from gateway.smpp.pdus import ShortMessage, Unencodable, tlv, tlv_int

if TYPE_CHECKING:
    from gateway.messages import Screen
    from gateway.smpp.dialects import UssdDialect
    from gateway.smpp.pdus import Tlvs
    from gateway.smpp.settings import BindSettings

_ITS_SIZE: Final = 2
_MOST_SEQUENCE: Final = 127
_CACHED: Final = 1024
_NUMBER: Final = re.compile("[0-9]{1,19}", re.ASCII)
_OURS: Final = (ScreenKind.OPEN, ScreenKind.NOTIFY)
_NO_TEXT: Final = (UssdEvent.ABORT, UssdEvent.TIMEOUT, UssdEvent.CONFIRM)


class Mark(NamedTuple):
    """What a PDU says of its session."""

    number: int
    """0 where the mobile is the session."""
    sequence: int
    """0 where there is none."""
    ends: bool


def read_mark(dialect: UssdDialect, tlvs: Tlvs) -> Mark | None:
    """Return how a PDU names its session; None when it does not do so as the dialect says."""
    match dialect.session:
        case SessionPlace.MOBILE:
            return Mark(0, 0, ends=False)
        case SessionPlace.REFERENCE:
            number = tlv_int(tlvs, c.USER_MESSAGE_REFERENCE)
            fits = number is not None and number < 1 << dialect.session.bits
            return Mark(number, 0, ends=False) if number is not None and fits else None
        case SessionPlace.ITS_8 | SessionPlace.ITS_15:
            octets = tlv(tlvs, c.ITS_SESSION_INFO)
            if octets is None or len(octets) != _ITS_SIZE:
                return None
            whole = int.from_bytes(octets)
            ends = bool(whole & 1) and dialect.end_bit
            if dialect.session is SessionPlace.ITS_15:
                return Mark(whole >> 1, 0, ends)
            return Mark(whole >> 8, whole >> 1 & _MOST_SEQUENCE, ends)


def write_mark(dialect: UssdDialect, mark: Mark) -> Tlvs:
    """Return the TLV that names a session; nothing where the mobile is the session."""
    end = int(mark.ends and dialect.ends_by_bit)
    match dialect.session:
        case SessionPlace.MOBILE:
            return ()
        case SessionPlace.REFERENCE:
            return ((c.USER_MESSAGE_REFERENCE, mark.number.to_bytes(2)),)
        case SessionPlace.ITS_15:
            return ((c.ITS_SESSION_INFO, (mark.number << 1 | end).to_bytes(2)),)
        case SessionPlace.ITS_8:
            info = bytes((mark.number, mark.sequence << 1 | end))
            return ((c.ITS_SESSION_INFO, info),)


def is_ussd(message: ShortMessage) -> bool:
    """Say whether a PDU is of a USSD session: it has an op and is no receipt."""
    if message.esm_class & (c.ESM_RECEIPT | c.ESM_INTERMEDIATE):
        return False
    return tlv(message.tlvs, c.USSD_SERVICE_OP) is not None


class UssdReader:
    """Reads what an SMSC delivers of USSD sessions."""

    def __init__(self, dialect: UssdDialect, default: text.Alphabet) -> None:
        self._dialect = dialect
        self._default = default
        self._events = {
            op: event
            for ops, event in (
                (dialect.begin_ops, UssdEvent.BEGIN),
                (dialect.answer_ops, UssdEvent.ANSWER),
                (dialect.confirm_ops, UssdEvent.CONFIRM),
                (dialect.abort_ops, UssdEvent.ABORT),
                (dialect.timeout_ops, UssdEvent.TIMEOUT),
            )
            for op in ops
        }

    def read(self, message: ShortMessage) -> UssdInput | None:
        """Return what a deliver_sm says of a session.

        None when it says nothing that the dialect knows: there is nothing to do with it but
        to acknowledge it.
        """
        dialect = self._dialect
        event = self._events.get(_op(message.tlvs))
        mark = read_mark(dialect, message.tlvs)
        if event is None or mark is None or not message.source:
            return None
        if mark.ends and event in (UssdEvent.BEGIN, UssdEvent.ANSWER):
            event = UssdEvent.ABORT
        session = str(mark.number) if dialect.session.bits else message.source
        turn = str(mark.sequence) if mark.sequence and dialect.counts_inputs else ""
        code, typed = message.destination, ""
        if event is UssdEvent.BEGIN:
            code, typed = self._dialled(message)
        elif event not in _NO_TEXT:
            typed = self._text(message)
        return UssdInput(event, session, message.source, code, typed, turn)

    def _dialled(self, message: ShortMessage) -> tuple[str, str]:
        """Return the service code, where it stands apart, and what was dialled."""
        if self._dialect.first_string is FirstString.SHORT_MESSAGE:
            typed = self._text(message)
            if typed:
                return message.destination, typed
        return "", message.destination

    def _text(self, message: ShortMessage) -> str:
        decoded = text.decode(message.payload, message.data_coding, self._default)
        # Seven septets of eight octets are filled up with a CR (3GPP TS 23.038, 6.1.2.3.1).
        return decoded.rstrip("\r")


def _op(tlvs: Tlvs) -> int:
    op = tlv_int(tlvs, c.USSD_SERVICE_OP)
    return -1 if op is None else op


class UssdWriter:
    """Writes the bodies of submit_sm that carry screens."""

    def __init__(self, settings: BindSettings, dialect: UssdDialect) -> None:
        self._settings = settings
        self._dialect = dialect
        self._before = bytes((settings.dest_ton, settings.dest_npi))
        self._sources: dict[str, bytes] = {}
        self._ops = {
            kind: write_tlvs(((c.USSD_SERVICE_OP, bytes((op,))),))
            for kind, op in (
                (ScreenKind.ASK, dialect.ask_op),
                (ScreenKind.LAST, dialect.end_op),
                (ScreenKind.OPEN, dialect.open_op),
                (ScreenKind.NOTIFY, dialect.notify_op),
            )
        }

    def body(self, screen: Screen) -> bytes:
        """Return a submit_sm's body. Raises ``Unencodable`` for what does not fit."""
        coding, octets = self._encode(screen.text)
        mark = write_mark(self._dialect, self._mark(screen))
        return b"%b%b%b\0\0\0\0\0\0\0\0%c\0%c%b%b%b" % (
            self._sources.get(screen.code) or self._source(screen.code),
            self._before,
            write_address(screen.mobile),
            coding,
            len(octets),
            octets,
            self._ops[screen.kind],
            write_tlvs(mark),
        )

    def _source(self, code: str) -> bytes:
        settings, dialect = self._settings, self._dialect
        prefix = source_prefix(
            ShortMessage(
                c.SUBMIT_SM,
                service_type=dialect.service_type or settings.service_type,
                source_ton=settings.source_ton,
                source_npi=settings.source_npi,
                source=code.strip("*#") if dialect.bare_code else code,
            )
        )
        if len(self._sources) < _CACHED:
            self._sources[code] = prefix
        return prefix

    def _encode(self, shown: str) -> tuple[int, bytes]:
        dialect, settings = self._dialect, self._settings
        as_ucs2 = dialect.always_ucs2 or settings.always_ucs2
        coding, octets = text.encode(shown, settings.alphabet, as_ucs2=as_ucs2)
        if len(octets) > c.MAX_SHORT_MESSAGE:
            raise Unencodable(c.RINVMSGLEN, "the screen is over 254 octets")
        return dialect.ucs2_coding if coding == text.UCS2 else dialect.gsm7_coding, octets

    def _mark(self, screen: Screen) -> Mark:
        ends = screen.kind in (ScreenKind.LAST, ScreenKind.NOTIFY)
        bits = self._dialect.session.bits
        if not bits:
            return Mark(0, 0, ends)
        if not _NUMBER.fullmatch(screen.session):
            raise Unencodable(c.RINVPARLEN, "the session has no number")
        number = int(screen.session)
        if screen.kind in _OURS:
            number %= 1 << bits
        elif number >> bits:
            raise Unencodable(c.RINVPARLEN, f"the session's number has more than {bits} bits")
        return Mark(number, self._sequence(screen.turn), ends)

    def _sequence(self, turn: str) -> int:
        heard = int(turn) & _MOST_SEQUENCE if _NUMBER.fullmatch(turn) else 0
        match self._dialect.sequence:
            case Sequence.SAME:
                return heard
            case Sequence.NEXT:
                return heard % _MOST_SEQUENCE + 1
            case Sequence.ZERO:
                return 0
