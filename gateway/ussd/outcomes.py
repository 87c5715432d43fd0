"""What a session makes of the outcome of the operation that it waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from core.calls import DONE, Argument, Outcome, Refusal
from core.text import ascii_digits
from gateway.ussd.answering import answers
from gateway.ussd.menu import ASKS_AGAIN, TEXTED, Leaf, Sms
from gateway.ussd.pages import pages_of
from gateway.ussd.screens import content_of
from gateway.ussd.state import Purpose, State
from gateway.ussd.typed import Typed
from gateway.ussd.walk import Walk

KEPT: Final = frozenset({"bill_id", "payment_id", "tracking", "link", "account"})
"""Facts that nobody remembers from a screen: they are offered by SMS."""

_ASKED_AGAIN: Final[Mapping[str, Argument]] = {
    Refusal.READING_TOO_LONG: Argument.READING,
    Refusal.READING_BELOW_LAST: Argument.READING,
    Refusal.UNKNOWN_TRACKING: Argument.TRACKING,
    Refusal.UNKNOWN_BILL: Argument.BILL_ID,
    Refusal.TEXT_NEEDED: Argument.TEXT,
    Refusal.NO_HISTORY: Argument.YEAR,
}
"""Refusals that another answer may mend."""


def hear_outcome(walk: Walk, outcome: Outcome | None) -> None:
    """Go on with the session that waits for ``outcome``."""
    session, leaf = walk.session, walk.leaf
    walk.typed.drop()
    failed = Outcome(outcome.operation if outcome else "", Refusal.FAILED.value, {})
    if session.state is not State.CALL or outcome is None:
        walk.home(walk.menu.replies.render(failed))
    elif session.purpose == Purpose.SIGN_IN:
        _signed_in(walk, outcome)
    elif session.purpose == Purpose.CONDITION:
        _told(walk, outcome)
    elif leaf is None:
        walk.home(walk.menu.replies.render(failed))
    elif session.purpose == Purpose.PREVIEW:
        _previewed(walk, leaf, outcome)
    elif outcome.kind == DONE:
        _done(walk, leaf, outcome)
    else:
        _refused(walk, leaf, outcome)


def _signed_in(walk: Walk, outcome: Outcome) -> None:
    session = walk.session
    if outcome.kind == DONE:
        number = session.subject[1]
        shown = tuple(dict.fromkeys((*session.shown, number)))
        pieces = session.pieces
        walk.session = replace(session, shown=shown, pieces=(), purpose="")
        walk.typed = Typed.kept(pieces)
        walk.advance()
        answers(walk, by_hand=False)
        walk.typed = Typed("")
    elif outcome.kind == Refusal.NOT_RECOGNISED:
        word = _words(walk, outcome)
        walk.to(State.NUMBER, subject=(), word=word, pieces=(), purpose="")
    else:
        walk.session = replace(session, subject=(), pieces=())
        _show(walk, outcome)


def _told(walk: Walk, outcome: Outcome) -> None:
    """What a condition is about: items depend on it until something changes."""
    session = walk.session
    known = dict(session.known)
    for name, condition in walk.menu.conditions.items():
        if condition.operation == outcome.operation:
            known[name] = outcome.kind == DONE and bool(outcome.facts.get(condition.fact))
    word, page = session.word, session.page
    walk.to(State.MENU, known=known, purpose="", word=word, page=page)
    if outcome.kind == Refusal.FAILED:
        # Nothing is hidden for a failure of ours.
        everything = dict.fromkeys(walk.menu.conditions, True)
        walk.session = replace(walk.session, known=everything)


def _previewed(walk: Walk, leaf: Leaf, outcome: Outcome) -> None:
    if outcome.kind != DONE:
        _refused(walk, leaf, outcome)
        return
    if leaf.needs and not outcome.facts.get(leaf.needs):
        _show(walk, outcome)
        return
    said = dict(walk.session.said)
    said.update((name.value, str(outcome.facts[name.value])) for name in leaf.take)
    walk.session = replace(walk.session, said=said)
    if leaf.confirm:
        walk.confirm(leaf, outcome.facts)
    else:
        walk.run_leaf(leaf)


def _done(walk: Walk, leaf: Leaf, outcome: Outcome) -> None:
    parts = walk.rules.texts(outcome, walk.session.language) if walk.rules.texts else ()
    at_once = bool(parts) and leaf.sms is Sms.ALWAYS
    if at_once:
        walk.notes = (parts,)
    _show(walk, outcome, texted=at_once)
    following = outcome.facts.get("next", "")
    if following and Argument.START in walk.menu.accepts[leaf.operation]:
        walk.session = replace(walk.session, next=str(following))
    if parts and leaf.sms is Sms.OFFER and (_must_be_kept(walk, outcome, parts) or _is_long(walk)):
        walk.session = replace(walk.session, note=parts)


def _refused(walk: Walk, leaf: Leaf, outcome: Outcome) -> None:
    session = walk.session
    again = _ASKED_AGAIN.get(outcome.kind)
    if outcome.kind in ASKS_AGAIN and session.purpose == Purpose.LEAF:
        walk.to(State.CONFIRM, text=_words(walk, outcome), purpose=leaf.operation)
    elif again is not None and again in session.said and _asks(walk, leaf, again):
        walk.to(State.QUESTION, said=_before(walk, leaf, again), word=_words(walk, outcome))
    elif leaf.about and outcome.kind == Refusal.CODE_NEEDED and leaf.proven:
        number = session.subject[1]
        shown = tuple(each for each in session.shown if each != number)
        walk.to(State.CODE, shown=shown, word=_words(walk, outcome), purpose="")
    elif leaf.about and outcome.kind == Refusal.NOT_RECOGNISED:
        walk.to(State.NUMBER, subject=(), word=_words(walk, outcome), purpose="")
    else:
        _show(walk, outcome)


def _asks(walk: Walk, leaf: Leaf, argument: Argument) -> bool:
    return any(argument in walk.menu.questions[name].arguments for name in leaf.ask)


def _before(walk: Walk, leaf: Leaf, argument: Argument) -> dict[str, str]:
    """What was answered before the question of an argument."""
    said: dict[str, str] = {}
    for name in leaf.ask:
        arguments = walk.menu.questions[name].arguments
        if argument in arguments:
            break
        said.update(
            (each, walk.session.said[each]) for each in arguments if each in walk.session.said
        )
    return said


def _show(walk: Walk, outcome: Outcome, *, texted: bool = False) -> None:
    text = _words(walk, outcome, texted=texted)
    # What is owed or registered may be another now: conditions are asked about anew.
    known: dict[str, bool] = {}
    walk.to(State.RESULT, text=text, purpose="", note=(), next="", known=known)


def _words(walk: Walk, outcome: Outcome, *, texted: bool = False) -> str:
    told = Outcome(outcome.operation, outcome.kind, {**outcome.facts, TEXTED: texted})
    return walk.menu.replies.render(told, _everything)


def _everything(_text: str) -> bool:
    """A list is shown whole: its pages are turned."""
    return True


def _must_be_kept(walk: Walk, outcome: Outcome, parts: tuple[str, ...]) -> bool:
    """Whether the screen or its text says what nobody remembers."""
    said = ascii_digits(walk.session.text + "".join(parts))
    return any(str(outcome.facts.get(name) or "\0") in said for name in KEPT)


def _is_long(walk: Walk) -> bool:
    menu = walk.menu
    more = menu.option(menu.keys.more, menu.words.more)
    content = content_of(menu, walk.session, walk.own)
    return len(pages_of(content._replace(hints=()), more, walk.rules.size)) > 1
