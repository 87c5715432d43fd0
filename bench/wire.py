"""The PDUs of a text and its answer, as bytes that are made once.

Written out by hand (SMPP 3.4, 4.4.1 and 4.6.1), so that neither our codec nor smpplib is
measured against itself.
"""

from __future__ import annotations

import struct
from typing import Final

LINE: Final = "100034122"
SEQUENCE_AT: Final = 12

GENERIC_NACK: Final = 0x80000000
SUBMIT_SM: Final = 0x00000004
SUBMIT_SM_RESP: Final = 0x80000004
DELIVER_SM: Final = 0x00000005
DELIVER_SM_RESP: Final = 0x80000005
BIND_TRANSCEIVER: Final = 0x00000009
UNBIND: Final = 0x00000006
ENQUIRE_LINK: Final = 0x00000015
RESPONSE: Final = 0x80000000
UCS2: Final = 8

HEADER: Final = struct.Struct(">IIII")
SEQUENCE: Final = struct.Struct(">I")

_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_IS_RECEIPT: Final = 0x04
_HAS_HEADER: Final = 0x40


def pack(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Put a header before a body."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def persian(text: str) -> str:
    """Write its digits in Persian."""
    return text.translate(_PERSIAN)


def balance_text(number: int, code: str) -> str:
    """Write a request for the balance as seed 001 prints it: ``۰۱۰+number+code``."""
    return persian(f"010+{number}+{code}")


def deliver_sm(mobile: int, text: str) -> bytearray:
    """Return a text from ``mobile`` to the line, in UCS-2; its sequence is for the sender."""
    body = message(str(mobile), LINE, 0, UCS2, text.encode("utf-16-be"))
    return bytearray(pack(DELIVER_SM, 0, 0, body))


def receipt(mobile: int, message_id: bytes, sequence: int) -> bytes:
    """Return a receipt for a message that was delivered (SMPP 3.4, appendix B)."""
    text = b"id:%b sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD"
    body = message(str(mobile), LINE, _IS_RECEIPT, 0, text % message_id + b" err:000 text:")
    return pack(DELIVER_SM, 0, sequence, body)


def submit_sm_resp(sequence: int, message_id: bytes) -> bytes:
    """Return the operator's word that it has taken an answer."""
    return HEADER.pack(HEADER.size + len(message_id) + 1, SUBMIT_SM_RESP, 0, sequence) + (
        message_id + b"\0"
    )


def recipient(data: bytes, at: int) -> tuple[int, int]:
    """Read of the submit_sm at ``at`` to whom it goes, and of how many parts it is one."""
    service_end = data.find(0, at + HEADER.size)
    source_end = data.find(0, service_end + 3)
    end = data.find(0, source_end + 3)
    parts = _parts(data, end + 1) if data[end + 1] & _HAS_HEADER else 1
    return int(data[source_end + 3 : end]), parts


def _parts(data: bytes, at: int) -> int:
    """Read it of the user data header 05 00 03 reference total number; esm_class is at ``at``."""
    schedule_end = data.find(0, at + 3)
    validity_end = data.find(0, schedule_end + 1)
    return data[validity_end + 10]


def message(source: str, destination: str, esm_class: int, coding: int, text: bytes) -> bytes:
    """Return the body of a deliver_sm without TLVs."""
    return b"".join((
        b"\0",  # service_type
        b"\1\1", source.encode(), b"\0",
        b"\1\1", destination.encode(), b"\0",
        bytes((esm_class, 0, 0)),
        b"\0\0",  # schedule_delivery_time, validity_period
        bytes((0, 0, coding, 0, len(text))),
        text,
    ))  # fmt: skip
