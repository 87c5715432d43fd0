"""What a PDU is once its bytes have been read: named tuples, since there are many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.smpp import constants

if TYPE_CHECKING:
    from collections.abc import Mapping

Tlvs: TypeAlias = tuple[tuple[int, bytes], ...]
"""Optional parameters as ``(tag, value)`` in their order on the wire, known or not."""


class Malformed(ValueError):
    """A PDU whose framing is right and whose body is not.

    ``status`` is the command_status to refuse it with, ``reason`` says what was wrong
    without quoting the body, which may be a subscriber's text.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{reason} (0x{status:02X})")
        self.status = status
        self.reason = reason


class Unencodable(ValueError):
    """A value that does not fit its field; ``status`` is what an SMSC would answer to it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Pdu(NamedTuple):
    """Any PDU but those that carry a message."""

    command: int
    status: int
    sequence: int
    fields: Mapping[str, int | str | bytes] = {}
    """The mandatory parameters by their names in the specification; a response with an
    error status may lack them."""
    tlvs: Tlvs = ()


class ShortMessage(NamedTuple):
    """submit_sm, deliver_sm or data_sm (SMPP 3.4, 4.4.1, 4.6.1, 4.7.1).

    A data_sm has no ``protocol_id``, ``priority_flag``, times and ``short_message``:
    these read as 0 and empty, and its text is in the TLV ``message_payload``.
    """

    command: int
    status: int = 0
    sequence: int = 0
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    dest_ton: int = 0
    dest_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()

    @property
    def payload(self) -> bytes:
        """The user data, wherever it stands: ``short_message`` or ``message_payload``."""
        if self.tlvs and not self.short_message:
            return tlv(self.tlvs, constants.MESSAGE_PAYLOAD) or b""
        return self.short_message


MAX_INT_TLV: Final = 4


def tlv(tlvs: Tlvs, tag: int) -> bytes | None:
    """Return the first TLV with that tag, None if there is none."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def tlv_int(tlvs: Tlvs, tag: int) -> int | None:
    """Return an integer TLV by the length it really has (1 to 4 octets), else None.

    SMSCs send two-octet integers in one octet and the other way round.
    """
    value = tlv(tlvs, tag)
    if value is None or not 1 <= len(value) <= MAX_INT_TLV:
        return None
    return int.from_bytes(value)


def tlv_text(tlvs: Tlvs, tag: int) -> str | None:
    """Return a C-string TLV up to its NUL, which some SMSCs leave out."""
    value = tlv(tlvs, tag)
    return None if value is None else value.partition(b"\0")[0].decode("latin-1")
