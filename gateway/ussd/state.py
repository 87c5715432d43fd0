"""A USSD session as data: where in the menu it is and what was said, as JSON of a row.

It holds no secret code: one that was typed is used in the call of the same step and is in no
session. Every key that has its default is left out, so that most sessions are short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

VERSION: Final = 1
"""Of what is stored; a session of another version begins again at home."""


class State(StrEnum):
    """What the handset shows. The table of states is in docs/ussd.md."""

    MENU = "menu"
    """A menu."""
    CHOOSE = "choose"
    """Which of the mobile's own subscriptions."""
    NUMBER = "number"
    """The subscription number, or another name of a subscription."""
    CODE = "code"
    """Its secret code."""
    QUESTION = "question"
    """The next thing that an operation needs."""
    CONFIRM = "confirm"
    """Whether it is to be done."""
    CALL = "call"
    """Nothing yet: an operation runs, in the same batch."""
    RESULT = "result"
    """What came of it, or a text of the menu."""
    RESUME = "resume"
    """Whether to go on with the session that was cut off."""
    OVER = "over"
    """A last word; the session has ended."""


class Purpose(StrEnum):
    """What a session waits for in ``State.CALL``."""

    SIGN_IN = "sign_in"
    """Whether the code is the number's."""
    PREVIEW = "preview"
    """The figures that are to be confirmed."""
    LEAF = "leaf"
    """The operation itself."""
    CONDITION = "condition"
    """Whether items of a menu are shown."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session between two inputs."""

    state: State
    trail: tuple[str, ...] = ()
    """The menus on the way here, the present one last."""
    leaf: str = ""
    """The operation leaf that is being gone through."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What was answered to its questions, by argument."""
    subject: tuple[str, ...] = ()
    """The subscription that is spoken of: argument and value."""
    shown: tuple[str, ...] = ()
    """Numbers whose code was given in this session."""
    language: str = ""
    text: str = ""
    """The words of CONFIRM, RESULT and OVER."""
    page: int = 0
    word: str = ""
    """What is said above the screen: why the last answer was not taken."""
    note: tuple[str, ...] = ()
    """The parts of the text that is offered by SMS."""
    next: str = ""
    """The row that the list shown goes on with."""
    purpose: str = ""
    """With CALL what is waited for; with CONFIRM the operation that is about to be done."""
    pieces: tuple[str, ...] = ()
    """Answers that were dialled at once and are still to be used; never a secret code."""
    known: Mapping[str, bool] = field(default_factory=dict)
    """Conditions that were asked about."""
    cut: str = ""
    """With RESUME: the session that was cut off, as it was stored."""


class StateError(ValueError):
    """What is stored is no session of this version."""


def stored(session: Session) -> str:
    """The session as JSON."""
    held: dict[str, Any] = {"v": VERSION, "state": session.state.value}
    for each in _OPTIONAL:
        value = getattr(session, each)
        if value:
            held[each] = value
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def restored(text: str) -> Session:
    """A session from its JSON. Raises ``StateError``."""
    try:
        held = json.loads(text)
        if held.pop("v") != VERSION:
            raise StateError("another version")
        state = State(held.pop("state"))
        values = {name: _typed(name, value) for name, value in held.items()}
        return Session(state, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(str(error)) from None


_OPTIONAL: Final = tuple(each.name for each in fields(Session) if each.name != "state")
_LISTS: Final = frozenset({"trail", "subject", "shown", "note", "pieces"})
_MAPPINGS: Final = frozenset({"said", "known"})


def _typed(name: str, value: Any) -> Any:
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise StateError(f"{name} is no list of texts")
        return tuple(value)
    kind = dict if name in _MAPPINGS else int if name == "page" else str
    if not isinstance(value, kind):
        raise StateError(f"{name} is no {kind.__name__}")
    return value
