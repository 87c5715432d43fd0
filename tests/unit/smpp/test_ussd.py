"""USSD dialects: what each of them looks like on the wire, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.messages import InboundSms, Receipt, Screen, ScreenKind, UssdEvent, UssdInput
from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.content import Reader
from gateway.smpp.dialects import PRESETS, FirstString, Sequence, SessionPlace, UssdDialect
from gateway.smpp.pdus import ShortMessage, Unencodable
from gateway.smpp.settings import BindSettings
from gateway.smpp.ussd import UssdWriter

MOBILE, CODE = "989161234567", "*1522#"
DEFAULT, SIXDEE, MICA = (PRESETS[name] for name in ("default", "sixdee", "mica"))
NAMELESS = UssdDialect(session=SessionPlace.MOBILE, end_op=0x11)


def settings(dialect: UssdDialect | None) -> BindSettings:
    """Return a bind's settings."""
    return BindSettings(name="mci", host="h", system_id="s", password="p", ussd=dialect)


def read(
    dialect: UssdDialect | None,
    op: bytes,
    *tlvs: tuple[int, bytes],
    words: bytes = b"",
    **fields: Any,
) -> InboundSms | Receipt | UssdInput | None:
    """Return what a bind makes of a deliver_sm with that op."""
    return Reader(settings(dialect)).read(
        ShortMessage(
            c.DELIVER_SM,
            source=MOBILE,
            short_message=words,
            tlvs=((c.USSD_SERVICE_OP, op), *tlvs),
            **{"destination": CODE, **fields},
        )
    )


def its(info: bytes) -> tuple[int, bytes]:
    """Return its_session_info."""
    return c.ITS_SESSION_INFO, info


def reference(info: bytes) -> tuple[int, bytes]:
    """Return user_message_reference."""
    return c.USER_MESSAGE_REFERENCE, info


def written(
    dialect: UssdDialect, kind: ScreenKind, session: str, text: str = "1", turn: str = ""
) -> ShortMessage:
    """Return the submit_sm of a screen, through its bytes."""
    screen = Screen(7, kind, session, MOBILE, CODE, text, turn)
    body = UssdWriter(settings(dialect), dialect).body(screen)
    pdu = codec.decode(codec.pack(c.SUBMIT_SM, 0, 1, body))
    assert isinstance(pdu, ShortMessage)
    assert pdu.destination == MOBILE
    return pdu


@pytest.mark.parametrize(
    ("dialect", "op", "tlvs", "expected"),
    [
        # 8 bits of session, 7 of sequence, the end bit
        (DEFAULT, b"\x01", [its(b"\x2a\x00")], (UssdEvent.BEGIN, "42", "1*2", "")),
        (DEFAULT, b"\x12", [its(b"\x2a\x06")], (UssdEvent.ANSWER, "42", "1*2", "3")),
        (DEFAULT, b"\x12", [its(b"\x2a\x07")], (UssdEvent.ABORT, "42", "", "3")),
        (DEFAULT, b"\x13", [its(b"\x2a\x01")], (UssdEvent.CONFIRM, "42", "", "")),
        # 15 bits of session, the end bit; 0x81 releases
        (SIXDEE, b"\x01", [its(b"\x2a\x00")], (UssdEvent.BEGIN, "5376", "1*2", "")),
        (SIXDEE, b"\x12", [its(b"\xff\xfe")], (UssdEvent.ANSWER, "32767", "1*2", "")),
        (SIXDEE, b"\x12", [its(b"\x2a\x01")], (UssdEvent.ABORT, "5376", "", "")),
        (SIXDEE, b"\x81", [its(b"\x2a\x00")], (UssdEvent.ABORT, "5376", "", "")),
        # 16 bits in another TLV, which SMSCs also shorten to an octet
        (MICA, b"\x01", [reference(b"\x2a\x01")], (UssdEvent.BEGIN, "10753", "1*2", "")),
        (MICA, b"\x12", [reference(b"\x07")], (UssdEvent.ANSWER, "7", "1*2", "")),
        (NAMELESS, b"\x12", [], (UssdEvent.ANSWER, MOBILE, "1*2", "")),
        # an op in two octets is one all the same
        (MICA, b"\x00\x12", [reference(b"\x00\x07")], (UssdEvent.ANSWER, "7", "1*2", "")),
        (
            replace(DEFAULT, timeout_ops=(0x83,), counts_inputs=False),
            b"\x83",
            [its(b"\x2a\x06")],
            (UssdEvent.TIMEOUT, "42", "", ""),
        ),
    ],
)
def test_each_dialect_is_read(
    dialect: UssdDialect,
    op: bytes,
    tlvs: list[tuple[int, bytes]],
    expected: tuple[UssdEvent, str, str, str],
) -> None:
    """Event, session, text and turn stand where the dialect says."""
    event, session, typed, turn = expected
    found = read(dialect, op, *tlvs, words=b"1*2")
    assert found == UssdInput(event, session, MOBILE, CODE, typed, turn)


