"""One step of a session on its way through a menu: where it stands, and what moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from core.calls import Argument, Call, Outcome
from core.dialogues.types import Event, Heard
from gateway.ussd.answers import answer_to, fits
from gateway.ussd.menu import Leaf, Menu, MenuNode, Menus, TextNode
from gateway.ussd.pages import PageSize, pages_of
from gateway.ussd.screens import content_of, leaf_of, pending
from gateway.ussd.state import Purpose, Session, State
from gateway.ussd.typed import Typed

_NOTHING: Final[Mapping[str, Any]] = {
    "leaf": "",
    "said": {},
    "text": "",
    "note": (),
    "next": "",
    "purpose": "",
    "pieces": (),
    "cut": "",
}
"""A session in which nothing is under way."""


@dataclass(frozen=True)
class Rules:
    """All that the machine goes by besides the session."""

    menus: Menus
    size: PageSize
    line: str
    """The code of the line: ``*1522#``."""
    texts: Callable[[Outcome, str], tuple[str, ...]] | None
    """Writes an outcome as a text in a language, cut into parts; None where none can be sent."""


class Walk:
    """One step on its way."""

    def __init__(self, rules: Rules, session: Session, heard: Heard) -> None:
        self.rules = rules
        self.own = heard.own
        self.heard = heard
        self.session = session
        self.call: Call | None = None
        self.notes: tuple[tuple[str, ...], ...] = ()
        self.typed = Typed(heard.text, line=rules.line if heard.event is Event.BEGIN else "")

    @property
    def menu(self) -> Menu:
        """In the session's language."""
        return self.rules.menus.spoken(self.session.language)

    @property
    def leaf(self) -> Leaf | None:
        """The leaf gone through."""
        return leaf_of(self.menu, self.session)

    def to(self, state: State, **changes: Any) -> None:
        """Go on in a state, on its first page and without a word unless one is given."""
        self.session = replace(self.session, state=state, **{"page": 0, "word": "", **changes})

    def home(self, word: str = "") -> None:
        """The first menu, with nothing under way."""
        self.to(State.MENU, trail=(self.menu.start,), word=word, **_NOTHING)

    def up(self, word: str = "") -> None:
        """The menu that the leaf was chosen in."""
        self.to(State.MENU, word=word, **_NOTHING)

    def end(self, text: str) -> None:
        """Say a last word."""
        self.to(State.OVER, text=text)

    def wrong(self, word: str) -> bool:
        """Show the same screen again, with what was wrong above it."""
        self.session = replace(self.session, word=word, page=0)
        return False

    def pages(self) -> tuple[str, ...]:
        """The screen that the session stands at, cut to pages."""
        menu = self.menu
        more = menu.option(menu.keys.more, menu.words.more)
        return pages_of(content_of(menu, self.session, self.own), more, self.rules.size)

    # --- going through the menu --------------------------------------------------------------

    def enter(self, name: str) -> None:
        """Go to a node."""
        node = self.menu.nodes[name]
        if isinstance(node, MenuNode):
            self.to(State.MENU, trail=(*self.session.trail, name))
        elif isinstance(node, TextNode):
            self.to(State.OVER if node.ends else State.RESULT, text=node.text, leaf="")
        else:
            self.to(State.MENU, leaf=name, said={}, text="", note=(), next="")
            if node.about and self.own and len(self.typed.pieces) > len(node.ask):
                self._named_too(node)
            self.advance()

    def _named_too(self, leaf: Leaf) -> None:
        """Take the number, and its code, from who dials them without having to."""
        piece = self.typed.pieces[0]
        found = answer_to(self.menu, leaf.by, piece.text, {})
        if isinstance(found, str):
            return
        self.typed.reveal(self.typed.pieces.popleft())
        self.session = replace(self.session, subject=(found.argument.value, found.value))
        if self._is_settled(leaf):
            self.drop_spare_code(leaf)

    def drop_spare_code(self, leaf: Leaf) -> None:
        """Leave out a code that was given with a number that needs none."""
        pieces = self.typed.pieces
        if len(pieces) > len(leaf.ask) and fits(self.menu, (Argument.CODE,), pieces[0].text):
            pieces.popleft()

    def advance(self) -> None:
        """The next thing that the leaf needs: a subscription, an answer, figures, a yes."""
        leaf = self.leaf
        if leaf is None:
            self.up()
        elif leaf.about and not self._is_settled(leaf):
            self._identify(leaf)
        elif pending(self.menu, self.session):
            self.to(State.QUESTION)
        elif leaf.preview:
            self.run(Purpose.PREVIEW, self._call(leaf, leaf.preview))
        elif leaf.confirm:
            self.confirm(leaf, {})
        else:
            self.run_leaf(leaf)

    def _is_settled(self, leaf: Leaf) -> bool:
        """Whether it is known which subscription is meant, and a right to it shown."""
        session = self.session
        if not session.subject and len(self.own) == 1:
            self.session = session = replace(session, subject=("number", self.own[0]))
        if not session.subject:
            return False
        name, value = session.subject
        if name == Argument.NUMBER and (value in self.own or value in session.shown):
            return True
        return not leaf.proven and name in leaf.by

    def _identify(self, leaf: Leaf) -> None:
        subject = self.session.subject
        if subject and subject[0] == Argument.NUMBER and leaf.proven:
            self.to(State.CODE)
        elif len(self.own) > 1 and not subject:
            self.to(State.CHOOSE)
        else:
            self.to(State.NUMBER, subject=())

    def speak_of(self, argument: Argument, value: str) -> None:
        """It is this subscription that is meant from now on."""
        known: dict[str, bool] = {}
        self.session = replace(self.session, subject=(argument.value, value), known=known)
        if self.leaf is not None:
            self.advance()
        elif value in self.own or value in self.session.shown or not self.menu.identify.code:
            self.up()
        else:
            self.to(State.CODE)

    def confirm(self, leaf: Leaf, facts: Mapping[str, Any]) -> None:
        """Ask whether to do it."""
        assert leaf.confirm is not None  # noqa: S101 - asked for where there is one
        subject = self.session.subject
        number = {"number": subject[1]} if subject else {}
        text = leaf.confirm({**number, **self.session.said, **facts})
        self.to(State.CONFIRM, text=text, purpose=leaf.operation)

    def run_leaf(self, leaf: Leaf) -> None:
        """Do what the leaf is for."""
        self.run(Purpose.LEAF, self._call(leaf, leaf.operation))

    def _call(self, leaf: Leaf, operation: str) -> Call:
        arguments = {**leaf.fixed, **{Argument(k): v for k, v in self.session.said.items()}}
        if leaf.about:
            name, value = self.session.subject
            arguments[Argument(name)] = value
        takes = self.menu.accepts[operation]
        return Call(operation, {name: v for name, v in arguments.items() if name in takes})

    def run(self, purpose: Purpose, call: Call) -> None:
        """Wait for an operation."""
        self.call = call
        self.to(State.CALL, purpose=purpose.value, text="", note=(), next="")
