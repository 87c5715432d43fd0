"""How a session begins: dialled, with a path behind the code or without, or begun by us."""

from __future__ import annotations

from gateway.ussd.answering import UNANSWERABLE, answers
from gateway.ussd.answers import answer_to
from gateway.ussd.menu import Leaf
from gateway.ussd.state import Session, State, StateError, restored
from gateway.ussd.walk import Walk


def begin(walk: Walk) -> None:
    """Somebody dialled: the menu, a path in it, or the session that was cut off."""
    cut = _worth(walk.heard.cut) if walk.heard.cut and not walk.typed.pieces else ""
    if cut:
        walk.session = Session(State.RESUME, cut=cut)
        return
    walk.session = Session(State.MENU)
    walk.home()
    _enter_bare(walk)
    answers(walk, by_hand=False)


def _enter_bare(walk: Walk) -> None:
    """Go to a leaf whose answers alone were dialled: the two IDs of a bill."""
    pieces = [piece.text for piece in walk.typed.pieces]
    for name, node in walk.menu.nodes.items():
        if not isinstance(node, Leaf) or not node.bare or len(node.ask) != len(pieces):
            continue
        said: dict[str, str] = {}
        for question, piece in zip(node.ask, pieces, strict=True):
            found = answer_to(walk.menu, walk.menu.questions[question].arguments, piece, said)
            if not isinstance(found, str):
                said[found.argument.value] = found.value
        if len(said) == len(pieces):
            walk.enter(name)
            return


def begin_at(walk: Walk, name: str) -> None:
    """We begin the session, at a node; at home when the menu has no such node now."""
    walk.typed.drop()
    walk.session = Session(State.MENU)
    walk.home()
    if name in walk.menu.nodes and name != walk.menu.start:
        walk.enter(name)


def _worth(cut: str) -> str:
    """The session to offer; "" unless somebody was in the middle of something."""
    try:
        session = restored(cut)
    except StateError:
        return ""
    if session.state is State.RESUME:
        # It was cut off again before the offer was answered.
        return session.cut
    if session.state in UNANSWERABLE:
        return ""
    return cut if session.state is not State.MENU or len(session.trail) > 1 else ""
