"""Alphabets of short messages, and cutting a long text into parts.

GSM 03.38 is 3GPP TS 23.038, 6.2.1; a ``data_coding`` is SMPP 3.4, 5.2.19, and where that
leaves off, TS 23.038, 4 (message classes 0x10 to 0x1F and 0xF0 to 0xFF, USSD's 0x48).
Over SMPP an alphabet of septets travels one character to an octet, unpacked.
"""

from __future__ import annotations

import codecs
import re
from enum import Enum
from functools import lru_cache
from typing import Final


class Alphabet(Enum):
    """How octets become characters. The values are the words used in settings."""

    GSM7 = "gsm7"
    IA5 = "ia5"
    LATIN1 = "latin1"
    UTF8 = "utf8"
    UCS2 = "ucs2"
    CYRILLIC = "iso8859_5"
    HEBREW = "iso8859_8"
    BINARY = "binary"


DEFAULT: Final = 0x00
UCS2: Final = 0x08

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE: Final = 0x1B
_DECODING: Final = _BASIC + "\ufffd" * 128
_ENCODING: Final[dict[int, bytes]] = {
    ord(character): bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE
} | {ord(character): bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()}
_IN_GSM: Final = re.compile(f"[{re.escape(''.join(map(chr, _ENCODING)))}]*+").fullmatch
"""For those who only ask: it ends at the first letter of Persian."""
_ESCAPED: Final = re.compile("\x1b(.?)", re.DOTALL)
_EXTENDED: Final = re.compile(r"[\f^{}\\\[~\]|€]")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

_CODECS: Final = {
    Alphabet.IA5: "ascii",
    Alphabet.LATIN1: "latin-1",
    Alphabet.UTF8: "utf-8",
    Alphabet.UCS2: "utf-16-be",
    Alphabet.CYRILLIC: "iso8859-5",
    Alphabet.HEBREW: "iso8859-8",
}

SINGLE_SEPTETS: Final = 160
SINGLE_UNITS: Final = 70
MAX_PARTS: Final = 255


class TooLongError(ValueError):
    """A text that would need more than 255 parts."""


@lru_cache(maxsize=4096)
def alphabet_of(data_coding: int, default: Alphabet) -> Alphabet:
    """Return the alphabet a ``data_coding`` (0 to 255) names on a bind.

    ``default`` is what the SMSC means by 0. Unknown values are read as the default,
    which shows more of a text than refusing it would.
    """
    smpp = {
        0x01: Alphabet.IA5,
        0x02: Alphabet.BINARY,
        0x03: Alphabet.LATIN1,
        0x04: Alphabet.BINARY,
        0x06: Alphabet.CYRILLIC,
        0x07: Alphabet.HEBREW,
        0x08: Alphabet.UCS2,
    }
    group = data_coding >> 4
    if group == 0:
        return smpp.get(data_coding, default)
    if group == 0xF:  # noqa: PLR2004 - data coding/message class: bit 2 says 8-bit
        return Alphabet.BINARY if data_coding & 0x04 else default
    if group < 0x8:  # noqa: PLR2004 - general data coding: bits 2 and 3 name the alphabet
        return (default, Alphabet.BINARY, Alphabet.UCS2, default)[data_coding >> 2 & 0x03]
    return Alphabet.UCS2 if group == 0xE else default  # noqa: PLR2004 - message waiting


def decode(payload: bytes, data_coding: int, default: Alphabet = Alphabet.GSM7) -> str:
    """Return the text in ``payload``, which is user data without its header.

    Never fails: what is no character becomes U+FFFD, NULs and a byte order mark are
    dropped, and binary data is an empty text. The result can always be written as UTF-8.
    """
    if data_coding == UCS2:
        text = payload.decode("utf-16-be", "replace")
    else:
        alphabet = alphabet_of(data_coding, default)
        if alphabet is Alphabet.BINARY:
            return ""
        text = (
            _decode_gsm(payload)
            if alphabet is Alphabet.GSM7
            else payload.decode(_CODECS[alphabet], "replace")
        )
    if "\0" in text or text.startswith("\ufeff"):
        text = text.replace("\0", "").removeprefix("\ufeff")
    return text


def _decode_gsm(payload: bytes) -> str:
    text = codecs.charmap_decode(payload, "strict", _DECODING)[0]
    return _ESCAPED.sub(_unescape, text) if "\x1b" in text else text


def _unescape(match: re.Match[str]) -> str:
    # An unknown extension shows the basic character, as a handset does (23.038, 6.2.1.1).
    character = match[1]
    code = _BASIC.find(character) if character else -1
    return _EXTENSION.get(code, character if character != "\x1b" else "")


def encode_gsm(text: str) -> bytes | None:
    """Return ``text`` in GSM 03.38, an octet to a septet, or None if it does not fit."""
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError:
        return None


