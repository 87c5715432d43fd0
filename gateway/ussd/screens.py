"""What the handset shows in each state of a session, before it is cut to pages."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ussd.menu import NOT, REGISTERED, TEXT_ME, YES, Item, Leaf, Menu, MenuNode, Question
from gateway.ussd.pages import Content
from gateway.ussd.state import Session, State


def visible(item: Item, session: Session, own: Sequence[str]) -> bool:
    """Whether a menu shows an item now; a condition that nobody can tell hides nothing."""
    if not item.when:
        return True
    wanted = not item.when.startswith(NOT)
    if item.condition == REGISTERED:
        return bool(own) is wanted
    return session.known.get(item.condition, wanted) is wanted


def items_of(menu: Menu, session: Session, own: Sequence[str]) -> list[Item]:
    """The items of the menu that a session is in."""
    node = menu.nodes[session.trail[-1]]
    if not isinstance(node, MenuNode):
        return []
    return [item for item in node.items if visible(item, session, own)]


def own_numbers(menu: Menu, own: Sequence[str]) -> list[tuple[str, str]]:
    """The options of CHOOSE: each own number by its key, and ``""`` for another."""
    return list(zip(menu.numbered(len(own) + 1), (*own, ""), strict=True))


def leaf_of(menu: Menu, session: Session) -> Leaf | None:
    """The leaf that a session goes through."""
    node = menu.nodes.get(session.leaf)
    return node if isinstance(node, Leaf) else None


def pending(menu: Menu, session: Session) -> Question | None:
    """The next question of the leaf that a session goes through."""
    leaf = leaf_of(menu, session)
    for name in leaf.ask if leaf else ():
        question = menu.questions[name]
        if not any(argument in session.said for argument in question.arguments):
            return question
    return None


def content_of(menu: Menu, session: Session, own: Sequence[str]) -> Content:
    """The screen of a session."""
    body, options = _said(menu, session, own)
    ends = session.state in {State.OVER, State.RESUME}
    at_home = session.state is State.MENU and len(session.trail) == 1
    hints = () if ends or at_home else (menu.option(menu.keys.back, menu.words.back),)
    text = f"{session.word}\n{body}" if session.word else body
    return Content(text, tuple(menu.option(key, title) for key, title in options), hints)


def _said(  # noqa: C901, PLR0911 - one for each state
    menu: Menu, session: Session, own: Sequence[str]
) -> tuple[str, list[tuple[str, str]]]:
    words = menu.words
    match session.state:
        case State.MENU:
            node = menu.nodes[session.trail[-1]]
            title = node.title if isinstance(node, MenuNode) else ""
            items = items_of(menu, session, own)
            return title, [(item.key, item.title) for item in items]
        case State.CHOOSE:
            rows = own_numbers(menu, own)
            other = menu.identify.other
            return menu.identify.choose, [(key, menu.digits(each) or other) for key, each in rows]
        case State.NUMBER:
            return menu.identify.number, []
        case State.CODE:
            return menu.identify.code, []
        case State.QUESTION:
            question = pending(menu, session)
            return question.text if question else "", []
        case State.CONFIRM:
            return session.text, [(YES, words.yes)]
        case State.RESULT:
            options = [(TEXT_ME, words.sms)] if session.note else []
            if session.next:
                options.append((menu.keys.more, words.more))
            return session.text, options
        case State.RESUME:
            return words.cut, [("1", words.go_on), ("2", words.afresh)]
        case State.CALL | State.OVER:
            return session.text, []
