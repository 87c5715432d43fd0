"""The session machine: ``step(rules, session, heard) → session, effects``. Pure.

The table of states is in docs/ussd.md. An input moves the session until there is something to
show, or an operation to run whose outcome is the next thing it hears. What counts is booked
once: the key that confirms finds the session in another state when it comes again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from core.calls import Argument, Call
from core.dialogues.types import Event, Heard
from gateway.ussd.answering import answer
from gateway.ussd.beginning import begin, begin_at
from gateway.ussd.menu import MenuNode
from gateway.ussd.outcomes import hear_outcome
from gateway.ussd.state import Purpose, Session, State
from gateway.ussd.walk import Rules, Walk


class Effects(NamedTuple):
    """What a step does besides moving the session."""

    call: Call | None = None
    screen: str = ""
    ends: bool = False
    notes: tuple[tuple[str, ...], ...] = ()
    masked: str = ""


def step(rules: Rules, session: Session | None, heard: Heard) -> tuple[Session, Effects]:
    """What an input, or the outcome of an operation, makes of a session; None is a new one."""
    walk = Walk(rules, session or Session(State.OVER), heard)
    match heard.event:
        case Event.BEGIN:
            begin(walk)
        case Event.OPEN:
            begin_at(walk, heard.text)
        case Event.ANSWER if session is not None:
            answer(walk)
        case Event.ANSWER:
            walk.end(walk.menu.words.over)
        case Event.OUTCOME:
            hear_outcome(walk, heard.outcome)
        case Event.CONFIRM | Event.ABORT | Event.TIMEOUT:
            return walk.session, Effects(ends=True, masked=walk.typed.masked)
    return _finished(walk)


def _finished(walk: Walk) -> tuple[Session, Effects]:
    """The session, and what the handset is to show unless an operation is to run first."""
    if walk.call is None and walk.session.state is State.MENU:
        _ask_conditions(walk)
    masked = walk.typed.masked
    if walk.call is not None:
        return walk.session, Effects(walk.call, notes=walk.notes, masked=masked)
    pages = walk.pages()
    page = min(walk.session.page, len(pages) - 1)
    leaf = walk.leaf
    over = walk.session.state is State.OVER
    ends = walk.session.state is State.RESULT and leaf is not None and leaf.ends
    # Nobody turns the pages of a session that has ended.
    ends = over or (ends and page == len(pages) - 1 and not walk.session.note)
    return walk.session, Effects(None, pages[page], ends, walk.notes, masked)


def _ask_conditions(walk: Walk) -> None:
    """Ask quietly what items depend on, where the subscription is known already."""
    session = walk.session
    node = walk.menu.nodes[session.trail[-1]]
    if not isinstance(node, MenuNode) or not any(item.when for item in node.items):
        return
    number = _known_number(walk)
    names = [item.condition for item in node.items if item.condition in walk.menu.conditions]
    unknown = [name for name in names if name not in session.known]
    if number and unknown:
        operation = walk.menu.conditions[unknown[0]].operation
        word, page = session.word, session.page
        walk.run(Purpose.CONDITION, Call(operation, {Argument.NUMBER: number}))
        walk.session = replace(walk.session, word=word, page=page)


def _known_number(walk: Walk) -> str:
    subject = walk.session.subject
    if not subject:
        return walk.own[0] if len(walk.own) == 1 else ""
    name, value = subject
    is_shown = value in walk.own or value in walk.session.shown
    return value if name == Argument.NUMBER and is_shown else ""
