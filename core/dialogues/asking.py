"""One input and the menu: what the menu makes of it, and the calls that it asks for meanwhile."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

from core.calls import Call, Outcome, Refusal
from core.dialogues.rows import Session
from core.dialogues.types import Ending, Event, Heard, Input, Said, Talker
from core.shelf import Asker

USSD: Final = "ussd"
MOST_CALLS: Final = 8
"""That one input may lead to. The next ones fail without being run …"""
PATIENCE: Final = 4
"""… and after so many more the session is over: its menu goes round in a circle."""


class Asked(NamedTuple):
    """A call that a session waits for."""

    asker: Asker
    call: Call


class Ran(NamedTuple):
    """What came of it."""

    outcome: Outcome
    subscriber_id: int | None
    """The subscription that it was about, where it was about one."""


class Told(NamedTuple):
    """What has come of an input."""

    said: Said
    """The last: it has no call."""
    masked: str
    """What is stored of the input, or empty when the menu did not say."""
    ran: tuple[Ran, ...]
    notes: tuple[tuple[str, ...], ...]
    """Texts for the mobile, each in parts."""


def told(
    one: Input, session: Session, heard: Heard, talker: Talker, error: str
) -> Generator[Asked, Ran, Told]:
    """Tell the menu of an input, and of what came of each call that it asks for.

    ``error``: why no call can be run, or empty.
    """
    ran: list[Ran] = []
    said = talker.step(session.state, heard)
    masked, notes = said.masked, list(said.notes)
    while (call := said.call) is not None:
        if len(ran) >= MOST_CALLS + PATIENCE:
            said = Said(said.state, screen=talker.last_words(Ending.FAILED), ends=True)
            break
        if error or len(ran) >= MOST_CALLS:
            ran.append(Ran(Outcome(call.operation, Refusal.FAILED.value, {}), None))
        else:
            asker = _asker(one, session.mobile, talker, said.shown)
            ran.append((yield Asked(asker, call)))
        outcome = heard._replace(event=Event.OUTCOME, text="", cut="", outcome=ran[-1].outcome)
        said = talker.step(said.state, outcome)
        masked = said.masked or masked
        notes += said.notes
    return Told(said, masked, tuple(ran), tuple(notes))


def _asker(one: Input, mobile: str, talker: Talker, shown: tuple[str, ...]) -> Asker:
    return Asker(
        utility=talker.utility,
        mobile=mobile,
        at=one.received_at,
        terms=talker.terms,
        source=USSD,
        message_id=one.id,
        line=talker.sms_line,
        shown=shown,
    )
