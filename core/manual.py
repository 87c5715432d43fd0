"""Messages that a person writes: answers by hand to what came in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from core.browse import Received
from core.ids import IdMaker
from core.inbox import hold
from core.outbox import Answer, store_answers
from core.tables import subscribers
from core.tables.access import manual_replies

_NO_NODE = 0
"""No daemon has them: whichever has room claims them."""


class ByHand(NamedTuple):
    """Who wrote a message, and what it answers."""

    outbox_id: int
    inbox_id: int | None
    by: str
    at: int


class AnsweredMeanwhile(Exception):
    """Somebody has answered the message since the form was opened."""


class HandReply(NamedTuple):
    """A reply as a person has written it."""

    received: Received
    texts: Sequence[str]
    """Cut into the parts of a message."""
    by: str
    answers_seen: int
    """How many answers by hand the writer knew of: nothing is sent twice by a second click."""


def store_reply(connection: Connection, ids: IdMaker, reply: HandReply, now_ms: int) -> int:
    """Queue it from the line that was texted; its id. Raises ``AnsweredMeanwhile``."""
    received = reply.received
    check_unanswered(connection, received.id, reply.answers_seen)
    made = ids.take(len(reply.texts))
    subscriber_id = _subscriber_of(connection, received)
    about = (received.id, received.mobile, received.line, reply.texts, subscriber_id, now_ms, None)
    store_answers(connection, [Answer(made, *about)], _NO_NODE)
    note_by_hand(connection, ByHand(made[0], received.id, reply.by, now_ms))
    return made[0]


def check_unanswered(connection: Connection, inbox_id: int, answers_seen: int) -> None:
    """Raise ``AnsweredMeanwhile`` for more answers by hand; nobody adds one meanwhile."""
    hold(connection, inbox_id)
    if count_by_hand(connection, inbox_id) != answers_seen:
        raise AnsweredMeanwhile


def note_by_hand(connection: Connection, made: ByHand) -> None:
    """Keep who wrote a message, or had it written."""
    connection.execute(insert(manual_replies).values(made._asdict()))


def count_by_hand(connection: Connection, inbox_id: int) -> int:
    """How many answers by hand a message has."""
    asked = select(func.count()).where(manual_replies.c.inbox_id == inbox_id)
    return connection.execute(asked).scalar_one()


def by_hand(connection: Connection, ids: Collection[int]) -> dict[int, ByHand]:
    """Those of these messages of the outbox that people wrote."""
    if not ids:
        return {}
    row = manual_replies.c
    found = connection.execute(
        select(row.outbox_id, row.inbox_id, row.by, row.at).where(row.outbox_id.in_(sorted(ids)))
    )
    return {each.outbox_id: ByHand(*each) for each in found}


def _subscriber_of(connection: Connection, received: Received) -> int | None:
    if received.utility is None or received.subscription is None:
        return None
    return connection.execute(
        select(subscribers.c.id).where(
            subscribers.c.utility == received.utility,
            subscribers.c.number == received.subscription,
        )
    ).scalar_one_or_none()
