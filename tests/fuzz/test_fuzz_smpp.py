"""The short form of the fuzzing, for the suite."""

from __future__ import annotations

from tests.fuzz.fuzz_smpp import run


def test_nothing_escapes_the_codec_and_the_session() -> None:
    """A few seconds of random, cut and mutated PDUs; the same ones every time."""
    assert run(3.0, seed=34) > 0
