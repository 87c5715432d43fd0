"""User data headers and SAR parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages import PartOf
from gateway.smpp import constants as c
from gateway.smpp import parts


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x05\x00\x03\x2a\x02\x01hi", (PartOf(42, 2, 1), b"hi")),
        (b"\x06\x08\x04\x12\x34\x03\x02hi", (PartOf(0x1234, 3, 2), b"hi")),
        # a port element before the concatenation
        (b"\x0b\x05\x04\x15\x81\x00\x00\x00\x03\x2a\x02\x01hi", (PartOf(42, 2, 1), b"hi")),
        (b"\x06\x05\x04\x15\x81\x00\x00hi", (None, b"hi")),  # ports alone
        (b"\x05\x00\x03\x2a\x01\x01hi", (None, b"hi")),  # the only part
        (b"\x05\x00\x03\x2a\x02\x03hi", (None, b"hi")),  # part 3 of 2
        (b"\x05\x00\x03\x2a\x02\x00hi", (None, b"hi")),  # part 0
        (b"\x05\x00\x09\x2a\x02\x01hi", (None, b"hi")),  # an element longer than the header
        (b"\x00hi", (None, b"hi")),
        (b"\x50hi", (None, b"\x50hi")),  # a header longer than the data is none
        (b"", (None, b"")),
    ],
)
def test_headers_are_read(data: bytes, expected: tuple[PartOf | None, bytes]) -> None:
    """A part is found among other elements; nonsense leaves the text whole."""
    assert parts.read_header(data) == expected


@given(st.binary(max_size=40))
def test_any_octets_are_a_header_or_none(data: bytes) -> None:
    """No octets raise, and the text is always the tail of the data."""
    assert data.endswith(parts.read_header(data)[1])


@given(
    st.builds(PartOf, st.integers(0, 0xFFFF), st.integers(2, 255), st.just(1)),
    st.sampled_from([8, 16]),
)
def test_headers_come_back(part: PartOf, bits: int) -> None:
    """A header that we make says what we meant, its reference cut to the header's bits."""
    made = parts.header(part, bits)
    expected = part._replace(reference=part.reference & ((1 << bits) - 1))
    assert parts.read_header(made + b"x") == (expected, b"x")
    assert parts.read_sar(parts.sar(part)) == part


def test_sar_needs_all_three() -> None:
    """A lone reference number is not a part."""
    assert parts.read_sar(((c.SAR_MSG_REF_NUM, b"\0\1"), (c.SAR_TOTAL_SEGMENTS, b"\2"))) is None
