"""Where a part stands in a long message: user data headers and SAR parameters.

A user data header is 3GPP TS 23.040, 9.2.3.24: a length, then elements of identifier,
length and data. Concatenation is element 0x00 (8-bit reference) or 0x08 (16-bit).
The SAR parameters are SMPP 3.4, 5.3.2.22 to 5.3.2.24.
"""

from __future__ import annotations

import struct
from typing import Final

from gateway.messages import PartOf
from gateway.smpp import constants as c
from gateway.smpp.pdus import Tlvs, tlv_int

_CONCATENATED_8: Final = (0x00, 3)
_CONCATENATED_16: Final = (0x08, 4)


def read_header(data: bytes) -> tuple[PartOf | None, bytes]:
    """Return the part a user data header names, and the user data after the header.

    A header that does not fit in the data is no header: the data is returned whole. A
    place that cannot be (part 3 of 2, part 0) is none.
    """
    if not data or data[0] >= len(data):
        return None, data
    end = data[0] + 1
    at, part = 1, None
    while at + 2 <= end:
        element, at = (data[at], data[at + 1]), at + 2
        value, at = data[at : at + element[1]], at + element[1]
        if at > end:
            break
        if element == _CONCATENATED_8:
            part = place(*value)
        elif element == _CONCATENATED_16:
            part = place(*struct.unpack(">HBB", value))
    return part, data[end:]


def read_sar(tlvs: Tlvs) -> PartOf | None:
    """Return the part the three SAR parameters name, None unless all three are there."""
    reference = tlv_int(tlvs, c.SAR_MSG_REF_NUM)
    total = tlv_int(tlvs, c.SAR_TOTAL_SEGMENTS)
    number = tlv_int(tlvs, c.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    return place(reference & 0xFFFF, total, number)


def place(reference: int, total: int, number: int) -> PartOf | None:
    """Return the part, None for a message of one part and for a place that cannot be."""
    if 1 < total <= 0xFF and 1 <= number <= total:  # noqa: PLR2004 - one octet
        return PartOf(reference, total, number)
    return None


def header(part: PartOf, bits: int = 8) -> bytes:
    """Return the user data header for a part, its reference cut to ``bits`` (8 or 16)."""
    if bits == 16:  # noqa: PLR2004 - bits
        return struct.pack(
            ">BBBHBB", 6, *_CONCATENATED_16, part.reference & 0xFFFF, part.total, part.number
        )
    return bytes((5, *_CONCATENATED_8, part.reference & 0xFF, part.total, part.number))


def sar(part: PartOf) -> Tlvs:
    """Return the three SAR parameters for a part."""
    return (
        (c.SAR_MSG_REF_NUM, struct.pack(">H", part.reference & 0xFFFF)),
        (c.SAR_TOTAL_SEGMENTS, bytes([part.total])),
        (c.SAR_SEGMENT_SEQNUM, bytes([part.number])),
    )
