"""What a session makes of what was dialled or typed: one function for each state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from core.calls import Argument, Call, Outcome, Refusal
from gateway.ussd.answers import answer_to
from gateway.ussd.menu import SIGN_IN, TEXT_ME, YES, Leaf, Menu, MenuNode
from gateway.ussd.screens import items_of, own_numbers, pending
from gateway.ussd.state import Purpose, Session, State, restored
from gateway.ussd.typed import Piece, Typed
from gateway.ussd.walk import Walk

UNANSWERABLE: Final = frozenset({State.CALL, State.OVER})
_ONLY_BY_HAND: Final = frozenset({State.CONFIRM, State.RESULT, State.RESUME})
"""What nobody can answer who has not read it: a dialled path stops here."""
_SHORT: Final = 2
"""A choice of up to so many digits is no secret."""


def answer(walk: Walk) -> None:
    """Something was typed into the screen."""
    if walk.session.state in UNANSWERABLE:
        # An outcome that never came: nothing is known of what the operation did.
        walk.typed.drop()
        walk.home(walk.menu.replies.render(Outcome("", Refusal.FAILED.value, {})))
        return
    if not is_whole(walk):
        walk.typed.drop()
        walk.home(walk.menu.words.changed)
        return
    question = pending(walk.menu, walk.session)
    is_asked = walk.session.state is State.QUESTION and question is not None
    if is_asked and question and Argument.TEXT in question.arguments:
        walk.typed = Typed(walk.heard.text, whole=True)
    answers(walk, by_hand=True)


def is_whole(walk: Walk) -> bool:
    """Whether the menu still has what the session is about; it may have been edited."""
    session, menu = walk.session, walk.menu
    if session.state is State.RESUME:
        return True
    if not session.trail or any(
        not isinstance(menu.nodes.get(name), MenuNode) for name in session.trail
    ):
        return False
    if session.state is State.QUESTION and pending(menu, session) is None:
        return False
    leaf = walk.leaf
    if session.state is State.CONFIRM and (leaf is None or leaf.operation != session.purpose):
        # What was read is not what would be done now.
        return False
    return not session.leaf or leaf is not None


def answers(walk: Walk, *, by_hand: bool) -> None:
    """Take pieces one after the other, as far as they fit what is asked."""
    while walk.typed.pieces:
        state = walk.session.state
        if state in UNANSWERABLE or (state in _ONLY_BY_HAND and not by_hand):
            break
        by_hand = False
        if not _take(walk, walk.typed.pieces.popleft()):
            break
    if walk.call is not None and walk.session.purpose == Purpose.SIGN_IN:
        _keep(walk)
    walk.typed.drop()


def _keep(walk: Walk) -> None:
    """Keep the answers behind a code, but for any that nobody will ask for."""
    leaf = walk.leaf
    count = len(leaf.ask) - len(walk.session.said) if leaf else 0
    kept = [walk.typed.pieces.popleft() for _ in range(min(count, len(walk.typed.pieces)))]
    # Digits that a question takes are shown; a second code among them would be, too.
    walk.session = replace(walk.session, pieces=tuple(piece.text for piece in kept))


def _take(walk: Walk, piece: Piece) -> bool:
    """Answer the screen with a piece; False when it was none of what was asked."""
    keys = walk.menu.keys
    if piece.text == keys.more and _turn(walk):
        walk.typed.reveal(piece)
        return True
    if piece.text in {keys.back, keys.home} and walk.session.state is not State.RESUME:
        walk.typed.reveal(piece)
        if piece.text == keys.home:
            walk.home()
        else:
            _back(walk)
        return True
    taken = _TAKE[walk.session.state](walk, piece)
    is_secret = walk.session.state is State.CALL and walk.session.purpose == Purpose.SIGN_IN
    if (taken and not is_secret) or len(piece.text) <= _SHORT:
        walk.typed.reveal(piece)
    return taken


def _turn(walk: Walk) -> bool:
    """Turn to the next page, if there is one."""
    if walk.session.page + 1 >= len(walk.pages()):
        return False
    walk.session = replace(walk.session, page=walk.session.page + 1)
    return True


def _back(walk: Walk) -> None:
    session = walk.session
    leaf = walk.leaf
    if session.page:
        # On the first page it would be said anew that something was wrong: this key is not.
        word = session.word if session.page > 1 else ""
        walk.session = replace(session, page=session.page - 1, word=word)
    elif session.state is State.MENU:
        if len(session.trail) == 1:
            walk.end(walk.menu.words.goodbye)
        else:
            walk.to(State.MENU, trail=session.trail[:-1])
    elif session.state is State.CODE:
        walk.to(State.NUMBER, subject=())
    elif session.state in {State.QUESTION, State.CONFIRM} and leaf and session.said:
        _unsay(walk, leaf)
    else:
        walk.up()


def _unsay(walk: Walk, leaf: Leaf) -> None:
    """Ask the last answered question again."""
    said = dict(_said_so_far(leaf, walk.menu, walk.session))
    if not said:
        walk.up()
        return
    said.popitem()
    walk.to(State.QUESTION, said=said, text="")


def _no_item(walk: Walk) -> bool:
    return walk.wrong(walk.menu.words.no_item)


def _take_item(walk: Walk, piece: Piece) -> bool:
    for item in items_of(walk.menu, walk.session, walk.own):
        if item.key != piece.text:
            continue
        if item.language is not None:
            # In a language already, the same item leads back to the utility's own.
            is_spoken = item.language == walk.session.language
            walk.to(State.MENU, language="" if is_spoken else item.language)
        elif item.subscription:
            known: dict[str, bool] = {}
            state = State.CHOOSE if walk.own else State.NUMBER
            walk.to(state, leaf="", subject=(), known=known)
        else:
            walk.enter(item.to)
        return True
    return _no_item(walk)


def _take_choice(walk: Walk, piece: Piece) -> bool:
    if piece.text in walk.own:
        if walk.leaf is not None:
            walk.drop_spare_code(walk.leaf)
        walk.speak_of(Argument.NUMBER, piece.text)
        return True
    for key, number in own_numbers(walk.menu, walk.own):
        if key == piece.text:
            if number:
                walk.speak_of(Argument.NUMBER, number)
            else:
                walk.to(State.NUMBER)
            return True
    return _no_item(walk)


def _take_number(walk: Walk, piece: Piece) -> bool:
    leaf = walk.leaf
    by = leaf.by if leaf else walk.menu.identify.by
    found = answer_to(walk.menu, by, piece.text, {})
    if isinstance(found, str):
        return walk.wrong(found)
    walk.speak_of(found.argument, found.value)
    return True


def _take_code(walk: Walk, piece: Piece) -> bool:
    found = answer_to(walk.menu, (Argument.CODE,), piece.text, {})
    if isinstance(found, str):
        return walk.wrong(found)
    arguments = {Argument.NUMBER: walk.session.subject[1], Argument.CODE: found.value}
    walk.run(Purpose.SIGN_IN, Call(SIGN_IN, arguments))
    return True


def _take_answer(walk: Walk, piece: Piece) -> bool:
    question = pending(walk.menu, walk.session)
    assert question is not None  # noqa: S101 - looked at before a piece is taken
    found = answer_to(walk.menu, question.arguments, piece.text, walk.session.said)
    if isinstance(found, str):
        return walk.wrong(question.retry or found)
    walk.session = replace(
        walk.session, said={**walk.session.said, found.argument.value: found.value}
    )
    walk.advance()
    return True


def _take_yes(walk: Walk, piece: Piece) -> bool:
    if piece.text != YES:
        return _no_item(walk)
    leaf = walk.leaf
    if leaf is None or pending(walk.menu, walk.session):
        walk.advance()
    else:
        walk.run_leaf(leaf)
    return True


def _take_after(walk: Walk, piece: Piece) -> bool:
    session, leaf = walk.session, walk.leaf
    if piece.text == TEXT_ME and session.note:
        walk.notes = (session.note,)
        walk.to(State.RESULT, text=walk.menu.words.sent, note=(), next="")
    elif piece.text == walk.menu.keys.more and session.next and leaf:
        walk.session = replace(session, said={**session.said, Argument.START: session.next})
        walk.run_leaf(leaf)
    else:
        return _no_item(walk)
    return True


def _take_resume(walk: Walk, piece: Piece) -> bool:
    if piece.text == "1":
        walk.session = replace(restored(walk.session.cut), page=0, word="")
        if not is_whole(walk):
            walk.home(walk.menu.words.changed)
    elif piece.text in {"2", walk.menu.keys.home}:
        walk.home()
    elif piece.text == walk.menu.keys.back:
        walk.end(walk.menu.words.goodbye)
    else:
        return _no_item(walk)
    return True


def _said_so_far(leaf: Leaf, menu: Menu, session: Session) -> list[tuple[str, str]]:
    """What was answered to the questions of a leaf, in their order."""
    asked = [argument for name in leaf.ask for argument in menu.questions[name].arguments]
    return [(name, session.said[name]) for name in asked if name in session.said]


_TAKE: Final[Mapping[State, Callable[[Walk, Piece], bool]]] = {
    State.MENU: _take_item,
    State.CHOOSE: _take_choice,
    State.NUMBER: _take_number,
    State.CODE: _take_code,
    State.QUESTION: _take_answer,
    State.CONFIRM: _take_yes,
    State.RESULT: _take_after,
    State.RESUME: _take_resume,
}
