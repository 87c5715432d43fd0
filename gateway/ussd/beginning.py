"""How a session begins: dialled, with a path behind the code or without, or begun by us."""

from __future__ import annotations

from gateway.ussd.answering import UNANSWERABLE, answers, is_whole
from gateway.ussd.answers import has_length
from gateway.ussd.menu import Leaf
from gateway.ussd.state import Session, State, StateError, restored
from gateway.ussd.walk import Walk


def begin(walk: Walk) -> None:
    """Somebody dialled: the menu, a path in it, or the session that was cut off."""
    cut = _worth(walk) if walk.heard.cut and not walk.typed.pieces else ""
    if cut:
        walk.session = Session(State.RESUME, cut=cut)
        return
    walk.session = Session(State.MENU)
    walk.home()
    _enter_bare(walk)
    answers(walk, by_hand=False)


def _enter_bare(walk: Walk) -> None:
    """Go to a leaf whose answers alone were dialled: the two IDs of a bill.

    Their lengths tell that they are meant; a wrong digit in one is told where it is asked for.
    """
    pieces = [piece.text for piece in walk.typed.pieces]
    for name, node in walk.menu.nodes.items():
        if not isinstance(node, Leaf) or not node.bare or len(node.ask) != len(pieces):
            continue
        questions = [walk.menu.questions[each] for each in node.ask]
        if all(
            has_length(walk.menu, question.arguments, piece)
            for question, piece in zip(questions, pieces, strict=True)
        ):
            walk.enter(name)
            return


def begin_at(walk: Walk, name: str) -> None:
    """We begin the session, at a node; at home when the menu has no such node now."""
    walk.typed.drop()
    walk.session = Session(State.MENU)
    walk.home()
    if name in walk.menu.nodes and name != walk.menu.start:
        walk.enter(name)


def _worth(walk: Walk) -> str:
    """The session to offer; "" unless somebody was in the middle of something."""
    cut = walk.heard.cut
    try:
        session = restored(cut)
    except StateError:
        return ""
    if session.state is State.RESUME:
        # It was cut off again before the offer was answered.
        return session.cut
    was = Walk(walk.rules, session, walk.heard)
    if session.state in UNANSWERABLE or not is_whole(was) or _is_told(was):
        return ""
    return cut if session.state is not State.MENU or len(session.trail) > 1 else ""


def _is_told(cut: Walk) -> bool:
    """Whether all was told that was asked for: people hang up who have read it.

    What came of something that was confirmed is worth showing again.
    """
    session, leaf = cut.session, cut.leaf
    has_more = session.note or session.next or session.page + 1 < len(cut.pages())
    is_booked = leaf is not None and leaf.confirm is not None
    return session.state is State.RESULT and not has_more and not is_booked
