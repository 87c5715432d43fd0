"""A line's replies are cut so that they fit whichever of its binds takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.calls import DONE, Outcome
from core.operations import REGISTRY
from gateway.minds import MOST_PARTS, LineMind, mind_of
from gateway.profiles import load_profile
from gateway.replies import load_replies
from gateway.settings.binds import Bind
from gateway.settings.lines import Line
from gateway.smpp.text import Alphabet

PROFILE = load_profile(Path(__file__).parents[2] / "config" / "profiles" / "kerman-water", REGISTRY)
LONG = Outcome("opt_out", DONE, {"topic": ""})
"""What is answered in two parts."""


def bind(name: str, **more: Any) -> Bind:
    """A bind with some setting."""
    return Bind(name=name, host="127.0.0.1", system_id="peyk", **more)


def parts(*binds: Bind) -> list[str]:
    """A long answer, as a line with these binds sends it."""
    line = Line(number="100034122", profile="kerman-water", binds=tuple(one.name for one in binds))
    mind = mind_of(line, PROFILE, {one.name: one for one in binds})
    return list(mind.reply(LONG))


@pytest.mark.parametrize(
    ("binds", "longest"),
    [
        ((bind("a"),), 67),
        ((bind("a"), bind("b", long_messages="udh16")), 66),
        ((bind("a", long_messages="sar"),), 66),
        ((bind("a", long_messages="payload"), bind("b")), 66),
    ],
)
def test_parts_fit_the_narrowest_of_the_lines_binds(binds: tuple[Bind, ...], longest: int) -> None:
    """An answer may go out by any of them."""
    cut = parts(*binds)
    assert len(cut[0]) == longest
    assert "".join(cut) == PROFILE.render(LONG)


def test_an_smsc_that_cuts_messages_itself_gets_them_whole() -> None:
    """With message_payload there are no parts of ours."""
    assert parts(bind("a", long_messages="payload")) == [PROFILE.render(LONG)]


def test_binds_that_differ_in_their_alphabet_are_cut_for_the_wider_one() -> None:
    """A Latin text that one bind sends in septets, the other may have to send in UCS-2."""
    line = Line(number="100034122", profile="kerman-water", binds=("a", "b"))
    binds = {"a": bind("a"), "b": bind("b", always_ucs2=True)}
    assert mind_of(line, PROFILE, binds).alphabet is Alphabet.UCS2


LIST = {"rows", "start", "next"}
KNOWN = {"bills": {DONE: frozenset(LIST), "failed": frozenset[str]()}}


def listed(letter: str, *, bits: int = 8, whole: bool = False) -> list[str]:
    """A list whose rows are nine of a letter and a line end, as a line sends it."""
    tables = {
        "bills": {"done": "{% for row in rows %}{{ row.period }}\n{% endfor %}"},
        "common": {"failed": "x"},
    }
    columns = {"bills": frozenset({"period"})}
    replies = load_replies(Path("r.toml"), tables, KNOWN, KNOWN, {}, columns=columns)
    mind = LineMind(replace(PROFILE, replies=replies), Alphabet.GSM7, bits, whole)
    rows = tuple({"period": letter * 9} for _ in range(40))
    return list(mind.reply(Outcome("bills", DONE, {"rows": rows, "start": 1, "next": ""})))


@pytest.mark.parametrize(
    ("letter", "bits", "rows"),
    [("ب", 8, 13), ("ب", 16, 13), ("b", 8, 30), ("b", 16, 30)],
)
def test_a_list_fills_two_parts_of_whatever_it_is_written_in(
    letter: str, bits: int, rows: int
) -> None:
    """A part holds more than twice as much Latin as Persian."""
    parts = listed(letter, bits=bits)
    assert len(parts) == MOST_PARTS
    assert "".join(parts) == (letter * 9 + "\n") * rows


def test_an_smsc_that_cuts_messages_itself_gets_lists_no_longer() -> None:
    """It cuts them into parts all the same, and somebody pays for each."""
    assert listed("ب", whole=True) == ["".join(listed("ب"))]
