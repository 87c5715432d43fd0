"""PDUs to and from bytes, with smpplib as the independent peer."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import command as smpplib_command
from smpplib import consts, smpp

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.pdus import Malformed, Pdu, ShortMessage, Unencodable, tlv, tlv_int, tlv_text

# --- what both sides can say -----------------------------------------------------------

_VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_BYTE = st.integers(0, 255)


def strings(limit: int) -> st.SearchStrategy[str]:
    """Strings for a C-string field of so many octets with its NUL."""
    return st.text(_VISIBLE, max_size=limit - 1)


def short_messages(command: int) -> st.SearchStrategy[ShortMessage]:
    """Every submit_sm or deliver_sm without TLVs."""
    return st.builds(
        ShortMessage,
        st.just(command),
        st.integers(0, 0xFFFFFFFF),
        st.integers(1, c.MAX_SEQUENCE),
        strings(6),
        _BYTE,
        _BYTE,
        strings(21),
        _BYTE,
        _BYTE,
        strings(21),
        _BYTE,
        _BYTE,
        _BYTE,
        strings(17),
        strings(17),
        _BYTE,
        _BYTE,
        _BYTE,
        _BYTE,
        st.binary(max_size=254),
        st.just(()),
    )


_TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=5).map(tuple)

_SMPPLIB_NAMES = {
    "source_ton": "source_addr_ton",
    "source_npi": "source_addr_npi",
    "source": "source_addr",
    "dest_ton": "dest_addr_ton",
    "dest_npi": "dest_addr_npi",
    "destination": "destination_addr",
}
_NOT_PARAMETERS = {"command", "status", "sequence", "tlvs"}


def as_smpplib(message: ShortMessage) -> dict[str, Any]:
    """Return a message's parameters by smpplib's names."""
    return {
        _SMPPLIB_NAMES.get(name, name): value
        for name, value in message._asdict().items()
        if name not in _NOT_PARAMETERS
    }


def smpplib_value(value: Any) -> Any:
    """Return what smpplib read in the form that we read it in."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


class Client:
    """What smpplib wants beside the bytes."""

    sequence = 0

    def next_sequence(self) -> int:
        """Return the one sequence that there is."""
        return self.sequence


def peer_reads(data: bytes, **options: Any) -> Any:
    """Return smpplib's reading of a PDU."""
    return smpp.parse_pdu(data, client=Client(), **options)


def peer_makes(name: str, **values: Any) -> Any:
    """Return smpplib's PDU with these values."""
    return smpp.make_pdu(name, client=Client(), **values)


@given(short_messages(c.SUBMIT_SM) | short_messages(c.DELIVER_SM))
def test_smpplib_reads_what_we_write(message: ShortMessage) -> None:
    """Another implementation finds every value of a message in its place."""
    parsed = peer_reads(codec.encode(message))
    assert (parsed.status, parsed.sequence) == (message.status, message.sequence)
    for name, value in as_smpplib(message).items():
        found = getattr(parsed, name)
        if name == "short_message":
            assert (found or b"") == value
        else:
            assert smpplib_value(found) == value


@given(short_messages(c.SUBMIT_SM) | short_messages(c.DELIVER_SM))
def test_we_read_what_smpplib_writes(message: ShortMessage) -> None:
    """We find every value of a message that another implementation wrote."""
    name = c.COMMAND_NAMES[message.command]
    made = peer_makes(name, **as_smpplib(message))
    made.sequence = message.sequence
    made.status = message.status
    assert codec.decode(made.generate()) == message


@given(short_messages(c.SUBMIT_SM) | short_messages(c.DELIVER_SM), _TLVS, st.binary(max_size=9))
def test_the_written_out_reader_reads_like_the_table(
    message: ShortMessage, tlvs: tuple[tuple[int, bytes], ...], before: bytes
) -> None:
    """The fast reader and the table agree, wherever in a buffer the PDU stands."""
    pdu = codec.encode(message._replace(tlvs=tlvs))
    data = before + pdu + pdu
    start, end = len(before), len(before) + len(pdu)
    assert codec.read_message(data, start, end) == codec.decode(data, start, end)
    assert codec.decode(pdu) == message._replace(tlvs=tlvs)


