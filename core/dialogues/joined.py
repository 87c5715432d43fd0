"""Inputs of networks that tell all that was typed in a session, joined with ``*``.

Such a network (Africa's Talking) writes ``2``, then ``2*1``, then ``2*1*10000001``, and does
not tell a dial from an answer: who dials ``*1522*2*1#`` begins with ``2*1``. What is new in
it is what follows the text of the last input; an input of a session that there is none of is
a dial. Of the text no more is kept than how long it was, in the session's ``turn``: there may
be a secret code in it, and since it only grows, its length tells one input from the next.
"""

from __future__ import annotations

from core.dialogues.types import Event, Input

JOINT = "*"
_MARK = "+"


def turn_of(text: str) -> str:
    """The ``turn`` of an input in which this much has been typed."""
    return f"{_MARK}{len(text)}"


def untangled(one: Input, before: str | None) -> Input:
    """An input as other networks would have told it.

    ``before`` is the ``turn`` of the session that it belongs to, whether that is live or
    over; None when there is no session that its network calls so. An answer may itself have
    a ``*`` in it. One that is not longer than what was typed before came out of turn: its last
    piece is all that can be said of it.
    """
    if not one.joined or one.event is not Event.ANSWER:
        return one
    if before is None:
        dialled = one.line.removesuffix("#") + JOINT + one.text + "#"
        return one._replace(event=Event.BEGIN, text=dialled)
    if before == turn_of(""):
        return one
    length = before.removeprefix(_MARK)
    typed = int(length) if length.isdecimal() else len(one.text)
    is_new = one.text[typed : typed + 1] == JOINT
    return one._replace(text=one.text[typed + 1 :] if is_new else one.text.rpartition(JOINT)[2])
