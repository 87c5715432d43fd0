"""Persian text as people type it, made comparable, storable and presentable.

Source: DOMAIN section 3 (digit families, Arabic letters, invisible marks). Everything here
is a table made once, because it stands in the path of each message.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from codecs import charmap_build, charmap_decode, charmap_encode
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

_BEYOND_ASCII: Final = "".join(map(chr, range(0x0660, 0x20000)))
_DIGITS: Final = {
    ord(sign): 0x30 + unicodedata.decimal(sign) for sign in re.findall(r"\d", _BEYOND_ASCII)
}
"""Persian, Arabic-Indic, full-width and every other family: who types a code in any of them
means it, and what is not read as digits would not be masked either."""

MARK: Final = "\u200c"
"""What ``flat`` puts in the place of each mark that nobody sees."""

_UNSEEN: Final = (
    0x200C, 0x200D, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065),
    *range(0x2066, 0x206A), 0x061C, 0xFEFF, 0x00AD, 0x0640, 0xFE0E, 0xFE0F, 0x20E3,
)  # fmt: skip
_VOWELS: Final = (*range(0x064B, 0x0660), 0x0670)

_LETTERS: Final = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک"}
_FOLDED: Final = _LETTERS | {
    ord("ئ"): "ی", ord("ة"): "ه", ord("ۀ"): "ه", ord("ۂ"): "ه", ord("ؤ"): "و",
    ord("أ"): "ا", ord("إ"): "ا", ord("آ"): "ا", ord("ٱ"): "ا",
    ord("؟"): "?",
}  # fmt: skip

SAME: Final = MappingProxyType(
    {chr(sign): letter for sign, letter in _FOLDED.items() if letter.isalpha()}
)
"""Letters that are written in several ways: each with the one that ``flat`` has for it."""

_TO_ASCII: Final = _DIGITS
_NORMAL: Final = _DIGITS | _LETTERS | dict.fromkeys(_UNSEEN)
_FLAT: Final = _DIGITS | _FOLDED | dict.fromkeys((*_UNSEEN, *_VOWELS, ord("ء")), MARK)
_TO_PERSIAN: Final = {sign: 0x06F0 + int(chr(sign)) for sign in (*b"0123456789", *_DIGITS)}

_ASCII: Final = "".join(map(chr, range(0x80)))
_COMMON: Final = _ASCII + "".join(
    map(chr, (*range(0x0621, 0x063B), *range(0x0640, 0x066D), *range(0x06F0, 0x06FA)))
) + "پچژکگیۀۂٱ؟،؛«»…–—\xa0\u200b\u200c\u200d\u200e\u200f\ufeff"  # fmt: skip
"""What nearly all texts are written with: 256 characters at most, an octet for each."""
_OCTETS: Final = charmap_build(_COMMON.ljust(0x100, "\ufffe"))


def _rewriting(table: Mapping[int, int | str | None]) -> Callable[[str], str]:
    """What ``str.translate`` does by a table, in a fraction of the time for common characters."""
    becomes = "".join(sign.translate(table) or "\ufffe" for sign in _COMMON)

    def rewrite(text: str) -> str:
        try:
            octets = charmap_encode(text, "strict", _OCTETS)[0]
        except UnicodeEncodeError:
            return text.translate(table)
        # What has become U+FFFE is left out.
        return charmap_decode(octets, "ignore", becomes)[0]

    return rewrite


_to_ascii: Final = _rewriting(_TO_ASCII)
_normal: Final = _rewriting(_NORMAL)
_flat: Final = _rewriting(_FLAT)
_to_persian: Final = _rewriting(_TO_PERSIAN)
_PERSIAN: Final = _ASCII.translate(_TO_PERSIAN)
_GROUPED: Final = _PERSIAN.replace(",", "٬")
_HARMFUL: Final = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]")


def ascii_digits(text: str) -> str:
    """``text`` with Persian, Arabic-Indic and all other digits as ASCII ones, one for one."""
    return text if text.isascii() else _to_ascii(text)


def normalise(text: str) -> str:
    """``text`` with ASCII digits and Persian ی and ک, and without the marks nobody sees."""
    return text if text.isascii() else _normal(text)


def flat(text: str) -> str:
    """``text`` for comparing: of the same length, so that a place in one is one in the other.

    As ``normalise``, and letters that are written in several ways are one (آ and أ as ا, ة
    and ۀ as ه, ئ as ی, ؤ as و); an unseen mark, a vowel sign or a lone hamza becomes ``MARK``.
    """
    return text if text.isascii() else _flat(text)


def fold(text: str) -> str:
    """``text`` as a keyword is compared: ``flat``, unmarked, lower case, single spaces."""
    return " ".join(flat(text).replace(MARK, "").lower().split())


def without_digits(text: str) -> str:
    """``text`` with every digit, of whatever script, hidden: none of it can be a secret code."""
    return "".join("*" if sign.isdigit() else sign for sign in text)


def persian_digits(text: str | int) -> str:
    """``text`` with its digits, of whatever family, as Persian ones."""
    text = str(text)
    if text.isascii():
        return charmap_decode(text.encode(), "strict", _PERSIAN)[0]
    return _to_persian(text)


def group(number: int) -> str:
    """A whole number in Persian digits with the Persian thousands separator: ``۱٬۲۵۰٬۰۰۰``."""
    return charmap_decode(f"{number:,}".encode(), "strict", _GROUPED)[0]


def harmless(text: str) -> str:
    """``text`` without marks that turn round what is beside it, and without control signs."""
    return _HARMFUL.sub("\ufffd", text)


def is_seen(text: str) -> bool:
    """Whether there is anything in a text but spaces, unseen marks and control signs."""
    return any(sign.isprintable() and not sign.isspace() for sign in normalise(text))


def storable(text: str) -> str:
    """``text`` as PostgreSQL can store it: NUL and lone surrogates become U+FFFD.

    Two surrogates that make a pair become the character that they stand for.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """A hint naming the nearest of ``known``, all of them when none is near, ``""`` for none."""
    names = sorted(map(str, known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known here: " + ", ".join(names) if names else ""
