"""What an operator looks at: the inbox and the outbox.

An outbox message is all rows with its ``message_id``; they were given ids in a row when
it was made (``core.outbox.Answer.ids``), so that its parts are found through the primary
key. The state of a message is the one of its parts' states that says most: see
``PRECEDENCE``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    case,
    exists,
    func,
    literal_column,
    select,
)

from core.attempts import Attempt, histories
from core.bulk import as_rows, unfolded
from core.ids import first_id_at
from core.outbox import Result, State
from core.state_groups import Group, group_of, states_named
from core.tables import inbox, outbox, subscribers, templates

PRECEDENCE = (
    State.REJECTED,
    State.UNDELIVERABLE,
    State.EXPIRED,
    State.CANCELLED,
    State.SUPPRESSED,
    State.UNCERTAIN,
    State.HELD,
    State.WAITING,
    State.SENDING,
    State.QUEUED,
    State.ACCEPTED,
    State.DELIVERED,
)
"""The first of these that any part is in is the message's: it is delivered only when every
part is, and failed when one part failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What both boxes can be searched by; None does not restrict."""

    mobile: str | None = None
    """E.164 digits without ``+``."""
    subscription: str | None = None
    """A subscription number, of any utility."""
    state: str | None = None
    line: str | None = None
    since: int | None = None
    """UTC milliseconds; the first that counts …"""
    until: int | None = None
    """… and the first that no longer does."""
    limit: int | None = 50
    """None takes all."""


class InboxFilter(_Filter):
    """Which received messages; ``state`` is the inbox row's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFilter(_Filter):
    """Which messages sent or to be sent.

    ``state`` is the whole message's: any word of ``core.state_groups.CHOICES``.
    """

    template: str | None = None
    """The name of a template, of any utility."""
    run: int | None = None
    """A campaign."""


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


# --- looking ------------------------------------------------------------------------


def list_inbox(connection: Connection, wanted: InboxFilter) -> list[Received]:
    """Received messages, the newest first."""
    query = (
        select(inbox, subscribers.c.utility, subscribers.c.number.label("subscription"))
        .outerjoin(subscribers, subscribers.c.id == inbox.c.subscriber_id)
        .where(*_conditions(inbox, wanted))
        .order_by(inbox.c.id.desc())
        .limit(wanted.limit)
    )
    if wanted.state is not None:
        query = query.where(inbox.c.state == wanted.state)
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


def show_history(connection: Connection, message: Message) -> list[tuple[int, Attempt]]:
    """Every attempt to send each part of a message, and what receipts said: (part, attempt).

    Part by part, in the order in which it happened.
    """
    put_down = histories(connection, [part.id for part in message.parts])
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


_BY_RECEIPT = frozenset(
    {State.DELIVERED, State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.SUPPRESSED}
)


def show_outbox(connection: Connection, message_id: int) -> Message | None:
    """One message with all its parts; the id of any of its parts will do."""
    first = connection.execute(
        select(outbox.c.message_id).where(outbox.c.id == message_id)
    ).scalar_one_or_none()
    found = messages(connection, [first])
    return found[0] if found else None


# --- underneath ---------------------------------------------------------------------


def _conditions(table: Table, wanted: _Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.mobile is not None:
        yield table.c.mobile == wanted.mobile
    if wanted.line is not None:
        yield table.c.line == wanted.line
    if wanted.subscription is not None:
        yield table.c.subscriber_id.in_(
            select(subscribers.c.id).where(subscribers.c.number == wanted.subscription)
        )
    # Ids grow with time, so that a period is a range of the primary key.
    if wanted.since is not None:
        yield table.c.id >= first_id_at(wanted.since)
    if wanted.until is not None:
        yield table.c.id < first_id_at(wanted.until)


# A literal, as the indexes of first parts cannot know what a parameter is.
_IS_FIRST = outbox.c.part == literal_column("1")


def wanted_ids(
    wanted: OutboxFilter, any_part: Collection[State] | None = None
) -> Select[tuple[int]]:
    """The query for the ids of the messages that are wanted, the newest first.

    With ``any_part`` only of those that have a part in one of these states.
    """
    query = select(outbox.c.id).where(_IS_FIRST, *_conditions(outbox, wanted))
    if wanted.run is not None:
        query = query.where(outbox.c.run_id == wanted.run)
    if wanted.template is not None:
        named = select(templates.c.id).where(templates.c.name == wanted.template)
        query = query.where(outbox.c.template_id.in_(named))
    if wanted.state is not None:
        places = [PRECEDENCE.index(state) for state in states_named(wanted.state)]
        query = query.where(_whole_state().in_(places))
    if any_part is not None:
        query = query.where(_has_part(any_part))
    return query.order_by(outbox.c.id.desc()).limit(wanted.limit)


def _has_part(states: Collection[State]) -> ColumnElement[bool]:
    """Whether any part of a message is in one of these states, next to its first part's row."""
    parts = outbox.alias("parts")
    return exists().where(
        parts.c.id >= outbox.c.id,
        parts.c.id < outbox.c.id + outbox.c.parts,
        parts.c.state.in_(sorted(state.value for state in states)),
    )


def _whole_state() -> ColumnElement[int]:
    """The place in ``PRECEDENCE`` of a message's state, next to its first part's row."""
    parts = outbox.alias("parts")
    places = {state.value: place for place, state in enumerate(PRECEDENCE)}
    return (
        select(func.min(case(places, value=parts.c.state)))
        .where(parts.c.id >= outbox.c.id, parts.c.id < outbox.c.id + outbox.c.parts)
        .scalar_subquery()
    )


_wanted = unfolded({"id": BigInteger()}, "wanted")
_first = outbox.alias("first")
PART = outbox.alias("part")
WITH_PARTS: FromClause = _wanted.join(_first, _first.c.id == _wanted.c.id).join(
    PART, (PART.c.id >= _first.c.id) & (PART.c.id < _first.c.id + _first.c.parts)
)
"""The parts of the messages whose ids are given as ``core.bulk.as_rows`` makes them."""
_PARTS = (
    select(
        PART,
        func.coalesce(subscribers.c.utility, templates.c.utility).label("utility"),
        subscribers.c.number.label("subscription"),
        templates.c.name.label("template"),
    )
    .select_from(
        WITH_PARTS.outerjoin(subscribers, subscribers.c.id == PART.c.subscriber_id).outerjoin(
            templates, templates.c.id == PART.c.template_id
        )
    )
    .order_by(PART.c.id)
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
