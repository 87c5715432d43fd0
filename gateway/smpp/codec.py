"""SMPP 3.4 PDUs to and from bytes.

Theory of operation. The wire format is smpplib's own tables: the parameters of every
command and their order (``smpplib.command``), the command ids and the TLV tags. They
are read once, at import, into tuples of ``Field``; smpplib's reading and writing of
bytes is not used (``docs/decisions/001-smpp-codec.md`` says why and what it measured).
Two pairs of functions work on these tables: ``decode``/``encode`` take any PDU; beside
them ``read_message``, ``read_message_id`` and ``response`` are the same rules written
out for the four PDUs of a text and its answer. A test holds the two to each other.

Whatever the bytes are, decoding returns a PDU or raises ``Malformed``; encoding
returns bytes or raises ``Unencodable``.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from smpplib import command as smpplib_command
from smpplib.exceptions import UnknownCommandError

from gateway.smpp import constants as c
from gateway.smpp.pdus import Malformed, Pdu, ShortMessage, Tlvs, Unencodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADER: Final = struct.Struct(">IIII")
_TLV: Final = struct.Struct(">HH")
_AFTER_TIMES: Final = struct.Struct(">BBBBB")
_EMPTY_RESPONSE: Final = struct.Struct(">IIIIx")
# The farthest that the NUL of a string may stand from the place before it.
_SERVICE_END: Final = c.HEADER_SIZE + 5
_ADDRESS_END: Final = 3 + c.MAX_ADDRESS
_SCHEDULE_END: Final = 4 + 16
_VALIDITY_END: Final = 1 + 16
_AFTER_SOURCE: Final = 13
"""Octets of an empty submit_sm's body after its source address."""
_ADDRESS: Final = re.compile("[\x20-\x7e]{0,20}")


class Field(NamedTuple):
    """A mandatory parameter: one of an integer, a C-string or counted octets."""

    name: str
    size: int
    """Octets of an integer; 0 for the others."""
    limit: int
    """Octets of a C-string with its NUL, or of counted octets; 0 for an integer."""
    counted_by: str
    """The integer that says the length of counted octets; empty for the others."""


def _fields(name: str) -> tuple[Field, ...] | None:
    try:
        # A sequence is given because without one smpplib draws from its global counter.
        pdu = smpplib_command.factory(name, sequence=1)
    except UnknownCommandError:
        return None
    mandatory = getattr(pdu, "mandatory_fields", ())
    return tuple(
        Field(
            field,
            getattr(pdu.params[field], "size", 0),
            getattr(pdu.params[field], "max", 0),
            getattr(pdu.params[field], "len_field", ""),
        )
        for field in pdu.params_order
        if field in mandatory or field not in c.TLV_TAGS
    )


FIELDS: Final[dict[int, tuple[Field, ...]]] = {
    code: fields for name, code in c.COMMANDS.items() if (fields := _fields(name)) is not None
}
"""The mandatory parameters of every command that can be read and written."""

MESSAGES: Final = frozenset({c.SUBMIT_SM, c.DELIVER_SM, c.DATA_SM})

_NAMES: Final = {
    "source_addr_ton": "source_ton",
    "source_addr_npi": "source_npi",
    "source_addr": "source",
    "dest_addr_ton": "dest_ton",
    "dest_addr_npi": "dest_npi",
    "destination_addr": "destination",
}
_STATUS_OF: Final = {
    "service_type": c.RINVSERTYP,
    "source_addr": c.RINVSRCADR,
    "destination_addr": c.RINVDSTADR,
    "schedule_delivery_time": c.RINVSCHED,
    "validity_period": c.RINVEXPIRY,
    "short_message": c.RINVMSGLEN,
}


def _status_of(field: str) -> int:
    return _STATUS_OF.get(field, c.RINVCMDLEN)


# --- reading -----------------------------------------------------------------------


def read_header(data: bytes, at: int = 0) -> tuple[int, int, int, int]:
    """Return ``command_length, command_id, command_status, sequence_number``.

    ``data`` must hold 16 octets from ``at``.
    """
    return _HEADER.unpack_from(data, at)


