"""Alphabets of short messages, and cutting long texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import text
from gateway.smpp.text import Alphabet, TooLongError

_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
_MIXED = st.text(
    st.sampled_from("ab1€[{§آبی‌۱\U0001f4a7\U0001f6b0 ") | st.characters(codec="utf-8"),
    max_size=900,
)
_GSM_TEXT = st.text(st.sampled_from(_GSM), max_size=900)


@pytest.mark.parametrize(
    ("payload", "coding", "default", "expected"),
    [
        (b"010*1#", 0, Alphabet.GSM7, "010*1#"),
        (b"\x00\x5f\x1b\x65\x1b\x3c", 0, Alphabet.GSM7, "@§€["),
        (b"a\x1b", 0, Alphabet.GSM7, "a"),
        (b"\x1bQ", 0, Alphabet.GSM7, "Q"),  # an unknown extension shows its character
        (b"\x1b\x1ba", 0, Alphabet.GSM7, "a"),
        (b"a\xe9", 0, Alphabet.GSM7, "a\ufffd"),
        (b"caf\xe9", 0, Alphabet.LATIN1, "café"),
        ("آب".encode(), 0, Alphabet.UTF8, "آب"),
        (b"\xd8", 0, Alphabet.UTF8, "\ufffd"),
        ("آب".encode("utf-16-be"), 0, Alphabet.UCS2, "آب"),
        (b"a\xe9", 1, Alphabet.GSM7, "a\ufffd"),
        (b"caf\xe9", 3, Alphabet.GSM7, "café"),
        (b"\x01\x02", 2, Alphabet.GSM7, ""),
        (b"\x01\x02", 4, Alphabet.GSM7, ""),
        ("۰۱۰".encode("utf-16-be"), 8, Alphabet.GSM7, "۰۱۰"),
        ("\U0001f4a7".encode("utf-16-be"), 8, Alphabet.GSM7, "\U0001f4a7"),
        (b"\xd8\x00\x00a", 8, Alphabet.GSM7, "\ufffda"),  # lone high surrogate
        (b"\xdc\x00\x00a", 8, Alphabet.GSM7, "\ufffda"),  # lone low surrogate
        (b"\x00a\x06", 8, Alphabet.GSM7, "a\ufffd"),  # an octet is missing
        (b"\x00a\x00\x00\x00b", 8, Alphabet.GSM7, "ab"),  # a NUL inside
        (b"\xfe\xff\x00a", 8, Alphabet.GSM7, "a"),  # a byte order mark
        ("آب".encode("utf-16-be"), 0x48, Alphabet.GSM7, "آب"),  # USSD's UCS-2
        (b"*1#", 0x0F, Alphabet.GSM7, "*1#"),  # USSD's GSM-7
        (b"flash", 0x10, Alphabet.GSM7, "flash"),
        (b"flash", 0xF0, Alphabet.GSM7, "flash"),
        (b"\x01", 0xF5, Alphabet.GSM7, ""),
        ("آ".encode("utf-16-be"), 0xE0, Alphabet.GSM7, "آ"),
        ("д".encode("iso8859-5"), 6, Alphabet.GSM7, "д"),
    ],
)
def test_octets_become_text(payload: bytes, coding: int, default: Alphabet, expected: str) -> None:
    """Each data_coding in the field reads as what was typed."""
    assert text.decode(payload, coding, default) == expected


@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from(Alphabet))
def test_any_octets_become_text_that_can_be_stored(
    payload: bytes, coding: int, default: Alphabet
) -> None:
    """Whatever comes is text without NULs that can be written as UTF-8."""
    decoded = text.decode(payload, coding, default)
    assert "\0" not in decoded
    decoded.encode("utf-8")


@given(_GSM_TEXT)
def test_gsm_text_comes_back(message: str) -> None:
    """Everything in GSM 03.38 and its extension is sent as such and read again."""
    coding, octets = text.encode(message)
    assert coding == 0
    assert len(octets) == text.length(message)
    assert text.decode(octets, coding) == message


@pytest.mark.parametrize("outside", ["آب", "`", "\x1b", "ç", "a\U0001f4a7"])
def test_text_outside_gsm_goes_out_as_ucs2(outside: str) -> None:
    """One character that is not in the alphabet makes the whole text UCS-2."""
    coding, octets = text.encode(outside)
    assert (coding, text.decode(octets, coding)) == (8, outside)


@pytest.mark.parametrize(
    ("message", "default", "expected"),
    [
        ("café", Alphabet.LATIN1, (0, b"caf\xe9")),
        ("€", Alphabet.LATIN1, (8, b"\x20\xac")),
        ("è", Alphabet.UTF8, (0, b"\xc3\xa8")),
        ("آ", Alphabet.UTF8, (8, b"\x06\x22")),  # the air has no short alphabet for it
        ("abc", Alphabet.UCS2, (8, b"\0a\0b\0c")),
    ],
)
def test_the_default_alphabet_is_the_binds(
    message: str, default: Alphabet, expected: tuple[int, bytes]
) -> None:
    """data_coding 0 is written as this SMSC reads it."""
    assert text.encode(message, default) == expected


def test_a_lone_surrogate_does_not_break_sending() -> None:
    """Half a pair becomes a replacement character instead of an exception."""
    assert text.encode("a\ud800") == (8, b"\0a\xff\xfd")


def test_ucs2_can_be_asked_for() -> None:
    """A bind may be set to UCS-2 even where the default alphabet would do."""
    assert text.encode("ab", as_ucs2=True) == (8, b"\0a\0b")


@pytest.mark.parametrize(
    ("message", "bits", "sizes"),
    [
        ("", 8, [0]),
        ("a" * 160, 8, [160]),
        ("a" * 161, 8, [153, 8]),
        ("a" * 306, 8, [153, 153]),
        ("a" * 307, 16, [152, 152, 3]),
        ("€" * 80, 8, [80]),
        ("€" * 81, 8, [76, 5]),  # 153 septets hold 76 pairs
        ("آ" * 70, 8, [70]),
        ("آ" * 71, 8, [67, 4]),
        ("آ" * 71, 16, [66, 5]),
        ("\U0001f4a7" * 35, 8, [35]),
        ("\U0001f4a7" * 36, 8, [33, 3]),  # 67 units hold 33 pairs
        ("آ" + "\U0001f4a7" * 35, 8, [34, 2]),
    ],
)
def test_texts_are_cut_where_the_air_cuts_them(message: str, bits: int, sizes: list[int]) -> None:
    """The parts are as long as septets or UTF-16 units allow, and no longer."""
    assert [len(part) for part in text.split(message, reference_bits=bits)] == sizes


@given(_MIXED | _GSM_TEXT, st.sampled_from([8, 16]))
def test_cut_texts_join_again_and_fit(message: str, bits: int) -> None:
    """Joined parts are the text; every part fits and breaks no pair."""
    pieces = text.split(message, reference_bits=bits)
    assert "".join(pieces) == message
    short = text.is_short_alphabet(message)
    whole, part = (160, 153) if short else (70, 67)
    limit = whole if len(pieces) == 1 else part - (bits == 16)
    for piece in pieces:
        coding, octets = text.encode(piece, as_ucs2=not short)
        assert coding == (0 if short else 8)
        assert (len(octets) if short else len(octets) // 2) <= limit
        assert text.decode(octets, coding) == piece.removeprefix("\ufeff").replace("\0", "")


def test_no_text_has_more_than_255_parts() -> None:
    """A text that no header could number is refused before anything is sent."""
    assert len(text.split("آ" * 67 * 255)) == 255
    with pytest.raises(TooLongError):
        text.split("آ" * (67 * 255 + 1))


def _plainly(message: str, default: Alphabet, bits: int) -> list[str]:
    """Cut a text with nothing but care: each character is looked at."""
    message = message.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    short = text.encode(message, default)[0] == text.DEFAULT
    costs = [
        (2 if letter in "\f^{}\\[~]|€" else 1) if short else 1 + (letter > "\uffff")
        for letter in message
    ]
    single, part = (160, 153) if short else (70, 67)
    limit = single if sum(costs) <= single else part - (bits == 16)
    parts, used = [""], 0
    for letter, cost in zip(message, costs, strict=True):
        if used + cost > limit:
            parts.append("")
            used = 0
        parts[-1] += letter
        used += cost
    return parts


_ANY = st.text(st.sampled_from("ab€{آب۱\U0001f4a7\ud83d\udca7\x1b\0é\n"), max_size=330)
_LONG = st.builds(
    lambda start, letter, count, end: start + letter * count + end,
    _ANY.map(lambda some: some[:9]), st.sampled_from("a€آ\U0001f4a7\ud83d"),
    st.integers(50, 330), _ANY.map(lambda some: some[:9]),
)  # fmt: skip


@given(_ANY | _LONG | _MIXED | _GSM_TEXT, st.sampled_from([8, 16]), st.sampled_from(Alphabet))
def test_the_short_ways_cut_and_count_as_the_plain_one(
    message: str, bits: int, default: Alphabet
) -> None:
    """Surrogates whole, broken and alone; whatever the SMSC means by its default alphabet."""
    parts = _plainly(message, default, bits)
    assert text.split(message, default, reference_bits=bits) == parts
    for most in (1, 2, 3, len(parts)):
        fits = text.fits(message, most, default, reference_bits=bits)
        assert fits == (len(parts) <= most)
    short = text.encode(message, default)[0] == text.DEFAULT
    assert text.is_short_alphabet(message, default) == short