@given(short_messages(c.DELIVER_SM), st.data())
def test_the_written_out_reader_refuses_what_the_table_refuses(
    message: ShortMessage, data: st.DataObject
) -> None:
    """A body cut anywhere is malformed for both readers, or for neither."""
    pdu = codec.encode(message)
    end = data.draw(st.integers(16, len(pdu)))
    outcomes: list[Any] = []
    for read in (codec.read_message, codec.decode):
        try:
            outcomes.append(read(pdu, 0, end))
        except Malformed:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0] is None) == (end < len(pdu))


_OTHERS: list[tuple[str, dict[str, Any]]] = [
    (
        "bind_transceiver",
        {
            "system_id": "peyk",
            "password": "secret",
            "system_type": "water",
            "interface_version": 0x34,
            "addr_ton": 1,
            "addr_npi": 1,
            "address_range": "^1000",
        },
    ),
    ("bind_transmitter_resp", {"system_id": "smsc"}),
    ("submit_sm_resp", {"message_id": "8F3A"}),
    ("data_sm_resp", {"message_id": "1"}),
    ("enquire_link", {}),
    ("unbind_resp", {}),
    ("generic_nack", {}),
    (
        "query_sm_resp",
        {"message_id": "9", "final_date": "", "message_state": 2, "error_code": 7},
    ),
    (
        "alert_notification",
        {
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "source_addr": "98913",
            "esme_addr_ton": 0,
            "esme_addr_npi": 1,
            "esme_addr": "1000",
        },
    ),
]


@pytest.mark.parametrize(("name", "fields"), _OTHERS)
def test_other_pdus_go_both_ways(name: str, fields: dict[str, Any]) -> None:
    """The peer and we understand each other on every other command in use."""
    pdu = Pdu(c.COMMANDS[name], 0, 77, fields)
    parsed = peer_reads(codec.encode(pdu))
    assert parsed.sequence == 77
    for field, value in fields.items():
        assert smpplib_value(getattr(parsed, field)) == value
    made = peer_makes(name, **fields)
    made.sequence = 77
    decoded = codec.decode(made.generate())
    assert isinstance(decoded, Pdu)
    assert (decoded.command, decoded.sequence, dict(decoded.fields)) == (pdu.command, 77, fields)


def test_a_data_sm_reads_like_a_message() -> None:
    """data_sm, which has no short_message, carries its text in message_payload."""
    message = ShortMessage(
        c.DATA_SM,
        sequence=3,
        source="98913",
        destination="1000",
        data_coding=8,
        tlvs=((c.MESSAGE_PAYLOAD, "سلام".encode("utf-16-be")),),
    )
    decoded = codec.decode(codec.encode(message))
    assert decoded == message
    assert isinstance(decoded, ShortMessage)
    assert decoded.payload.decode("utf-16-be") == "سلام"


# --- what smpplib cannot ---------------------------------------------------------------


def deliver(tlvs: bytes = b"", short_message: bytes = b"010") -> bytes:
    """Return a deliver_sm with raw octets after its mandatory part."""
    body = codec.encode_body(
        ShortMessage(c.DELIVER_SM, source="98913", destination="1000", short_message=short_message)
    )
    return codec.pack(c.DELIVER_SM, 0, 5, body + tlvs)


