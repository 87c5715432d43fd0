"""What there is to tell a webhook: read by position, as JSON can say it.

Ids are texts, since JSON's numbers do not hold them in every language; instants are ISO 8601
in UTC. Of messages that went out the words are not told again, and those that came in have
every secret code masked, as they are stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Integer, bindparam, select, text, tuple_

from core.browse import Message, messages
from core.calls import Scalar
from core.database import by_index_only
from core.events import EventKind
from core.events.facts import read_about
from core.ids import first_id_at
from core.jalali import iso
from core.state_groups import Group, group_of
from core.tables import IS_OVER, events, inbox, outbox, subscribers
from core.webhooks.store import Position, Webhook
from core.webhooks.topics import GROUPS

MOST_ITEMS: Final = 100
"""In one call."""
READ_MOST: Final = 400
"""Rows that are looked at for one call."""

Item = dict[str, Any]


class Whose(NamedTuple):
    """Whose data a row is, where it does not say so itself."""

    profiles: Mapping[str, str]
    """Profile → utility."""
    lines: Mapping[str, str]
    """Line → utility."""


class News(NamedTuple):
    """What one call tells, and how far it comes."""

    items: Sequence[Item]
    position: Position
    is_all: bool
    """Whether there is nothing more behind it for now."""

    @property
    def is_new(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.items)


def read_news(connection: Connection, webhook: Webhook, whose: Whose, until: int) -> News:
    """What happened before ``until`` (UTC milliseconds) that the webhook was not told of."""
    by_index_only(connection)
    reading = _Reading(connection, webhook, whose, until)
    items: list[Item] = []
    for wanted, read in (
        (webhook.topics.inbound, reading.inbound),
        (webhook.topics.events, reading.events),
        (webhook.topics.states, reading.states),
    ):
        if wanted:
            items += islice(read(), MOST_ITEMS - len(items))
    is_all = len(items) < MOST_ITEMS and not reading.is_cut
    return News(items, Position(**reading.position), is_all)


class _Reading:
    """One look; its position moves with each row that is taken or passed over."""

    def __init__(self, connection: Connection, webhook: Webhook, whose: Whose, until: int) -> None:
        self._connection = connection
        self._utility = webhook.utility
        self._topics = webhook.topics
        self._whose = whose
        self._until = until
        self.position: dict[str, int] = webhook.position._asdict()
        self.is_cut = False
        """Whether there may be more rows than were looked at."""

    def _is_ours(self, utility: str | None) -> bool:
        return self._utility in ("", utility)

    def inbound(self) -> Iterator[Item]:
        """Messages that came in."""
        for row in self._rows(_INBOX, "inbound_id"):
            self.position["inbound_id"] = row.id
            utility = row.utility or self._whose.profiles.get(row.profile)
            if self._is_ours(utility):
                yield _received(row, utility)

    def events(self) -> Iterator[Item]:
        """What happened to subscribers."""
        for row in self._rows(_EVENTS, "event_id"):
            self.position["event_id"] = row.id
            if self._is_ours(row.utility) and self._topics.wants_event(row.kind):
                yield _event(row)

    def states(self) -> Iterator[Item]:
        """What became of messages, once it is known of all their parts."""
        at = self.position
        behind = {"at": at["state_at"], "id": at["state_id"], "until": self._until}
        rows = self._connection.execute(_OVER, {**behind, "most": READ_MOST}).all()
        self.is_cut |= len(rows) == READ_MOST
        known = {m.id: m for m in messages(self._connection, {row.message_id for row in rows})}
        for row in rows:
            self.position |= {"state_at": row.over_at, "state_id": row.id}
            message = known.get(row.message_id)
            if message is None:
                continue
            utility = message.utility or self._whose.lines.get(message.line)
            is_wanted = self._is_ours(utility) and self._topics.wants_state(message.group)
            if is_wanted and _ended_with(message, row.id):
                yield _message(message, utility)

    def _rows(self, query: Any, name: str) -> Sequence[Any]:
        end = first_id_at(self._until)
        values = {"behind": self.position[name], "end": end, "most": READ_MOST}
        rows = self._connection.execute(query, values).all()
        self.is_cut |= len(rows) == READ_MOST
        return rows


def _ended_with(message: Message, row_id: int) -> bool:
    """Whether all its parts have ended, and this one was the last."""
    last = max(message.parts, key=lambda part: (part.over_at or 0, part.id))
    return last.id == row_id and all(group_of(part.state) in GROUPS for part in message.parts)


def _received(row: Any, utility: str | None) -> Item:
    return {
        "type": "inbound",
        "id": str(row.id),
        "at": iso(row.received_at),
        "utility": utility,
        "line": row.line,
        "mobile": row.mobile,
        "subscription": row.number,
        "text": row.text,
        "state": row.state,
        "operation": row.operation or None,
        "outcome": row.outcome or None,
    }


def _event(row: Any) -> Item:
    return {
        "type": "event",
        "id": str(row.id),
        "at": iso(row.at),
        "utility": row.utility,
        "kind": row.kind,
        "subscription": row.number,
        "mobile": row.mobile,
        "facts": _facts(row.kind, row.about),
    }


def _facts(kind: str, about: str) -> dict[str, Any]:
    """The facts of an event; dates and instants as ISO 8601."""
    if kind not in set(EventKind):
        stored: dict[str, Any] = json.loads(about)
        return stored
    return {name: _as_json(value) for name, value in read_about(EventKind(kind), about).items()}


def _as_json(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    return value.isoformat() if isinstance(value, date) else value


def _message(message: Message, utility: str | None) -> Item:
    error = next((part.error for part in message.parts if part.error), None)
    if message.group is Group.DELIVERED:
        error = None  # operators give "000" with it
    return {
        "type": "message",
        "id": str(message.id),
        "at": iso(message.changed_at),
        "utility": utility,
        "line": message.line,
        "mobile": message.mobile,
        "subscription": message.subscription,
        "state": message.group.value,
        "exact_state": message.state,
        "error": error,
        "parts": len(message.parts),
        "answers": None if message.inbox_id is None else str(message.inbox_id),
        "template": message.template,
        "campaign": None if message.run_id is None else str(message.run_id),
        "created_at": iso(message.created_at),
    }


_BEHIND: Final = bindparam("behind", type_=BigInteger)
_END: Final = bindparam("end", type_=BigInteger)
_MOST: Final = bindparam("most", type_=Integer)
_INBOX: Final = (
    select(inbox, subscribers.c.number, subscribers.c.utility)
    .outerjoin(subscribers, subscribers.c.id == inbox.c.subscriber_id)
    .where(inbox.c.id > _BEHIND, inbox.c.id < _END)
    .order_by(inbox.c.id)
    .limit(_MOST)
)
_EVENTS: Final = (
    select(events, subscribers.c.number)
    .outerjoin(subscribers, subscribers.c.id == events.c.subscriber_id)
    .where(events.c.id > _BEHIND, events.c.id < _END)
    .order_by(events.c.id)
    .limit(_MOST)
)
_OVER: Final = (
    select(outbox.c.id, outbox.c.message_id, outbox.c.over_at)
    .where(
        text(f"outbox.{IS_OVER}"),
        tuple_(outbox.c.over_at, outbox.c.id)
        > tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=BigInteger)),
        outbox.c.over_at < bindparam("until", type_=BigInteger),
    )
    .order_by(outbox.c.over_at, outbox.c.id)
    .limit(_MOST)
)
