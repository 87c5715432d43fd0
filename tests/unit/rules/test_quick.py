"""Keywords and their figures, read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rules.quick import at_once

if TYPE_CHECKING:
    from gateway.profiles import Profile

LIKELY = st.text("019۰۱۹4+* \u200cb?قض", max_size=30)


@st.composite
def named(draw: st.DrawFn, keywords: list[str]) -> str:
    """A keyword, or what resembles one, with figures after or around it."""
    known = st.sampled_from(keywords)
    words = draw(st.one_of(known, known, st.tuples(known, known).map(" ".join), LIKELY))
    words = draw(st.sampled_from([words, words, words.upper(), words.replace(" ", "\u200c ")]))
    run = st.one_of(
        st.sampled_from(["10000001", "4321", "1403", "010", "9", "110", "1000000012", "03"]),
        st.text("019۰۱۹4", min_size=1, max_size=13),
    )
    gaps = st.text("+* ،\n؛", min_size=1, max_size=2)
    after = "".join(draw(gaps) + draw(run) for _ in range(draw(st.integers(0, 5))))
    before = draw(st.sampled_from(["", "", "*", "سلام ", "لطفا من ", "010 ", "10000001+"]))
    return before + words + after + draw(st.sampled_from(["", "", " ", "#", " ممنون", "\u200c"]))


@settings(max_examples=250)
@given(data=st.data())
def test_the_quick_way_reads_keywords_as_the_thorough_one(
    kerman: Profile, data: st.DataObject
) -> None:
    """What is read at once would have been read the same with all the care there is."""
    keywords = sorted({word for each in kerman.grammar.patterns for word in each.keywords})
    text = data.draw(named([*keywords, "سلام", "شماره", "cost en", "با سلام"]))
    quick = at_once(kerman.grammar, text)
    if quick is not None:
        # A mark that no quick reading takes sends the same text the other way.
        thorough = kerman.understand(text + "؛")
        assert quick._replace(masked=quick.masked + "؛", candidates=()) == thorough._replace(
            candidates=()
        )
        assert [(each.call, each.masked + "؛") for each in quick.candidates] == [
            tuple(each) for each in thorough.candidates
        ]


@st.composite
def telling(draw: st.DrawFn, keywords: list[str]) -> str:
    """A keyword with a subscriber's figures, and words after them."""
    gap = st.sampled_from([" ", " ", "+", "\n", " ؛ ", "\u200c"])
    usual = st.sampled_from([" 10000001 4321", "+۴۳۲۱*۱۰۰۰۰۰۰۱", " 10000001"])
    run = st.sampled_from(["10000001", "4321", "010", "9", "12345678"])
    figures = draw(
        st.one_of(
            usual,
            usual,
            st.builds(
                "".join, st.lists(st.builds("{}{}".format, gap, run), min_size=1, max_size=3)
            ),
        )
    )
    known = st.sampled_from(["کنتور", "خراب", "قبض", "کد", "رمز", "meter", "م\u200cک", "سلام"])
    odd = st.one_of(
        st.sampled_from([*keywords, "۱۲", "4321"]), st.text("کم09۴ \n؛/,\u200c", max_size=6)
    )
    told = (
        " "
        + draw(known)
        + "".join(
            draw(gap) + draw(st.one_of(known, known, odd)) for _ in range(draw(st.integers(0, 4)))
        )
    )
    before = draw(st.sampled_from(["", "", "", "*", "سلام "]))
    return before + draw(st.sampled_from(keywords)) + figures + told


@settings(max_examples=250)
@given(data=st.data())
def test_the_quick_way_reads_what_is_told_as_the_thorough_one(
    kerman: Profile, data: st.DataObject
) -> None:
    """Words of a subscriber's own after the figures, with or without figures in them."""
    patterns = kerman.grammar.patterns
    text = data.draw(
        telling([word for each in patterns if each.takes_text for word in each.keywords])
    )
    quick = at_once(kerman.grammar, text)
    if quick is not None:
        # A mark in front that no quick reading takes sends the same text the other way.
        thorough = kerman.understand("؛" + text)
        assert "؛" + quick.masked == thorough.masked
        assert quick.problem == thorough.problem
        assert quick.language == thorough.language
        assert [(each.call, "؛" + each.masked) for each in quick.candidates] == [
            tuple(each) for each in thorough.candidates
        ]


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("آخرین قبض ۱۰۰۰۰۰۰۱ ۴۳۲۱", "last_bill"),
        ("آخرین\u200cقبض+4321+10000001", "last_bill"),
        ("Last Bill 10000001 4321", "last_bill"),
        ("پرداخت بدهی ۱۰۰۰۰۰۰۱ ۴۳۲۱", "pay"),
        ("آزمايش كنتور 10000001 4321", "register_request"),
        ("راهنما", "help"),
        ("سلام لطفا آخرین قبض 10000001 4321", "last_bill"),
        ("کد رهگیری ۱۰۰۰۰۰۸۵", "track_request"),
        ("تعویض کنتور ۱۰۰۰۰۰۰۱ ۴۳۲۱ کنتور از فروردین کار نمی\u200cکند", "register_request"),
        ("اصلاح قبض 10000001+4321\nمبلغ قبض درست نیست؛ چرا؟", "register_request"),
    ],
)
def test_a_keyword_with_its_fields_is_read_at_once(
    kerman: Profile, text: str, operation: str
) -> None:
    """The longest keyword counts, however its letters are written."""
    quick = at_once(kerman.grammar, text)
    assert quick is not None
    assert [each.call.operation for each in quick.candidates] == [operation]


@pytest.mark.parametrize(
    "text",
    [
        "سلام خوبید آخرین قبض 10000001 4321",  # more words than the keyword
        "سلام 10000001 4321",
        "آخرین قبض 10000001 4321 ممنون",
        "آخرین قبض 010 10000001 4321",  # another command's code
        "اصلاح قبض 10000001 4321",  # words have to follow
        "آخرین قبض 10000001 43",  # no field has two digits
        "last bill 1403 ؟",
        "اصلاح قبض 10000001 4321 از ۴۳۲۱ تا ۵۰۰۰",  # a figure that may be a code
        "اصلاح 10000001 4321 قبض درست نیست",  # a keyword in two pieces
    ],
)
def test_what_may_mean_more_is_not_read_at_once(kerman: Profile, text: str) -> None:
    """It takes the thorough way."""
    assert at_once(kerman.grammar, text) is None