def tlvs_of(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Read a deliver_sm's TLVs."""
    return codec.read_message(data, 0, len(data)).tlvs


@pytest.mark.parametrize("name", ["ussd_service_op", "dest_addr_subunit"])
def test_tlvs_that_smpplib_lacks_on_deliver_sm(name: str) -> None:
    """A legal TLV on which smpplib raises KeyError is read and written."""
    tag = c.TLV_TAGS[name]
    data = deliver(struct.pack(">HHB", tag, 1, 2))
    with pytest.raises(KeyError):
        peer_reads(data, allow_unknown_opt_params=True)
    assert tlv_int(tlvs_of(data), tag) == 2
    again = codec.encode(codec.decode(data))
    assert again == data


def test_unknown_and_vendor_tlvs_are_kept_in_order() -> None:
    """What we do not know is kept as it came, twice if it came twice."""
    tlvs = ((0x1400, b"vendor"), (0x3FFF, b""), (0x1400, b"again"))
    data = deliver(codec.write_tlvs(tlvs))
    assert tlvs_of(data) == tlvs
    assert codec.encode(codec.decode(data)) == data


def test_its_session_info_is_octets() -> None:
    """A session number and its end bit come through, which smpplib wants as an int."""
    data = deliver(codec.write_tlvs(((c.ITS_SESSION_INFO, b"\x7f\x81"),)))
    assert tlv(tlvs_of(data), c.ITS_SESSION_INFO) == b"\x7f\x81"


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"\x02", 2), (b"\x00\x02", 2), (b"\x00\x00\x00\x02", 2), (b"\1\0\0", 65536)],
)
def test_integers_are_read_by_their_real_length(value: bytes, number: int) -> None:
    """An SMSC that writes an integer in another width is understood."""
    assert tlv_int(((c.MESSAGE_STATE, value),), c.MESSAGE_STATE) == number


@pytest.mark.parametrize("value", [b"", b"12345"])
def test_integers_of_no_integer_length_are_none(value: bytes) -> None:
    """No octets and five octets are no integer, and no exception either."""
    assert tlv_int(((c.MESSAGE_STATE, value),), c.MESSAGE_STATE) is None


@pytest.mark.parametrize("value", [b"12AB\0", b"12AB"])
def test_a_string_tlv_may_lack_its_nul(value: bytes) -> None:
    """receipted_message_id is read with and without its NUL."""
    assert tlv_text(((c.RECEIPTED_MESSAGE_ID, value),), c.RECEIPTED_MESSAGE_ID) == "12AB"


@pytest.mark.parametrize("tail", [b"\x04", b"\x04\x24\x00", b"\x04\x24\x00\x05abcd"])
def test_a_truncated_tlv_is_malformed(tail: bytes) -> None:
    """A TLV cut short is refused as such, where smpplib raises struct.error or is silent."""
    with pytest.raises(Malformed) as error:
        tlvs_of(deliver(tail))
    assert error.value.status in (c.RINVOPTPARSTREAM, c.RINVPARLEN)


def test_a_message_payload_of_64_kib_goes_through() -> None:
    """The longest message_payload there can be is written and read."""
    payload = bytes(range(256)) * 255 + bytes(255)
    message = ShortMessage(c.SUBMIT_SM, tlvs=((c.MESSAGE_PAYLOAD, payload),))
    decoded = codec.decode(codec.encode(message))
    assert isinstance(decoded, ShortMessage)
    assert decoded.payload == payload


def test_sequences_are_never_drawn_from_a_global_counter() -> None:
    """Reading a PDU leaves every counter alone; the sequence is the PDU's own."""
    assert codec.read_message(deliver(), 0, len(deliver())).sequence == 5


