"""Delivery receipts in all the forms the field has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages import DeliveryState, Receipt
from gateway.smpp import constants as c
from gateway.smpp.pdus import ShortMessage, Tlvs
from gateway.smpp.receipts import (
    MessageIdBase,
    is_receipt,
    normalise_id,
    read_date,
    read_receipt,
)

DELIVERED, UNKNOWN = DeliveryState.DELIVERED, DeliveryState.UNKNOWN
# 2026-11-20 10:15 in Tehran is 06:45 UTC.
DONE = 1_795_157_100_000
STANDARD = (
    "id:12345 sub:001 dlvrd:001 submit date:2611201014 done date:2611201015 "
    "stat:DELIVRD err:000 text:salam"
)


def receipt(text: str = "", tlvs: Tlvs = (), coding: int = 0) -> ShortMessage:
    """Return a deliver_sm with the receipt bit."""
    encoding = "utf-16-be" if coding == 8 else "latin-1"
    return ShortMessage(
        c.DELIVER_SM,
        esm_class=c.ESM_RECEIPT,
        data_coding=coding,
        short_message=text.encode(encoding),
        tlvs=tlvs,
    )


def read(message: ShortMessage, base: MessageIdBase = MessageIdBase.AS_IS) -> Receipt | None:
    """Read a receipt of an SMSC in Tehran."""
    return read_receipt(message, base, 210)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STANDARD, Receipt("12345", DELIVERED, "000", DONE)),
        (STANDARD.upper(), Receipt("12345", DELIVERED, "000", DONE)),
        (
            "id:7 stat:UNDELIV done date:261120101530 err:0A1",
            Receipt("7", DeliveryState.UNDELIVERABLE, "0A1", DONE + 30_000),
        ),
        (
            "id:7 done date:20261120101500 stat:EXPIRED",
            Receipt("7", DeliveryState.EXPIRED, "", DONE),
        ),
        ("stat:REJECTD id:7", Receipt("7", DeliveryState.REJECTED, "", None)),
        ("id:7", Receipt("7", UNKNOWN, "", None)),
        ("id: 7 stat: DELIVRD", Receipt("7", DELIVERED, "", None)),
        ("id:7 sub: dlvrd: stat:DELIVRD err: text:", Receipt("7", DELIVERED, "", None)),
        ("id:7 stat:2 err:5", Receipt("7", DELIVERED, "5", None)),
        ("id:7 stat:ACCEPTD", Receipt("7", DeliveryState.ACCEPTED, "", None)),
        ("id:7 stat:DELETED", Receipt("7", DeliveryState.DELETED, "", None)),
        ("id:7 stat:ENROUTE", Receipt("7", DeliveryState.ENROUTE, "", None)),
        ("id:7 stat:WHATEVR", Receipt("7", UNKNOWN, "", None)),
        ("id:7 done date:9999999999 stat:DELIVRD", Receipt("7", DELIVERED, "", None)),
        # what a person wrote says nothing about the message
        ("id:7 stat:DELIVRD text:id:9 stat:REJECTD", Receipt("7", DELIVERED, "", None)),
        ("id:7 stat:DELIVRD id:9", Receipt("7", DELIVERED, "", None)),
        ("id:" + "7" * 60_000 + " stat:DELIVRD", Receipt("7" * 64, DELIVERED, "", None)),
        ("", None),
        ("salam", None),
        ("id: sub:001 stat:DELIVRD", None),
    ],
)
def test_text_receipts(text: str, expected: Receipt | None) -> None:
    """Fields are found in any order and case, and any of them may be missing."""
    assert read(receipt(text)) == expected


def test_a_receipt_in_ucs2() -> None:
    """An SMSC that sends its receipts in UCS-2 is understood."""
    assert read(receipt(STANDARD, coding=8)) == Receipt("12345", DELIVERED, "000", DONE)


def test_a_receipt_in_message_payload() -> None:
    """The body may stand in message_payload."""
    tlvs = ((c.MESSAGE_PAYLOAD, STANDARD.encode()),)
    assert read(receipt(tlvs=tlvs)) == Receipt("12345", DELIVERED, "000", DONE)


@pytest.mark.parametrize(
    ("text", "tlvs", "expected"),
    [
        (
            "",
            ((c.RECEIPTED_MESSAGE_ID, b"8F3A\0"), (c.MESSAGE_STATE, b"\x02")),
            Receipt("8F3A", DELIVERED, "", None),
        ),
        (
            "",
            (
                (c.RECEIPTED_MESSAGE_ID, b"8F3A"),
                (c.MESSAGE_STATE, b"\x00\x05"),
                (c.NETWORK_ERROR_CODE, b"\x03\x00\x1b"),
            ),
            Receipt("8F3A", DeliveryState.UNDELIVERABLE, "27", None),
        ),
        # the id without the state, which the text has
        (
            "stat:EXPIRED",
            ((c.RECEIPTED_MESSAGE_ID, b"9\0"),),
            Receipt("9", DeliveryState.EXPIRED, "", None),
        ),
        # the TLVs are right where the two differ
        (
            "id:1 stat:EXPIRED",
            ((c.RECEIPTED_MESSAGE_ID, b"9\0"), (c.MESSAGE_STATE, b"\x02")),
            Receipt("9", DELIVERED, "", None),
        ),
        ("stat:DELIVRD", ((c.MESSAGE_STATE, b"\x02"),), None),
        (
            "",
            ((c.RECEIPTED_MESSAGE_ID, b"9\0"), (c.MESSAGE_STATE, b"\x63")),
            Receipt("9", UNKNOWN, "", None),
        ),
    ],
)
def test_tlv_receipts(text: str, tlvs: Tlvs, expected: Receipt | None) -> None:
    """Id, state and error are taken from TLVs, each with or without the others."""
    assert read(receipt(text, tlvs)) == expected


@pytest.mark.parametrize(
    ("base", "in_response", "in_receipt"),
    [
        (MessageIdBase.AS_IS, "00012AB", "00012AB"),
        (MessageIdBase.DECIMAL, "0000012345", "12345"),
        (MessageIdBase.DECIMAL, "12345", "0000012345"),
        (MessageIdBase.HEX, "3039", "12345"),
        (MessageIdBase.HEX, "00003039", "0012345"),
        (MessageIdBase.HEX, "8f3aB", "586667"),
        (MessageIdBase.HEX_BOTH, "8f3ab", "0008F3AB"),
        (MessageIdBase.RECEIPT_HEX, "12345", "3039"),
        (MessageIdBase.HEX, "6ba7b810-9dad", "6ba7b810-9dad"),  # a UUID stays what it is
    ],
)
def test_the_two_ids_of_a_message_are_equal(
    base: MessageIdBase, in_response: str, in_receipt: str
) -> None:
    """However the SMSC writes an id, a receipt finds its message."""
    response_id = normalise_id(in_response, base, from_receipt=False)
    found = read(receipt(f"id:{in_receipt} stat:DELIVRD"), base)
    assert found is not None
    assert found.smsc_id == response_id


def test_ids_as_they_are_keep_their_zeros() -> None:
    """Where ids are text, two that differ in zeros are two messages."""
    assert normalise_id("007", MessageIdBase.AS_IS, from_receipt=True) == "007"


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "expected"),
    [
        (0x00, (), False),
        (0x04, (), True),
        (0x20, (), True),
        (0x44, (), True),
        (0x40, (), False),
        (0x08, (), False),
        (0x10, (), False),
        (0x00, ((c.RECEIPTED_MESSAGE_ID, b"9\0"),), True),
    ],
)
def test_receipts_are_told_from_texts(esm_class: int, tlvs: Tlvs, *, expected: bool) -> None:
    """The receipt bits of esm_class, or the TLV, make a receipt; nothing else does."""
    message = ShortMessage(c.DELIVER_SM, esm_class=esm_class, tlvs=tlvs)
    assert is_receipt(message) is expected


@given(st.binary(max_size=254), st.integers(0, 255), st.sampled_from(MessageIdBase))
def test_any_octets_are_a_receipt_or_none(body: bytes, coding: int, base: MessageIdBase) -> None:
    """No body raises, and an id that is read can be stored."""
    message = ShortMessage(c.DELIVER_SM, esm_class=4, data_coding=coding, short_message=body)
    found = read(message, base)
    if found is not None:
        found.smsc_id.encode("utf-8")
        assert "\0" not in found.smsc_id
        assert found.smsc_id


@given(st.text(max_size=16))
def test_any_characters_are_a_date_or_none(digits: str) -> None:
    """No date raises, not even digits of another script."""
    found = read_date(digits)
    assert found is None or isinstance(found, int)