def read_tlvs(data: bytes, at: int, end: int) -> Tlvs:
    """Read the optional parameters that fill ``data[at:end]`` (SMPP 3.4, 5.3).

    Raises ``Malformed`` when the last one is cut short.
    """
    found = []
    while at < end:
        if end - at < _TLV.size:
            raise Malformed(c.RINVOPTPARSTREAM, "a TLV's header is cut short")
        tag, length = _TLV.unpack_from(data, at)
        at += _TLV.size + length
        if at > end:
            raise Malformed(c.RINVPARLEN, f"TLV 0x{tag:04X} is cut short")
        found.append((tag, data[at - length : at]))
    return tuple(found)


def decode(data: bytes, start: int = 0, end: int | None = None) -> Pdu | ShortMessage:
    """Read the PDU in ``data[start:end]``; its framing has been checked.

    Raises ``Malformed`` with 0x03 for a command that has no table, and with the status
    that fits for every body that is not as the table says.
    """
    end = len(data) if end is None else end
    if end - start < c.HEADER_SIZE:
        raise Malformed(c.RINVCMDLEN, "shorter than a header")
    _, command, status, sequence = _HEADER.unpack_from(data, start)
    fields = FIELDS.get(command)
    if fields is None:
        raise Malformed(c.RINVCMDID, f"unknown command 0x{command:08X}")
    values, at = _read_fields(command, fields, data[start:end])
    tlvs = read_tlvs(data, start + at, end)
    if command not in MESSAGES:
        return Pdu(command, status, sequence, values, tlvs)
    values.pop("sm_length", None)
    named = {_NAMES.get(name, name): value for name, value in values.items()}
    return ShortMessage(command, status, sequence, tlvs=tlvs, **named)  # type: ignore[arg-type]


def _read_fields(
    command: int, fields: Iterable[Field], pdu: bytes
) -> tuple[dict[str, int | str | bytes], int]:
    values: dict[str, int | str | bytes] = {}
    at = c.HEADER_SIZE
    for field in fields:
        if at == len(pdu) and command & c.RESPONSE:
            break  # an error response may come without its body (SMPP 3.4, 4.4.2)
        if field.size:
            value: int | str | bytes = int.from_bytes(pdu[at : at + field.size])
            at += field.size
        elif field.counted_by:
            length = int(values[field.counted_by])
            value = pdu[at : at + length]
            at += length
        else:
            value, at = _read_string(field, pdu, at)
        if at > len(pdu):
            raise Malformed(_status_of(field.name), f"{field.name} is cut short")
        values[field.name] = value
    return values, at


def _read_string(field: Field, pdu: bytes, at: int) -> tuple[str, int]:
    end = pdu.find(0, at)
    if end < 0:
        raise Malformed(_status_of(field.name), f"{field.name} has no end")
    if end - at >= field.limit:
        raise Malformed(_status_of(field.name), f"{field.name} is too long")
    return pdu[at:end].decode("latin-1"), end + 1


def read_message(data: bytes, start: int, end: int) -> ShortMessage:
    """Read a submit_sm or deliver_sm; the same as ``decode``, several times as fast."""
    try:
        _, command, status, sequence = _HEADER.unpack_from(data, start)
        service = data.index(0, start + 16, end)
        source = data.index(0, service + 3, end)
        destination = data.index(0, source + 3, end)
        schedule = data.index(0, destination + 4, end)
        validity = data.index(0, schedule + 1, end)
        registered, replace, coding, default_id, length = _AFTER_TIMES.unpack_from(
            data, validity + 1
        )
    except (ValueError, struct.error):
        raise Malformed(c.RINVCMDLEN, "the mandatory part is cut short") from None
    at = validity + 6
    body_end = at + length
    if (
        body_end > end
        or service - start > _SERVICE_END
        or source - service > _ADDRESS_END
        or destination - source > _ADDRESS_END
        or schedule - destination > _SCHEDULE_END
        or validity - schedule > _VALIDITY_END
    ):
        decode(data, start, end)  # says which field it was
        raise Malformed(c.RINVCMDLEN, "a mandatory field is too long")
    return ShortMessage(
        command,
        status,
        sequence,
        str(data[start + 16 : service], "latin-1") if service > start + 16 else "",
        data[service + 1],
        data[service + 2],
        str(data[service + 3 : source], "latin-1"),
        data[source + 1],
        data[source + 2],
        str(data[source + 3 : destination], "latin-1"),
        data[destination + 1],
        data[destination + 2],
        data[destination + 3],
        str(data[destination + 4 : schedule], "latin-1") if schedule > destination + 4 else "",
        str(data[schedule + 1 : validity], "latin-1") if validity > schedule + 1 else "",
        registered,
        replace,
        coding,
        default_id,
        data[at:body_end],
        read_tlvs(data, body_end, end) if body_end < end else (),
    )


