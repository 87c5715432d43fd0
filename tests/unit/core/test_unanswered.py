"""What is stored of a message that nobody is answered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.batch import _unanswered
from core.calls import Misreading, Problem, Understanding
from core.inbox import UNANSWERABLE, Arrival

LINE = "100034122"
TEXT = "۰۱۰*10000001*4321 سلام"


def _arrival(line: str, mobile: str) -> Arrival:
    return Arrival(1, 5, "mci", 1, line, "", mobile, TEXT, 7, None, None)


@pytest.mark.parametrize(
    ("line", "mobile", "kept"),
    [
        (LINE, "BANK", "as the profile masks it"),
        ("98100034122", "989131234567", "*" * 17 + " سلام"),
    ],
)
def test_a_code_in_it_is_hidden(line: str, mobile: str, kept: str) -> None:
    """By the line's own profile, and where no line is known every digit is."""
    problem = Problem(Misreading.UNKNOWN_CODE, {})
    seen = Understanding((), problem, "as the profile masks it")
    desk = SimpleNamespace(minds={LINE: SimpleNamespace(understand=lambda _text: seen)})

    stored = _unanswered(cast("Any", desk), _arrival(line, mobile))

    assert (stored.state, stored.text) == (UNANSWERABLE, kept)
