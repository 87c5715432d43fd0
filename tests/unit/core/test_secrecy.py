"""Codes are kept as hashes that tell nothing without the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.secrecy import Keys

UTILITY, NUMBER, CODE = "kerman-water", "10000001", "4321"


def test_the_right_code_matches_and_no_other(keys: Keys) -> None:
    """The check of a subscriber's code."""
    stored = keys.code_hash(UTILITY, NUMBER, CODE)
    assert keys.code_matches(stored, UTILITY, NUMBER, CODE)
    assert not keys.code_matches(stored, UTILITY, NUMBER, "4322")
    assert not keys.code_matches(stored, UTILITY, NUMBER, "")


@pytest.mark.parametrize("code", ["", "4321", "-" * 32])
def test_a_subscription_without_a_code_matches_nothing(keys: Keys, code: str) -> None:
    """Where none was issued, none is right, not even what stands in for it."""
    assert not keys.code_matches(None, UTILITY, NUMBER, code)


def test_equal_codes_have_different_hashes(keys: Keys) -> None:
    """Who reads the table cannot tell which subscribers share a code."""
    hashes = {
        keys.code_hash(UTILITY, NUMBER, CODE),
        keys.code_hash(UTILITY, "10000002", CODE),
        keys.code_hash("qom-power", NUMBER, CODE),
        keys.code_hash(UTILITY, "1000000", "14321"),
        Keys(b"k" * 32).code_hash(UTILITY, NUMBER, CODE),
    }
    assert len(hashes) == 5


def test_hashes_stay_what_they_are() -> None:
    """A change of the computation would lock every subscriber out: it needs a migration."""
    keys = Keys(bytes(range(32)))
    assert keys.code_hash(UTILITY, NUMBER, CODE) == "814f6d7ccca380c9a3cbf4fc4254c73f"
    assert keys.fingerprint(b"a", b"bc") == 4339788675780425645


def test_a_short_key_is_refused() -> None:
    """With its length, and without its bytes."""
    with pytest.raises(ValueError, match=r"has 31 bytes; it needs at least 32") as caught:
        Keys(b"s" * 31)
    assert "sss" not in str(caught.value)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_fingerprints_see_where_a_field_ends(one: list[bytes], other: list[bytes]) -> None:
    """Bytes that move from one field to the next make another arrival; all fit 63 bits."""
    keys = Keys(bytes(range(32)))
    first, second = keys.fingerprint(*one), keys.fingerprint(*other)
    assert (first == second) == (one == other)
    assert 0 <= first < 1 << 63
