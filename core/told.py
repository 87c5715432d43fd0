"""The whole history of a message: what was put down of its attempts, and what its rows tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from core.attempts import Attempt, histories
from core.browse import Message, Part, show_outbox
from core.outbox import Result, State

_BY_RECEIPT = frozenset(
    {State.DELIVERED, State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.SUPPRESSED}
)


def show_with_history(
    connection: Connection, message_id: int
) -> tuple[Message, list[tuple[int, Attempt]]] | None:
    """One message and its history; the id of any of its parts will do."""
    message = show_outbox(connection, message_id)
    return (message, history_of(connection, message)) if message else None


def history_of(connection: Connection, message: Message) -> list[tuple[int, Attempt]]:
    """Every attempt to send each part of a message, and what receipts said: (part, attempt).

    Part by part, in the order in which it happened.
    """
    return histories_of(connection, [message])[message.id]


def histories_of(
    connection: Connection, messages: Sequence[Message]
) -> dict[int, list[tuple[int, Attempt]]]:
    """The history of each message by its id; one statement."""
    parts = [part.id for message in messages for part in message.parts]
    put_down = histories(connection, parts) if parts else {}
    return {message.id: _history(message, put_down) for message in messages}


def _history(
    message: Message, put_down: Mapping[int, Sequence[Attempt]]
) -> list[tuple[int, Attempt]]:
    return [
        (part.part, attempt)
        for part in message.parts
        for attempt in (*put_down.get(part.id, ()), *_of_row(part, put_down.get(part.id, ())))
    ]


def _of_row(part: Part, put_down: Sequence[Attempt]) -> Iterator[Attempt]:
    """What the row itself still tells of its last attempt."""
    row_id, smsc, smsc_id = part.id, part.smsc or "", part.smsc_id
    accepted = Result.ACCEPTED.value
    if part.accepted_at is not None and not any(
        one.result == accepted and one.at == part.accepted_at for one in put_down
    ):
        yield Attempt(row_id, part.accepted_at, None, smsc, smsc_id, accepted, 0, None)
    if smsc_id is not None and part.state in _BY_RECEIPT:
        yield Attempt(row_id, part.changed_at, None, smsc, smsc_id, part.state, None, part.error)
