"""Between PDUs and the messages of ``gateway.messages``: pure, by a bind's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.messages import InboundSms, OutboundSms, Receipt, SendResult, SendStatus, UssdInput
from gateway.smpp import constants as c
from gateway.smpp import parts, receipts, text
from gateway.smpp.codec import source_prefix, write_address, write_tlvs
from gateway.smpp.pdus import ShortMessage, Unencodable
from gateway.smpp.settings import LongMessages
from gateway.smpp.states import NEVER_WRITTEN, NO_RESPONSE, Answer
from gateway.smpp.ussd import UssdReader, is_ussd

if TYPE_CHECKING:
    from gateway.messages import PartOf
    from gateway.smpp.settings import BindSettings

_STATUSES: Final = {
    c.ROK: SendStatus.ACCEPTED,
    NO_RESPONSE: SendStatus.UNCERTAIN,
    NEVER_WRITTEN: SendStatus.UNSENT,
    c.RTHROTTLED: SendStatus.THROTTLED,
    c.RMSGQFUL: SendStatus.THROTTLED,
    c.RSYSERR: SendStatus.TEMPORARY,
    c.RX_T_APPN: SendStatus.TEMPORARY,
    # The bind is not what it was when this was written: another connection may take it.
    c.RINVBNDSTS: SendStatus.TEMPORARY,
}
"""What a submit_sm's command_status means; every other one refuses it for good."""

_RECEIPT_KINDS: Final = c.ESM_RECEIPT | c.ESM_INTERMEDIATE
_REGISTERED: Final = 1
_DAY: Final = 86_400
_LONGEST_VALIDITY: Final = 99 * _DAY
_CACHED: Final = 1024


class Reader:
    """Reads what an SMSC delivers."""

    def __init__(self, settings: BindSettings) -> None:
        self._default = settings.alphabet
        self._base = settings.message_id_base
        self._utc_offset = settings.receipt_utc_offset
        self._ussd = UssdReader(settings.ussd, settings.alphabet) if settings.ussd else None

    def read(self, message: ShortMessage) -> InboundSms | Receipt | UssdInput | None:
        """Return what a deliver_sm or data_sm carries.

        None for a receipt that names no message, and for USSD that the bind's dialect does
        not know: there is nothing to do with it but to acknowledge it.
        """
        if message.esm_class & _RECEIPT_KINDS or message.tlvs:
            if self._ussd is not None and is_ussd(message):
                return self._ussd.read(message)
            if receipts.is_receipt(message):
                return receipts.read_receipt(message, self._base, self._utc_offset)
            return self._text(message)
        if message.esm_class & c.ESM_UDHI:
            return self._text(message)
        payload, coding = message.short_message, message.data_coding
        return InboundSms(
            message.source,
            message.destination,
            coding,
            payload,
            text.decode(payload, coding, self._default),
            None,
        )

    def _text(self, message: ShortMessage) -> InboundSms:
        payload, part = message.payload, None
        if message.esm_class & c.ESM_UDHI:
            part, payload = parts.read_header(payload)
        part = part or parts.read_sar(message.tlvs)
        coding = message.data_coding
        whole = "" if part else text.decode(payload, coding, self._default)
        return InboundSms(message.source, message.destination, coding, payload, whole, part)

    def result(self, answer: Answer) -> SendResult:
        """Return what an answer says of the ``OutboundSms`` whose id is its token."""
        status = _STATUSES.get(answer.status, SendStatus.PERMANENT)
        if status is not SendStatus.ACCEPTED:
            return SendResult(answer.token, status, "", max(answer.status, 0))
        smsc_id = answer.message_id
        if self._base is not receipts.MessageIdBase.AS_IS:
            smsc_id = receipts.normalise_id(smsc_id, self._base, from_receipt=False)
        return SendResult(answer.token, status, smsc_id, 0)


class Writer:
    """Writes the bodies of submit_sm; what stays the same for a line is written once."""

    def __init__(self, settings: BindSettings) -> None:
        self._settings = settings
        self._alphabet = settings.alphabet
        self._ucs2 = settings.always_ucs2
        self._long = settings.long_messages
        self._before = bytes((settings.dest_ton, settings.dest_npi))
        self._sources: dict[str, bytes] = {}
        self._validities: dict[int | None, bytes] = {}

    def body(self, message: OutboundSms) -> bytes:
        """Return a submit_sm's body. Raises ``Unencodable`` for what does not fit."""
        part = message.part
        if part is None:
            coding, user_data = text.encode(message.text, self._alphabet, as_ucs2=self._ucs2)
            esm_class, tlvs = 0, b""
        else:
            coding, user_data = self._encode_part(message.text)
            esm_class, user_data, tlvs = self._mark(part, user_data)
        if self._long is LongMessages.PAYLOAD and len(user_data) > _single_octets(coding):
            tlvs += write_tlvs(((c.MESSAGE_PAYLOAD, user_data),))
            user_data = b""
        size = len(user_data)
        if size > c.MAX_SHORT_MESSAGE:
            raise Unencodable(c.RINVMSGLEN, "the text is over 254 octets")
        destination = write_address(message.destination)
        return b"%b%b%b\0%c\0\0\0%b%c\0%c\0%c%b%b" % (
            self._sources.get(message.source) or self._source(message.source),
            self._before,
            destination,
            esm_class,
            self._validities.get(message.validity) or self._validity(message.validity),
            _REGISTERED if message.receipt else 0,
            coding,
            size,
            user_data,
            tlvs,
        )

    def _encode_part(self, part_text: str) -> tuple[int, bytes]:
        # All parts of a message should have one alphabet, and a part is seen alone here.
        # One that fits UCS-2 came from a UCS-2 text, unless it is the short last part of
        # a Latin one, where UCS-2 does no harm.
        units = len(text.encode_ucs2(part_text)) // 2
        as_ucs2 = units <= text.part_units(self._settings.reference_bits)
        return text.encode(part_text, self._alphabet, as_ucs2=self._ucs2 or as_ucs2)

    def _mark(self, part: PartOf, user_data: bytes) -> tuple[int, bytes, bytes]:
        if self._long in (LongMessages.UDH8, LongMessages.UDH16):
            bits = self._settings.reference_bits
            return c.ESM_UDHI, parts.header(part, bits) + user_data, b""
        return 0, user_data, write_tlvs(parts.sar(part))

    def _source(self, source: str) -> bytes:
        settings = self._settings
        prefix = source_prefix(
            ShortMessage(
                c.SUBMIT_SM,
                service_type=settings.service_type,
                source_ton=settings.source_ton,
                source_npi=settings.source_npi,
                source=source,
            )
        )
        if len(self._sources) < _CACHED:
            self._sources[source] = prefix
        return prefix

    def _validity(self, seconds: int | None) -> bytes:
        period = validity_period(seconds).encode() + b"\0"
        if len(self._validities) < _CACHED:
            self._validities[seconds] = period
        return period


def _single_octets(coding: int) -> int:
    return 140 if coding == text.UCS2 else 160


def validity_period(seconds: int | None) -> str:
    """Return a relative time (SMPP 3.4, 7.1.1): ``YYMMDDhhmmss000R``, or empty for None."""
    if seconds is None:
        return ""
    seconds = max(1, min(seconds, _LONGEST_VALIDITY))
    days, rest = divmod(seconds, _DAY)
    months, days = divmod(days, 30)
    hours, rest = divmod(rest, 3600)
    return f"00{months:02}{days:02}{hours:02}{rest // 60:02}{rest % 60:02}000R"
