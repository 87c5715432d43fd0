"""Sessions of a network that tells all that was typed so far, on both databases."""

from __future__ import annotations

from typing import Any

from core.dialogues.joined import turn_of
from core.dialogues.types import Event
from tests.talkers import CODE, MENU, NUMBER, SECRET
from tests.unit.core.dialogues.conftest import screens


def typed(handsets: Any, text: str, session: str = "ATUid_1") -> list[str]:
    """All that was typed in a session, as one input; what is shown."""
    event = Event.ANSWER if text else Event.BEGIN
    said = handsets.make(event, text or CODE, session=session, turn=turn_of(text))
    return screens(handsets.run(said._replace(joined=bool(text))))


def test_each_input_is_what_is_new_in_it(handsets: Any) -> None:
    """An answer that has stars of its own too; and nothing secret is kept of the rest."""
    assert typed(handsets, "") == [MENU]
    assert typed(handsets, f"2*{NUMBER}*{SECRET}") == ["signed in"]
    assert typed(handsets, f"2*{NUMBER}*{SECRET}*7*8") == [MENU]
    heard = [each.text for each in handsets.talker.heard if each.event is not Event.OUTCOME]
    assert heard == [CODE, f"2*{NUMBER}*{SECRET}", "7*8"]
    assert SECRET not in f"{handsets.session} {[step.text for step in handsets.steps]}"


def test_a_whole_path_is_a_dial_though_it_comes_as_an_answer(handsets: Any) -> None:
    """And what follows is told from it."""
    assert typed(handsets, "7*8") == [MENU]
    assert [each.event for each in handsets.steps] == ["begin"]
    assert typed(handsets, "7*8*9") == [MENU]
    heard = [(each.event, each.text) for each in handsets.talker.heard]
    assert heard == [(Event.BEGIN, "*1522*7*8#"), (Event.ANSWER, "9")]


def test_what_comes_again_is_shown_again(handsets: Any) -> None:
    """Dials and answers; and what comes after the end has no session any more."""
    for text in ("", "3*5"):
        assert typed(handsets, text) == typed(handsets, text)
    assert len(handsets.steps) == 2
    assert typed(handsets, "3*5*1") == typed(handsets, "3*5*1") == ["balance not_registered."]
    assert typed(handsets, "3*5*1*1") == ["over."]
    assert len(handsets.steps) == 3
