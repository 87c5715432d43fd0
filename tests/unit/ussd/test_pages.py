"""Screens fit what a handset shows, whatever they say, and nothing of them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.listing import units
from gateway.ussd.pages import RIGHT_TO_LEFT, Content, PageSize, pages_of

MORE = "۹ ادامه"
WORD = st.text("آبپتسرشناسهقبض۰۱۲۳٬‌aZ7^€😀", min_size=1, max_size=30).filter(str.strip)
LINE = st.lists(WORD, min_size=1, max_size=12).map(" ".join)
BODY = st.lists(LINE, max_size=8).map("\n".join)
OPTIONS = st.lists(LINE, max_size=10).map(
    lambda lines: tuple(f"{place} {line}" for place, line in enumerate(lines, 1))
)
SIZE = st.builds(
    PageSize,
    units=st.integers(30, 160),
    septets=st.integers(60, 182),
    always_ucs2=st.booleans(),
    marks=st.booleans(),
)


@settings(max_examples=80)
@given(body=BODY, options=OPTIONS, size=SIZE)
def test_every_page_fits_and_all_of_the_text_is_on_one(
    body: str, options: tuple[str, ...], size: PageSize
) -> None:
    """However long its words are; only the blanks at which it is broken are gone."""
    pages = pages_of(Content(body, options, ("۰ بازگشت",)), MORE, size)
    shown = ""
    for place, page in enumerate(pages):
        plain = page.replace(RIGHT_TO_LEFT, "")
        assert size.fits(plain)
        is_last = place + 1 == len(pages)
        assert is_last or plain.endswith(f"\n{MORE}")
        shown += plain if is_last else plain.removesuffix(MORE)
    last = "".join(shown.split())
    assert last.removesuffix("۰بازگشت") == "".join(f"{body} {' '.join(options)}".split())


@settings(max_examples=40)
@given(count=st.integers(1, 12), title=LINE, size=SIZE)
def test_an_option_that_fits_a_line_is_never_split(count: int, title: str, size: PageSize) -> None:
    """Its digit and its words stand in one line of one page."""
    options = tuple(f"{place} گزینه کوتاه" for place in range(1, count + 1))
    lines = [
        line.replace(RIGHT_TO_LEFT, "")
        for page in pages_of(Content(title, options), MORE, size)
        for line in page.split("\n")
    ]
    assert [line for line in lines if line in options] == list(options)


@pytest.mark.parametrize(
    ("letter", "most"), [("ب", 80), ("b", 182), ("€", 91), ("b" * 20 + "ب", 80)]
)
def test_a_page_holds_what_its_alphabet_allows(letter: str, most: int) -> None:
    """DOMAIN section 7: 80 units of UCS-2, 182 of GSM-7; one Persian letter makes it UCS-2."""
    text = (letter * 200)[:most]
    assert PageSize().fits(text)
    assert not PageSize().fits(text + letter)


def test_a_hint_takes_no_page_of_its_own() -> None:
    """It is left out where it has no room; what has to be chosen from is not."""
    text = "ب " * 39 + "ب"
    assert units(text) == 79
    assert pages_of(Content(text, (), ("۰ بازگشت",)), MORE, PageSize()) == (text,)
    assert len(pages_of(Content(text, ("۱ پیامک",)), MORE, PageSize())) == 2


def test_marks_stand_only_where_they_are_wanted() -> None:
    """And they count."""
    content = Content("سلام\nhello", ("۱ بله",))
    assert RIGHT_TO_LEFT not in pages_of(content, MORE, PageSize())[0]
    marked = pages_of(content, MORE, PageSize(marks=True))[0]
    assert marked.split("\n") == [f"{RIGHT_TO_LEFT}سلام", "hello", f"{RIGHT_TO_LEFT}۱ بله"]
    assert len(pages_of(Content("ب" * 80), MORE, PageSize(marks=True))) == 2
