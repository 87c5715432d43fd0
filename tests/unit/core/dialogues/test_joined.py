"""What is new in an input of which the network tells all that was typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.dialogues.joined import turn_of, untangled
from core.dialogues.types import Event, Input
from tests.conftest import NOW_MS


def told(text: str, event: Event = Event.ANSWER, *, joined: bool = True) -> Input:
    """An input as it comes from an HTTP door."""
    return Input(
        id=1, received_at=NOW_MS, door="at", connection=1, network_id="ATUid_1", line="*1522#",
        mobile="989161234567", event=event, text=text, turn=turn_of(text), fingerprint=1,
        joined=joined,
    )  # fmt: skip


@given(st.lists(st.text("0123456789*#الف", max_size=6), min_size=1, max_size=6))
def test_each_answer_is_found_again_whatever_was_typed(typed: list[str]) -> None:
    """Also stars of the subscriber's own, and nothing at all."""
    before = turn_of("")
    for place, answer in enumerate(typed, 1):
        text = "*".join(typed[:place])
        if before != turn_of("") or place == 1:  # an empty first answer cannot be told from none
            assert untangled(told(text), before).text == answer
        before = turn_of(text)


def test_an_answer_in_no_known_session_is_a_dial_of_the_whole_path() -> None:
    """*1522*2*1# comes as ``2*1``, like an answer."""
    dialled = untangled(told("2*1"), None)
    assert (dialled.event, dialled.text) == (Event.BEGIN, "*1522*2*1#")


def test_an_answer_out_of_turn_is_its_last_piece() -> None:
    """It cannot be known what came between."""
    for before in (turn_of("1*1*10000001"), "answer 2", ""):
        assert untangled(told("2*7"), before).text == "7"


def test_a_turn_has_nothing_of_what_was_typed() -> None:
    """It is stored, and there may be a secret code in the text."""
    assert turn_of("1*10000001*4321") == "+15"


def test_other_inputs_stay_as_they_are() -> None:
    """Of networks that tell each input by itself, and the ends of sessions."""
    for one in (told("2*1", joined=False), told("", Event.ABORT), told("*1522#", Event.BEGIN)):
        assert untangled(one, turn_of("2")) == one
