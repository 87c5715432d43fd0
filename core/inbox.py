"""Messages as they arrive, and what is stored of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    func,
    select,
    union_all,
)

from core.bulk import insert_rows
from core.tables import inbox, inbox_parts, outbox, ussd_steps

ANSWERED = "answered"
SET_ASIDE = "set_aside"
"""What could not be worked on; the others of its batch were."""
INCOMPLETE = "incomplete"
"""Parts whose others never came."""
UNANSWERABLE = "unanswerable"
"""What came to no line of ours, or from no mobile."""


class Part(NamedTuple):
    """One part of a long message, as it is stored until the others are there."""

    reference: int
    total: int
    number: int
    data_coding: int
    payload: bytes


class Arrival(NamedTuple):
    """One message, or one part of one, that waits to be acknowledged."""

    id: int
    received_at: int
    """UTC milliseconds."""
    bind: str
    connection: int
    line: str
    profile: str
    """Empty when no line has the number it was sent to."""
    mobile: str
    text: str
    """Empty for a part."""
    fingerprint: int
    part: Part | None
    via: str | None
    """The bind that can take the answer right after the commit; None: it is queued."""


class Stored(NamedTuple):
    """What is stored of a message that was worked on."""

    arrival: Arrival
    state: str
    text: str
    operation: str = ""
    outcome: str = ""
    subscriber_id: int | None = None
    reply_id: int | None = None
    error: str | None = None


def store_messages(connection: Connection, messages: Sequence[Stored]) -> None:
    """Store what came of messages; one statement."""
    rows = [
        (
            arrival.id,
            arrival.received_at,
            arrival.bind,
            arrival.line,
            arrival.profile,
            arrival.mobile,
            text,
            arrival.fingerprint,
            state,
            operation,
            outcome,
            subscriber_id,
            reply_id,
            error,
        )
        for arrival, state, text, operation, outcome, subscriber_id, reply_id, error in messages
    ]
    insert_rows(connection, inbox, _INBOX_COLUMNS, rows)


def hold(connection: Connection, message_id: int) -> None:
    """Keep others from working on a message until this transaction is over."""
    connection.execute(select(inbox.c.id).where(inbox.c.id == message_id).with_for_update())


def last_id(connection: Connection) -> int:
    """The greatest id of a message in the database: marks and suspects need growing ids."""
    tables = (inbox, inbox_parts, ussd_steps, outbox)
    greatest = (select(func.coalesce(func.max(table.c.id), 0)) for table in tables)
    return max(int(found) for found in connection.execute(union_all(*greatest)).scalars())


_INBOX_COLUMNS = (
    "id",
    "received_at",
    "bind",
    "line",
    "profile",
    "mobile",
    "text",
    "fingerprint",
    "state",
    "operation",
    "outcome",
    "subscriber_id",
    "reply_id",
    "error",
)