def test_what_was_dialled_is_found_in_either_place() -> None:
    """The text holds it, or the address does: where the text is empty, or by setting."""
    by_address = replace(DEFAULT, first_string=FirstString.DESTINATION)
    mark = its(b"\x01\x00")

    def dialled(dialect: UssdDialect, words: bytes, to: str) -> tuple[str, str]:
        found = read(dialect, b"\x01", mark, words=words, destination=to)
        assert isinstance(found, UssdInput)
        return found.code, found.text

    assert dialled(DEFAULT, b"*1522*2*1#", "1522") == ("1522", "*1522*2*1#")
    assert dialled(DEFAULT, b"", "*1522*2*1#") == ("", "*1522*2*1#")
    assert dialled(by_address, b"menu", "*1522*2*1#") == ("", "*1522*2*1#")
    assert dialled(DEFAULT, b"*1522#\r", "1522") == ("1522", "*1522#")  # padding of septets


def test_persian_digits_and_ussd_codings_are_read() -> None:
    """UCS-2 by data_coding 8 or 0x48, GSM-7 by 0 or 0x0F."""
    for coding, words, typed in (
        (0x08, "۱۲".encode("utf-16-be"), "۱۲"),
        (0x48, "۱۲".encode("utf-16-be"), "۱۲"),
        (0x0F, b"12", "12"),
    ):
        found = read(MICA, b"\x12", reference(b"\x00\x01"), words=words, data_coding=coding)
        assert isinstance(found, UssdInput)
        assert found.text == typed


@pytest.mark.parametrize(
    ("op", "tlvs"),
    [
        (b"", [its(b"\x01\x00")]),
        (b"\x01\x02\x03\x04\x05", [its(b"\x01\x00")]),
        (b"\x77", [its(b"\x01\x00")]),
        (b"\x01", []),
        (b"\x01", [its(b"\x01")]),
        (b"\x01", [its(b"\x01\x02\x03")]),
        (b"\x01", [reference(b"\x01\x02")]),
    ],
)
def test_broken_tlvs_are_nothing(op: bytes, tlvs: list[tuple[int, bytes]]) -> None:
    """An op or a session that the dialect does not know is no input, and no error."""
    assert read(DEFAULT, op, *tlvs, words=b"1") is None
    too_long = read(MICA, b"\x01", reference(b"\x00\x01\x00\x00"))
    assert too_long is None


def test_a_bind_without_ussd_reads_texts_as_before() -> None:
    """The op alone makes no session; nor does it in a receipt."""
    assert isinstance(read(None, b"\x01", its(b"\x01\x00"), words=b"010"), InboundSms)
    receipt = read(DEFAULT, b"\x01", words=b"id:1 stat:DELIVRD", esm_class=c.ESM_RECEIPT)
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize(
    ("dialect", "kind", "session", "op", "mark"),
    [
        (DEFAULT, ScreenKind.ASK, "42", 2, its(b"\x2a\x06")),
        (DEFAULT, ScreenKind.LAST, "42", 2, its(b"\x2a\x07")),
        (DEFAULT, ScreenKind.NOTIFY, "298", 3, its(b"\x2a\x07")),
        (SIXDEE, ScreenKind.ASK, "5376", 2, its(b"\x2a\x00")),
        (SIXDEE, ScreenKind.LAST, "5376", 0x11, its(b"\x2a\x01")),
        (SIXDEE, ScreenKind.OPEN, "32769", 2, its(b"\x00\x02")),
        (replace(SIXDEE, end_op=0x17), ScreenKind.LAST, "1", 0x17, its(b"\x00\x03")),
        (MICA, ScreenKind.ASK, "10753", 2, reference(b"\x2a\x01")),
        (MICA, ScreenKind.LAST, "10753", 0x11, reference(b"\x2a\x01")),
        (MICA, ScreenKind.NOTIFY, "65543", 3, reference(b"\x00\x07")),
        (NAMELESS, ScreenKind.LAST, MOBILE, 0x11, None),
    ],
)
def test_each_dialect_is_written(
    dialect: UssdDialect,
    kind: ScreenKind,
    session: str,
    op: int,
    mark: tuple[int, bytes] | None,
) -> None:
    """The op says whether it asks, ends or begins; so does the end bit where there is one."""
    pdu = written(dialect, kind, session, turn="3")
    assert pdu.tlvs == ((c.USSD_SERVICE_OP, bytes([op])), *([mark] if mark else []))
    assert (pdu.source, pdu.short_message, pdu.data_coding) == (CODE, b"1", 0)


def test_codings_addresses_and_sequence_are_settings() -> None:
    """What SMSCs ask for besides: their data_coding, service_type, a bare code, a sequence."""
    odd = replace(
        DEFAULT,
        gsm7_coding=0x0F,
        ucs2_coding=0x48,
        service_type="USSD",
        bare_code=True,
        sequence=Sequence.NEXT,
    )
    latin = written(odd, ScreenKind.ASK, "1", "debt", turn="127")
    assert (latin.data_coding, latin.service_type, latin.source) == (0x0F, "USSD", "1522")
    assert latin.tlvs[1] == its(b"\x01\x02")
    persian = written(odd, ScreenKind.ASK, "1", "بدهی\n" * 16)
    assert (persian.data_coding, len(persian.short_message)) == (0x48, 160)
    closed = written(SIXDEE, ScreenKind.LAST, "1", "")
    assert closed.short_message == b""


@pytest.mark.parametrize(
    ("session", "text"), [("32768", "1"), ("", "1"), ("s-1", "1"), ("1", "ب" * 128)]
)
def test_what_does_not_fit_is_not_written(session: str, text: str) -> None:
    """A session the dialect has no room for, or a text over 254 octets."""
    with pytest.raises(Unencodable):
        written(SIXDEE, ScreenKind.ASK, session, text)
