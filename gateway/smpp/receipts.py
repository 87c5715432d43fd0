"""Delivery receipts: what an SMSC says became of a message it took.

The text form is SMPP 3.4, appendix B, which calls it vendor-specific and so it is: any
field may be missing, empty, in another order or another case. The TLV form is 5.3.2.12
(id), 5.3.2.35 (state) and 5.3.2.31 (error); where both are there, the TLVs are right.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from gateway.messages import DeliveryState, Receipt
from gateway.smpp import constants as c
from gateway.smpp.pdus import ShortMessage, tlv, tlv_int, tlv_text
from gateway.smpp.text import UCS2


class MessageIdBase(Enum):
    """How an SMSC writes one message's id in its response and in its receipts.

    The values are the words used in settings. Whatever the base, ids that are not such
    numbers are kept as they came.
    """

    AS_IS = "as_is"
    """The same characters in both."""
    DECIMAL = "decimal"
    """Decimal in both, with leading zeros in one."""
    HEX = "hex"
    """Hexadecimal in the response, decimal in the receipt."""
    HEX_BOTH = "hex_both"
    """Hexadecimal in both, in different case or with leading zeros in one."""
    RECEIPT_HEX = "receipt_hex"
    """Decimal in the response, hexadecimal in the receipt."""


_BASES: Final = {
    MessageIdBase.DECIMAL: (10, 10),
    MessageIdBase.HEX: (16, 10),
    MessageIdBase.HEX_BOTH: (16, 16),
    MessageIdBase.RECEIPT_HEX: (10, 16),
}
_NUMBER: Final = {10: re.compile("[0-9]{1,40}"), 16: re.compile("[0-9A-Fa-f]{1,40}")}

_FIELD: Final = re.compile(
    r"\b(id|sub|dlvrd|submit date|done date|stat|err):\s*"
    r"(?!(?:id|sub|dlvrd|submit date|done date|stat|err|text):)(\S*)",
    re.IGNORECASE,
)
_TEXT: Final = re.compile(r"\btext:", re.IGNORECASE)
_STATES: Final = {
    "ENROU": DeliveryState.ENROUTE,
    "DELIV": DeliveryState.DELIVERED,
    "EXPIR": DeliveryState.EXPIRED,
    "DELET": DeliveryState.DELETED,
    "UNDEL": DeliveryState.UNDELIVERABLE,
    "FAILE": DeliveryState.UNDELIVERABLE,
    "ACCEP": DeliveryState.ACCEPTED,
    "ACCPT": DeliveryState.ACCEPTED,
    "UNKNO": DeliveryState.UNKNOWN,
    "REJEC": DeliveryState.REJECTED,
}
_STATE_NUMBERS: Final = {state.value: state for state in DeliveryState}
_DATES: Final = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}
_LONGEST_ERROR: Final = 20
_MINUTE: Final = 60


def normalise_id(message_id: str, base: MessageIdBase, *, from_receipt: bool) -> str:
    """Return an id in the one form that a response's and a receipt's id share."""
    message_id = message_id.strip()
    if base is MessageIdBase.AS_IS:
        return message_id
    number = _BASES[base][from_receipt]
    if not _NUMBER[number].fullmatch(message_id):
        return message_id
    return str(int(message_id, number))


def is_receipt(message: ShortMessage) -> bool:
    """Say whether a deliver_sm or data_sm is a receipt rather than a text.

    Some SMSCs forget the bit in ``esm_class`` and send the TLVs.
    """
    if message.esm_class & (c.ESM_RECEIPT | c.ESM_INTERMEDIATE):
        return True
    return bool(message.tlvs) and tlv(message.tlvs, c.RECEIPTED_MESSAGE_ID) is not None


def read_receipt(
    message: ShortMessage,
    base: MessageIdBase = MessageIdBase.AS_IS,
    utc_offset: int = 0,
) -> Receipt | None:
    """Return the receipt in a deliver_sm or data_sm, None if it names no message.

    ``utc_offset`` is how many minutes the SMSC's clock, whose dates carry no zone, is
    ahead of UTC. A receipt without any state has the state ``UNKNOWN``.
    """
    fields = _read_text(message)
    message_id = tlv_text(message.tlvs, c.RECEIPTED_MESSAGE_ID) or fields.get("id", "")
    message_id = message_id.replace("\0", "")[: c.MAX_MESSAGE_ID]
    message_id = normalise_id(message_id, base, from_receipt=True)
    if not message_id:
        return None
    return Receipt(
        message_id,
        _state(message, fields.get("stat", "")),
        fields.get("err") or _network_error(message),
        read_date(fields.get("done date", ""), utc_offset),
    )


def _read_text(message: ShortMessage) -> dict[str, str]:
    body = message.payload
    encoding = "utf-16-be" if message.data_coding == UCS2 else "latin-1"
    text = body.decode(encoding, "replace").replace("\0", "")
    # What follows "text:" was written by a person, who may have written "id:" too.
    cut = _TEXT.search(text)
    found = _FIELD.findall(text[: cut.start()] if cut else text)
    return {
        name.lower(): value[:_LONGEST_ERROR] if name.lower() == "err" else value
        for name, value in reversed(found)
    }


def _state(message: ShortMessage, word: str) -> DeliveryState:
    number = tlv_int(message.tlvs, c.MESSAGE_STATE) if message.tlvs else None
    if number in _STATE_NUMBERS:
        return _STATE_NUMBERS[number]
    if word.isdecimal() and word.isascii():
        return _STATE_NUMBERS.get(int(word[:3]), DeliveryState.UNKNOWN)
    return _STATES.get(word[:5].upper(), DeliveryState.UNKNOWN)


def _network_error(message: ShortMessage) -> str:
    value = tlv(message.tlvs, c.NETWORK_ERROR_CODE)
    # One octet of network type, then the code (SMPP 3.4, 5.3.2.31).
    return str(int.from_bytes(value[1:3])) if value and len(value) > 1 else ""


def read_date(digits: str, utc_offset: int = 0) -> int | None:
    """Return UTC milliseconds for yyMMddHHmm, yyMMddHHmmss or yyyyMMddHHmmss, else None."""
    pattern = _DATES.get(len(digits))
    if pattern is None or not (digits.isdecimal() and digits.isascii()):
        return None
    try:
        local = datetime.strptime(digits, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(local.timestamp() - utc_offset * _MINUTE) * 1000
