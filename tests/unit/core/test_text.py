"""Persian text: comparing it, storing it, writing figures in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import ascii_digits, flat, fold, group, normalise, persian_digits, storable

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    "digits",
    [
        "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "0123456789", "۰١2۳٤5۶٧8۹", "０１２３４５６７８９",
        "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "𝟬𝟭𝟮𝟯𝟰𝟱𝟲𝟳𝟴𝟵",
    ],
)  # fmt: skip
def test_every_digit_family_is_read(digits: str) -> None:
    """A handset's choice of digits makes no difference."""
    assert ascii_digits(digits) == normalise(digits) == flat(digits) == "0123456789"


@pytest.mark.parametrize(
    "mark",
    ["\u200c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u061c", "\ufeff", "ـ"],
)
def test_unseen_marks_are_dropped(mark: str) -> None:
    """Direction marks and joiners that messaging apps insert do not split a number."""
    assert normalise(f"۱۲{mark}۳") == "123"
    assert fold(f"راه{mark}نما") == "راهنما"


@pytest.mark.parametrize(
    ("typed", "published"),
    [
        ("بدهي", "بدهی"),
        ("كنتور", "کنتور"),
        ("قرائة", "قرایه"),
        ("قرائت", "قرایت"),
        ("  HELP \n me ", "help me"),
        ("آب", "اب"),
        ("ادارۀ", "اداره"),
        ("لطفاً", "لطفا"),
    ],
)
def test_spellings_of_a_keyword_are_one(typed: str, published: str) -> None:
    """A keyword is known whichever keyboard wrote its letters."""
    assert fold(typed) == fold(published)


@pytest.mark.parametrize("rewritten", [ascii_digits, flat, normalise, persian_digits])
def test_a_letter_is_the_same_among_rare_ones(rewritten: Callable[[str], str]) -> None:
    """Texts of common letters alone are rewritten faster, and not otherwise."""
    rare = "\U0001f600"
    for letter in map(chr, range(0x3000)):
        assert rewritten(letter) + rare == rewritten(letter + rare), hex(ord(letter))


@given(ANY_TEXT)
def test_flat_keeps_every_place(text: str) -> None:
    """A place in the compared text is the same place in the original, where codes are masked."""
    assert len(flat(text)) == len(text)


@given(ANY_TEXT)
def test_stored_text_is_what_postgresql_takes(text: str) -> None:
    """No NUL and no lone surrogate is ever handed to the database; the rest is untouched."""
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert storable(stored) == stored
    if text.isprintable():
        assert stored == text


def test_surrogate_pairs_become_their_character() -> None:
    """An emoji that came as two UTF-16 halves is stored as the emoji."""
    assert storable("a\ud83d\ude00\ud800b\0") == "a😀\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "۰"), (999, "۹۹۹"), (1_250_000, "۱٬۲۵۰٬۰۰۰"), (-5_000, "-۵٬۰۰۰")],
)
def test_amounts_are_grouped(number: int, written: str) -> None:
    """Amounts are written as bills write them."""
    assert group(number) == written


def test_figures_are_written_in_persian() -> None:
    """Digits of any family in a reply come out Persian, and nothing else changes."""
    assert persian_digits("A1٢۳/") == "A۱۲۳/"
    assert persian_digits(40) == "۴۰"