def encode_ucs2(text: str) -> bytes:
    """Return ``text`` as UTF-16BE; a lone surrogate becomes U+FFFD."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        return _whole(text).encode("utf-16-be")


def _whole(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def encode(
    text: str, default: Alphabet = Alphabet.GSM7, *, as_ucs2: bool = False
) -> tuple[int, bytes]:
    """Return ``(data_coding, octets)``: the default alphabet where it fits, else UCS-2.

    ``default`` is what the SMSC means by ``data_coding`` 0; UCS-2 there means that it is
    always said outright. Whatever the default is, a text must be in GSM 03.38 to go out
    in it: the air knows no other short alphabet, and an SMSC would put ``?`` for the rest.
    """
    if as_ucs2 or default is Alphabet.UCS2:
        return UCS2, encode_ucs2(text)
    septets = encode_gsm(text)
    if septets is None:
        return UCS2, encode_ucs2(text)
    if default is Alphabet.GSM7:
        return DEFAULT, septets
    try:
        return DEFAULT, text.encode(_CODECS[default])
    except (KeyError, UnicodeEncodeError):
        return UCS2, encode_ucs2(text)


def is_short_alphabet(text: str, default: Alphabet = Alphabet.GSM7) -> bool:
    """Say whether ``encode`` would use the default alphabet: 160 characters, not 70."""
    if _IN_GSM(text) is None or default is Alphabet.UCS2:
        return False
    return default is Alphabet.GSM7 or encode(text, default)[0] == DEFAULT


def length(text: str, default: Alphabet = Alphabet.GSM7) -> int:
    """Return the septets (an extension character is two) or UTF-16 units of ``text``."""
    pattern = _EXTENDED if is_short_alphabet(text, default) else _ASTRAL
    return len(text) + len(pattern.findall(text))


def split(text: str, default: Alphabet = Alphabet.GSM7, *, reference_bits: int = 8) -> list[str]:
    """Cut ``text`` into the fewest parts that each fit one short message.

    160 septets or 70 UTF-16 units when one part is enough, else 153 or 67 a part with an
    8-bit reference and 152 or 66 with a 16-bit one (23.040, 9.2.3.24.1). An escape pair
    and a surrogate pair always stay together. Joining the parts gives ``text`` back, but
    for lone surrogates, which become U+FFFD. Raises ``TooLongError`` over 255 parts.
    """
    text, used, single, part = _counted(text, default, reference_bits)
    if used <= single:
        return [text]
    # Most texts have nothing that counts twice, and need no looking for it.
    double = _EXTENDED if single == SINGLE_SEPTETS else _ASTRAL
    wide = set() if used == len(text) else {match.start() for match in double.finditer(text)}
    parts = _cut(text, part, wide)
    if len(parts) > MAX_PARTS:
        raise TooLongError(f"the text needs {len(parts)} parts; a message has at most 255")
    return parts


def fits(
    text: str, most: int, default: Alphabet = Alphabet.GSM7, *, reference_bits: int = 8
) -> bool:
    """Say whether ``split`` would cut ``text`` into at most ``most`` parts (1 to 255)."""
    text, used, single, part = _counted(text, default, reference_bits)
    if used <= single:
        return True
    if used > part * most or used == len(text):
        return used <= part * most
    # A pair that would be broken leaves a part unfilled: only cutting tells.
    return len(split(text, default, reference_bits=reference_bits)) <= most


def _counted(text: str, default: Alphabet, reference_bits: int) -> tuple[str, int, int, int]:
    """The text as it can be encoded, what it takes up, and what one message and a part hold."""
    shorter = 0 if reference_bits == 8 else 1  # noqa: PLR2004 - bits
    if is_short_alphabet(text, default):
        return text, len(text) + len(_EXTENDED.findall(text)), SINGLE_SEPTETS, 153 - shorter
    try:
        octets = text.encode("utf-16-be")
    except UnicodeEncodeError:
        text = _whole(text)
        octets = text.encode("utf-16-be")
    return text, len(octets) // 2, SINGLE_UNITS, 67 - shorter


def _cut(text: str, limit: int, wide: set[int]) -> list[str]:
    # The characters at ``wide`` count twice. Filling each part makes them fewest.
    if not wide:
        return [text[at : at + limit] for at in range(0, len(text), limit)]
    parts, start, used = [], 0, 0
    for at in range(len(text)):
        cost = 2 if at in wide else 1
        if used + cost > limit:
            parts.append(text[start:at])
            start, used = at, 0
        used += cost
    parts.append(text[start:])
    return parts


def part_units(reference_bits: int) -> int:
    """Return the UTF-16 units that a part of a long message holds."""
    return 67 if reference_bits == 8 else 66  # noqa: PLR2004 - bits
