"""Between PDUs and the gateway's messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages import InboundSms, OutboundSms, PartOf, Receipt, SendStatus
from gateway.smpp import codec, text
from gateway.smpp import constants as c
from gateway.smpp.content import Reader, Writer, validity_period
from gateway.smpp.pdus import ShortMessage, Unencodable, tlv
from gateway.smpp.receipts import MessageIdBase
from gateway.smpp.settings import BindSettings, LongMessages
from gateway.smpp.states import NEVER_WRITTEN, NO_RESPONSE, Answer
from gateway.smpp.text import Alphabet

MOBILE, LINE = "989131234567", "100034122"


def settings(**changes: Any) -> BindSettings:
    """Return the settings of a bind."""
    values: dict[str, Any] = {"name": "a", "host": "h", "system_id": "s", "password": "p"}
    return BindSettings(**{**values, **changes})


def message(words: str, part: PartOf | None = None, **changes: Any) -> OutboundSms:
    """Return a message to a mobile."""
    made = OutboundSms(1, LINE, MOBILE, words, part, receipt=False, validity=None)
    return made._replace(**changes)


def written(outbound: OutboundSms, **changes: Any) -> ShortMessage:
    """Write a submit_sm and read it with the table."""
    body = Writer(settings(**changes)).body(outbound)
    decoded = codec.decode(codec.pack(c.SUBMIT_SM, 0, 1, body))
    assert isinstance(decoded, ShortMessage)
    return decoded


def inbound(**changes: Any) -> ShortMessage:
    """Return a deliver_sm from a mobile."""
    return ShortMessage(c.DELIVER_SM, source=MOBILE, destination=LINE, **changes)


# --- out -------------------------------------------------------------------------------


@given(
    st.text(st.sampled_from("01ab€آب۱"), max_size=60),
    st.booleans(),
    st.none() | st.integers(1, 10**8),
)
def test_a_submit_sm_carries_what_the_message_says(
    words: str,
    receipt: bool,  # noqa: FBT001
    validity: int | None,
) -> None:
    """Every field of the hand-made body stands where the table reads it."""
    pdu = written(message(words, receipt=receipt, validity=validity), service_type="CMT")
    assert (pdu.source, pdu.destination, pdu.service_type) == (LINE, MOBILE, "CMT")
    assert (pdu.source_ton, pdu.source_npi, pdu.dest_ton, pdu.dest_npi) == (0, 1, 1, 1)
    assert pdu.registered_delivery == int(receipt)
    assert pdu.validity_period == validity_period(validity)
    assert text.decode(pdu.short_message, pdu.data_coding) == words
    assert (pdu.esm_class, pdu.tlvs) == (0, ())


@pytest.mark.parametrize(
    ("how", "esm_class", "start"),
    [
        (LongMessages.UDH8, c.ESM_UDHI, b"\x05\x00\x03\x34\x03\x02"),
        (LongMessages.UDH16, c.ESM_UDHI, b"\x06\x08\x04\x12\x34\x03\x02"),
        (LongMessages.SAR, 0, "آب".encode("utf-16-be")),
    ],
)
def test_parts_are_marked_as_the_bind_says(how: LongMessages, esm_class: int, start: bytes) -> None:
    """Header or SAR parameters say which part it is; reading gives it back."""
    part = PartOf(0x1234, 3, 2)
    pdu = written(message("آب", part), long_messages=how)
    assert pdu.esm_class == esm_class
    assert pdu.short_message.startswith(start)
    back = Reader(settings()).read(pdu._replace(command=c.DELIVER_SM))
    assert isinstance(back, InboundSms)
    assert back.part is not None
    assert (back.part.total, back.part.number) == (3, 2)
    assert (back.payload, back.text) == ("آب".encode("utf-16-be"), "")


def test_a_long_text_may_go_as_message_payload() -> None:
    """Where the SMSC cuts by itself, the whole text goes in one TLV with sm_length 0."""
    words = "قبض آب " * 40
    pdu = written(message(words), long_messages=LongMessages.PAYLOAD)
    assert pdu.short_message == b""
    assert tlv(pdu.tlvs, c.MESSAGE_PAYLOAD) == words.encode("utf-16-be")
    assert written(message("آب"), long_messages=LongMessages.PAYLOAD).tlvs == ()


def test_the_parts_of_a_persian_text_have_one_alphabet() -> None:
    """A part that happens to be all Latin goes out as UCS-2 like the others."""
    words = "ش" * 67 + "https://ab.ir/" * 10
    pieces = text.split(words)
    pdus = [
        written(message(piece, PartOf(1, len(pieces), number)))
        for number, piece in enumerate(pieces, 1)
    ]
    assert {pdu.data_coding for pdu in pdus} == {8}
    pieces = text.split("a" * 200)
    assert written(message(pieces[0], PartOf(1, 2, 1))).data_coding == 0


def test_the_alphabet_is_the_binds() -> None:
    """A bind can be told what data_coding 0 means, or to send UCS-2 always."""
    assert written(message("é"), alphabet=Alphabet.LATIN1).short_message == b"\xe9"
    assert written(message("e"), always_ucs2=True).short_message == b"\0e"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"destination": "9" * 21}, c.RINVDSTADR),
        ({"destination": "98\x00"}, c.RINVDSTADR),
        ({"destination": "۹۸"}, c.RINVDSTADR),
        ({"source": "9" * 21}, c.RINVSRCADR),
        ({"text": "آ" * 128}, c.RINVMSGLEN),
    ],
)
def test_what_no_submit_sm_can_carry_is_refused(changes: dict[str, Any], status: int) -> None:
    """The error says which field it is, as an SMSC would."""
    with pytest.raises(Unencodable) as error:
        written(message("x", **changes))
    assert error.value.status == status


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (0, "000000000001000R"),
        (3600, "000000010000000R"),
        (90061, "000001010101000R"),
        (40 * 86400, "000110000000000R"),
        (10**9, "000309000000000R"),
    ],
)
def test_validity_is_a_relative_time(seconds: int | None, expected: str) -> None:
    """Seconds become YYMMDDhhmmss000R, within what two digits of days can say."""
    assert validity_period(seconds) == expected


# --- in --------------------------------------------------------------------------------


def test_a_text_is_decoded() -> None:
    """A whole text comes with its characters and its octets."""
    octets = "۰۱۰".encode("utf-16-be")
    found = Reader(settings()).read(inbound(data_coding=8, short_message=octets))
    assert found == InboundSms(MOBILE, LINE, 8, octets, "۰۱۰", None)


def test_a_text_in_message_payload_is_decoded() -> None:
    """The same text in the TLV is the same text."""
    octets = "۰۱۰".encode("utf-16-be")
    found = Reader(settings()).read(inbound(data_coding=8, tlvs=((c.MESSAGE_PAYLOAD, octets),)))
    assert found == InboundSms(MOBILE, LINE, 8, octets, "۰۱۰", None)


def test_a_text_with_other_headers_is_whole() -> None:
    """A header without concatenation is taken off and the text is whole."""
    data = b"\x06\x05\x04\x15\x81\x00\x00010"
    found = Reader(settings()).read(inbound(esm_class=c.ESM_UDHI, short_message=data))
    assert found == InboundSms(MOBILE, LINE, 0, b"010", "010", None)


def test_the_default_alphabet_reads_texts() -> None:
    """data_coding 0 is read as this SMSC means it."""
    reader = Reader(settings(alphabet=Alphabet.UTF8))
    found = reader.read(inbound(short_message="۰۱۰".encode()))
    assert isinstance(found, InboundSms)
    assert found.text == "۰۱۰"


def test_receipts_are_read_with_the_binds_ids_and_clock() -> None:
    """A receipt's id and time are in the form that results and UTC have."""
    reader = Reader(settings(message_id_base=MessageIdBase.HEX, receipt_utc_offset=210))
    body = b"id:255 done date:7001010330 stat:DELIVRD"
    found = reader.read(inbound(esm_class=4, short_message=body))
    assert isinstance(found, Receipt)
    assert (found.smsc_id, found.done_at) == ("255", 0)
    assert reader.result(Answer(5, 0, "00FF")).smsc_id == "255"


def test_a_receipt_that_names_nothing_is_none() -> None:
    """It can only be acknowledged."""
    assert Reader(settings()).read(inbound(esm_class=4, short_message=b"?")) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x00, SendStatus.ACCEPTED),
        (0x58, SendStatus.THROTTLED),
        (0x14, SendStatus.THROTTLED),
        (0x08, SendStatus.TEMPORARY),
        (0x64, SendStatus.TEMPORARY),
        (0x04, SendStatus.TEMPORARY),
        (0x0A, SendStatus.PERMANENT),
        (0x0B, SendStatus.PERMANENT),
        (0x45, SendStatus.PERMANENT),
        (0x66, SendStatus.PERMANENT),
        (0x400, SendStatus.PERMANENT),
        (NO_RESPONSE, SendStatus.UNCERTAIN),
        (NEVER_WRITTEN, SendStatus.UNSENT),
    ],
)
def test_a_status_says_what_to_do(status: int, expected: SendStatus) -> None:
    """Each command_status, and each lack of one, has its meaning; the code is kept."""
    result = Reader(settings()).result(Answer(5, status, "id"))
    assert (result.id, result.status, result.code) == (5, expected, max(status, 0))
    assert result.smsc_id == ("id" if status == 0 else "")
