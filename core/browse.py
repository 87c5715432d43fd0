"""What an operator looks at: the inbox and the outbox.

An outbox message is all rows with its ``message_id``; they were given ids in a row when
it was made (``core.outbox.Answer.ids``), so that its parts are found through the primary
key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    RowMapping,
    Select,
    func,
    select,
)

from core.box_filters import PRECEDENCE, InboxFilter, OutboxFilter, inbox_conditions, wanted_ids
from core.bulk import as_rows, unfolded
from core.database import by_index_only
from core.state_groups import Group, group_of
from core.tables import inbox, outbox, subscribers, templates


class Received(NamedTuple):
    """A message from a mobile, and what was done with it."""

    id: int
    received_at: int
    mobile: str
    line: str
    bind: str
    profile: str
    utility: str | None
    subscription: str | None
    text: str
    """With the secret code masked."""
    state: str
    operation: str
    outcome: str
    error: str | None
    reply_id: int | None
    reply: str | None
    reply_state: str | None


class Part(NamedTuple):
    """One part of a message on its way out."""

    id: int
    part: int
    state: str
    text: str
    attempts: int
    max_attempts: int
    due_at: int
    accepted_at: int | None
    """When the operator last took it."""
    changed_at: int
    smsc: str | None
    smsc_id: str | None
    code: int | None
    error: str | None
    over_at: int | None
    """When we learned that it came to its end, if it has."""


class Message(NamedTuple):
    """A message to a mobile."""

    id: int
    created_at: int
    mobile: str
    line: str
    utility: str | None
    subscription: str | None
    inbox_id: int | None
    """The message that it answers."""
    template: str | None
    """The name of the template that it was made by."""
    run_id: int | None
    """The campaign that it belongs to."""
    priority: int
    expires_at: int | None
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(part.text for part in self.parts)

    @property
    def state(self) -> str:
        """The state of the whole message."""
        states = {part.state for part in self.parts}
        return next(state.value for state in PRECEDENCE if state.value in states)

    @property
    def group(self) -> Group:
        """What that state means to people."""
        return group_of(self.state)

    @property
    def attempts(self) -> int:
        """How often its most stubborn part was tried."""
        return max(part.attempts for part in self.parts)

    @property
    def changed_at(self) -> int:
        """When anything happened to it last."""
        return max(part.changed_at for part in self.parts)


_RECEIVED = select(
    inbox, subscribers.c.utility, subscribers.c.number.label("subscription")
).outerjoin(subscribers, subscribers.c.id == inbox.c.subscriber_id)

# --- looking ------------------------------------------------------------------------


def list_inbox(connection: Connection, wanted: InboxFilter) -> list[Received]:
    """Received messages, the newest first."""
    query = (
        _RECEIVED.where(*inbox_conditions(wanted)).order_by(inbox.c.id.desc()).limit(wanted.limit)
    )
    return _received(connection, query)


def find_received(connection: Connection, message_id: int) -> Received | None:
    """One received message."""
    by_index_only(connection)
    found = _received(connection, _RECEIVED.where(inbox.c.id == message_id))
    return found[0] if found else None


def _received(connection: Connection, query: Select[Any]) -> list[Received]:
    rows = connection.execute(query).mappings().all()
    replies = {m.id: m for m in messages(connection, [row["reply_id"] for row in rows])}
    found = []
    for row in rows:
        reply = replies.get(row["reply_id"])
        extra = {
            "reply": reply.text if reply else None,
            "reply_state": reply.state if reply else None,
        }
        values = {**row, **extra}
        found.append(Received(**{name: values[name] for name in Received._fields}))
    return found


def list_outbox(connection: Connection, wanted: OutboxFilter) -> list[Message]:
    """Messages sent or to be sent, the newest first."""
    return messages(connection, connection.scalars(wanted_ids(wanted)))


def show_outbox(connection: Connection, message_id: int) -> Message | None:
    """One message with all its parts; the id of any of its parts will do."""
    first = connection.execute(
        select(outbox.c.message_id).where(outbox.c.id == message_id)
    ).scalar_one_or_none()
    found = messages(connection, [first])
    return found[0] if found else None


# --- underneath ---------------------------------------------------------------------


_wanted = unfolded({"id": BigInteger()}, "wanted")
_first = outbox.alias("first")
_part = outbox.alias("part")
_with_parts: FromClause = _wanted.join(_first, _first.c.id == _wanted.c.id).join(
    _part, (_part.c.id >= _first.c.id) & (_part.c.id < _first.c.id + _first.c.parts)
)
"""The parts of the messages whose ids are given as ``core.bulk.as_rows`` makes them."""
_PARTS = (
    select(
        _part,
        func.coalesce(subscribers.c.utility, templates.c.utility).label("utility"),
        subscribers.c.number.label("subscription"),
        templates.c.name.label("template"),
    )
    .select_from(
        _with_parts.outerjoin(subscribers, subscribers.c.id == _part.c.subscriber_id).outerjoin(
            templates, templates.c.id == _part.c.template_id
        )
    )
    .order_by(_part.c.id)
)


def messages(connection: Connection, ids: Iterable[int | None]) -> list[Message]:
    """Messages by id, in the order of ``ids``; unknown ones are left out."""
    wanted = [message_id for message_id in ids if message_id is not None]
    if not wanted:
        return []
    rows = connection.execute(_PARTS, as_rows((key,) for key in wanted)).mappings().all()
    found: dict[int, Message] = {}
    for message_id, parts in groupby(rows, key=itemgetter("message_id")):
        found[message_id] = _message(list(parts))
    return [found[message_id] for message_id in wanted if message_id in found]


def _message(rows: Sequence[RowMapping]) -> Message:
    parts = tuple(Part(**{name: row[name] for name in Part._fields}) for row in rows)
    names = [name for name in Message._fields if name != "parts"]
    return Message(**{name: rows[0][name] for name in names}, parts=parts)