# --- what does not fit -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"source": "1" * 21}, c.RINVSRCADR),
        ({"destination": "1" * 21}, c.RINVDSTADR),
        ({"destination": "98\x00913"}, c.RINVDSTADR),
        ({"source": "قم"}, c.RINVSRCADR),
        ({"short_message": bytes(255)}, c.RINVMSGLEN),
        ({"short_message": bytes(256)}, c.RINVMSGLEN),
        ({"service_type": "123456"}, c.RINVSERTYP),
        ({"validity_period": "1" * 17}, c.RINVEXPIRY),
        ({"data_coding": 256}, c.RSYSERR),
        ({"esm_class": -1}, c.RSYSERR),
        ({"tlvs": ((c.MESSAGE_PAYLOAD, bytes(65536)),)}, c.RINVPARLEN),
        ({"tlvs": ((65536, b""),)}, c.RINVPARLEN),
        ({"sequence": 1 << 32}, c.RSYSERR),
        ({"command": 0x7777}, c.RINVCMDID),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], status: int) -> None:
    """A value too long for its field is never cut or wrapped; the error says what an SMSC would."""
    message = ShortMessage(c.SUBMIT_SM, source="1000", destination="98913")
    with pytest.raises(Unencodable) as error:
        codec.encode(message._replace(**changes))
    assert error.value.status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"123456\0\1\1989\0\1\x011000\0\0\0\0\0\0\0\0\0\0\0",  # service_type too long
        b"\0\1\1" + b"9" * 21 + b"\0\1\x011000\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\1\1989\0\1\1" + b"9" * 21 + b"\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\1\1989\0\1\x011000\0\0\0\0" + b"1" * 17 + b"\0\0\0\0\0\0\0",
        b"\0\1\1989\0\1\x011000\0\0\0\0\0\0\0\0\0\0\5abcd",  # one octet less than sm_length
    ],
)
def test_a_body_that_is_not_as_it_should_be_is_malformed(body: bytes) -> None:
    """Both readers refuse it, and with the same kind of error."""
    data = codec.pack(c.DELIVER_SM, 0, 1, body)
    for read in (codec.read_message, codec.decode):
        with pytest.raises(Malformed):
            read(data, 0, len(data))


@pytest.mark.parametrize("command", [0, 0x0B, 0x7777, 0x80007777])
def test_an_unknown_command_is_malformed(command: int) -> None:
    """The error carries what generic_nack has to say."""
    with pytest.raises(Malformed) as error:
        codec.decode(codec.pack(command, 0, 1))
    assert error.value.status == c.RINVCMDID


def test_a_short_header_is_malformed() -> None:
    """Fewer than 16 octets are no PDU."""
    with pytest.raises(Malformed):
        codec.decode(b"\0\0\0\x0f")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ""),
        (b"\0", ""),
        (b"8F3A\0", "8F3A"),
        (b"8F3A", "8F3A"),
        (b"8" * 60_000 + b"\0", "8" * 64),  # PostgreSQL has no index for what is longer
    ],
)
def test_a_response_gives_its_id_however_it_ends(body: bytes, expected: str) -> None:
    """An accepted message stays accepted, whether its id has a NUL, or is there at all."""
    data = codec.pack(c.SUBMIT_SM_RESP, 0, 1, body) + b"rest"
    assert codec.read_message_id(data, 0, len(data) - 4) == expected


def test_an_error_response_without_a_body_is_read() -> None:
    """An SMSC may leave the body out of a response with an error (4.4.2)."""
    decoded = codec.decode(codec.pack(c.SUBMIT_SM_RESP, c.RTHROTTLED, 4))
    assert decoded == Pdu(c.SUBMIT_SM_RESP, c.RTHROTTLED, 4, {}, ())


def test_every_command_of_smpplib_has_a_table() -> None:
    """The tables are smpplib's: whatever its factory knows can be read here."""
    for name in ("query_sm", "deliver_sm", "outbind"):
        assert (c.COMMANDS[name] in codec.FIELDS) == hasattr(
            smpplib_command, {"query_sm": "QuerySM", "deliver_sm": "DeliverSM"}.get(name, "-")
        )
    assert len(codec.FIELDS) == 20


def test_statuses_are_told_in_words() -> None:
    """An operator reads what a status means and its number; unknown ones have a number."""
    assert c.describe(c.RINVPASWD) == "invalid password (0x0E)"
    assert c.describe(0x400) == "unknown error (0x400)"
    assert c.describe(consts.SMPP_ESME_RINVREGDLVFLG) == "unknown error (0x07)"
