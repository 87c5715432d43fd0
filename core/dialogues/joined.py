"""Inputs of networks that tell all that was typed in a session, joined with ``*``.

Such a network (Africa's Talking) writes ``2``, then ``2*1``, then ``2*1*10000001``, and does
not tell a dial from an answer: who dials ``*1522*2*1#`` begins with ``2*1``. What is new in
it is what follows the text of the last input, which the session's row keeps in its ``turn``;
an input of a session that there is none of is a dial.
"""

from __future__ import annotations

from core.dialogues.types import Event, Input

JOINT = "*"
_MARK = "+"
"""Begins a turn: the one of a dial would be empty, which means that there is none."""


def turn_of(text: str) -> str:
    """The ``turn`` of an input in which this much has been typed."""
    return _MARK + text


def untangled(one: Input, before: str | None) -> Input:
    """An input as other networks would have told it.

    ``before`` is the ``turn`` of the session that it belongs to, whether that is live or
    over; None when there is no session that its network calls so. An answer may itself have
    a ``*`` in it. One that does not follow ``before`` is a repetition or came out of turn:
    its last piece is all that can be said of it.
    """
    if not one.joined or one.event is not Event.ANSWER:
        return one
    if before is None:
        dialled = one.line.removesuffix("#") + JOINT + one.text + "#"
        return one._replace(event=Event.BEGIN, text=dialled)
    typed = before.removeprefix(_MARK)
    if not typed:
        return one
    if one.text.startswith(typed + JOINT):
        return one._replace(text=one.text.removeprefix(typed + JOINT))
    return one._replace(text=one.text.rpartition(JOINT)[2])