def read_message_id(data: bytes, start: int, end: int) -> str:
    """Return the message_id of a submit_sm_resp, deliver_sm_resp or data_sm_resp.

    Never fails: with an error status the body may be missing, some SMSCs leave out
    the NUL, and a message that was accepted stays accepted whatever its id looks like.
    What is longer than an id can be (SMPP 3.4, 4.4.2) is cut.
    """
    at = start + c.HEADER_SIZE
    end = min(end, at + c.MAX_MESSAGE_ID)
    stop = data.find(0, at, end)
    return str(data[at : stop if stop >= 0 else end], "latin-1")


# --- writing -----------------------------------------------------------------------


def pack(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Put a header before a body."""
    return _HEADER.pack(c.HEADER_SIZE + len(body), command, status, sequence) + body


def response(command: int, status: int, sequence: int) -> bytes:
    """Return a response whose body is one empty string: deliver_sm_resp, data_sm_resp."""
    return _EMPTY_RESPONSE.pack(17, command, status, sequence)


def encode(pdu: Pdu | ShortMessage) -> bytes:
    """Write any PDU. Raises ``Unencodable`` for a value that does not fit its field."""
    if not 0 <= pdu.status <= c.MAX_STATUS or not 0 <= pdu.sequence <= c.MAX_STATUS:
        raise Unencodable(c.RSYSERR, "status and sequence are 32 bits")
    return pack(pdu.command, pdu.status, pdu.sequence, encode_body(pdu))


def encode_body(pdu: Pdu | ShortMessage) -> bytes:
    """Write what follows the header. Raises ``Unencodable``."""
    fields = FIELDS.get(pdu.command)
    if fields is None:
        raise Unencodable(c.RINVCMDID, f"unknown command 0x{pdu.command:08X}")
    values: Mapping[str, int | str | bytes] = (
        _values(pdu) if isinstance(pdu, ShortMessage) else pdu.fields
    )
    body = b"".join(_write(field, values.get(field.name)) for field in fields)
    return body + write_tlvs(pdu.tlvs)


def _values(pdu: ShortMessage) -> dict[str, int | str | bytes]:
    values = pdu._asdict()
    for wire, ours in _NAMES.items():
        values[wire] = values[ours]
    values["sm_length"] = min(len(pdu.short_message), 0xFF)
    return values


def _write(field: Field, value: int | str | bytes | None) -> bytes:
    if field.size:
        return _write_int(field, value or 0)
    raw = value.encode("latin-1", "replace") if isinstance(value, str) else value or b""
    if not isinstance(raw, bytes):
        raise Unencodable(_status_of(field.name), f"{field.name} is not a string")
    if field.counted_by:
        if len(raw) > field.limit:
            raise Unencodable(c.RINVMSGLEN, f"{field.name} is over {field.limit} octets")
        return raw
    if len(raw) >= field.limit:
        what = f"{field.name} is over {field.limit - 1} characters"
        raise Unencodable(_status_of(field.name), what)
    if b"\0" in raw or (isinstance(value, str) and raw.decode("latin-1") != value):
        raise Unencodable(_status_of(field.name), f"{field.name} has a character it may not")
    return raw + b"\0"


def _write_int(field: Field, value: int | str | bytes) -> bytes:
    if not isinstance(value, int) or not 0 <= value < 1 << 8 * field.size:
        raise Unencodable(c.RSYSERR, f"{field.name} is {field.size} octets")
    return value.to_bytes(field.size)


def write_address(address: str) -> bytes:
    """Write a destination, without its NUL. Raises ``Unencodable`` for what is none."""
    if not _ADDRESS.fullmatch(address):
        raise Unencodable(c.RINVDSTADR, "the destination is not an address of 20 characters")
    return address.encode("ascii")


def source_prefix(message: ShortMessage) -> bytes:
    """Write a submit_sm's body up to its source address, which stays the same for a line."""
    return encode_body(message)[:-_AFTER_SOURCE]


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Write optional parameters in the order given. Raises ``Unencodable`` over 64 KiB."""
    if not tlvs:
        return b""
    for tag, value in tlvs:
        if not 0 <= tag <= c.MAX_TLV or len(value) > c.MAX_TLV:
            raise Unencodable(c.RINVPARLEN, "a TLV's tag and length are 16 bits")
    return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs])
