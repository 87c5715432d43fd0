"""The bar code of a bill, read by a reader that others have written."""

from __future__ import annotations

import re
from collections.abc import Iterator

import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gateway.web.desk.bars import bars

BAR = re.compile(r"M(\d+) 0h(\d+)v\d+h-\d+z")


def _read(drawn: Markup) -> Iterator[tuple[str, str]]:
    """What a reader finds in a picture of it: the bars of its path, two pixels a module."""
    width = int(re.search(r'viewBox="0 0 (\d+)', drawn).group(1))  # type: ignore[union-attr]
    row = bytearray(b"\xff" * width * 2)
    path = drawn.split('fill="#000"')[1]
    for left, wide in BAR.findall(path):
        row[int(left) * 2 : (int(left) + int(wide)) * 2] = bytes(int(wide) * 2)
    picture = memoryview(bytes(row) * 40).cast("B", shape=[40, len(row)])
    for each in zxingcpp.read_barcodes(picture):
        yield each.text, str(each.format)


@settings(max_examples=50, deadline=None)
@given(st.text("0123456789", min_size=26, max_size=26))
@example("99000000000000000000000000")
def test_a_reader_reads_the_digits(digits: str) -> None:
    """Whatever they are: zeros on the left too, and 99, which is a sign of set C besides."""
    assert [text for text, _ in _read(bars(digits, "x"))] == [digits]


def test_it_is_code_128_and_harmless() -> None:
    """In set C: 13 pairs, start, check and stop; nothing in it that the page's rules forbid."""
    drawn = bars("20503276046130000001070189", 'رقم‌ها "<script>')
    ((_, symbology),) = _read(drawn)
    assert "128" in symbology
    assert f'viewBox="0 0 {(13 + 2) * 11 + 13 + 20} ' in drawn
    assert "<script" not in drawn
    assert "style=" not in drawn
