"""The message box of requests: what a counter office and the utility write to each other.

A request that an office registered has a box, in every state (seed 000, annex 1, counter
service 2: صندوق پیام جهت تبادل). It is between the two: nothing of it is told to the subscriber.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)

from core.requests.counter import Counter, RequestError, hold
from core.requests.rows import Request
from core.tables import request_messages, requests, subscribers
from core.text import storable

LONGEST: Final = 2000
"""Characters of one message."""


class Side(StrEnum):
    """Who writes."""

    OFFICE = "office"
    UTILITY = "utility"

    @property
    def other(self) -> Side:
        """Who reads it."""
        return Side.UTILITY if self is Side.OFFICE else Side.OFFICE


class Writing(NamedTuple):
    """A message as somebody writes it."""

    side: Side
    text: str
    after: int | None = None
    """The id of the last message that its writer has seen, 0 for none.

    Where others have come since it is refused, unless it is itself the last: a form sent twice.
    """


class Message(NamedTuple):
    """One message: the columns of its row, in order."""

    id: int
    request_id: int
    at: int
    """UTC milliseconds."""
    side: str
    by: str
    text: str
    seen_at: int | None
    """When the other side read it."""


class Reader(NamedTuple):
    """Who looks into the boxes."""

    side: Side
    utilities: Collection[str] | None
    """Whose requests they may write about; None: every one's."""
    office: str = ""
    """Of the office's side."""


class Box(NamedTuple):
    """A request's box in a list."""

    request: Request
    number: str | None
    """Of its subscription."""
    last: Message
    unseen: int
    """Messages of the other side that the reader's has not read."""

    @property
    def id(self) -> int:
        """What a list goes on before."""
        return self.last.id


_COLUMNS = tuple(request_messages.c[name] for name in Message._fields)
_UNSEEN: Final = request_messages.c.seen_at.is_(None)


def write(connection: Connection, counter: Counter, tracking: str, new: Writing) -> Message:
    """Write to the other side; ``counter.by`` says who does, having read what is there.

    Raises ``RequestError``.
    """
    said = storable(new.text).strip()
    if not said:
        raise RequestError("there is nothing in the message", "empty", "text")
    if len(said) > LONGEST:
        raise RequestError(f"{len(said)} characters; {LONGEST} are taken", "long", "text")
    request_id = _request_with_box(connection, counter.utility, tracking)
    last = _last(connection, request_id)
    if new.after is not None and last is not None and last.id > new.after:
        if (last.side, last.by, last.text) == (new.side, counter.by, said):
            return last
        raise RequestError("another message came meanwhile: read it first", "answered", "text")
    if last is not None:
        note_seen(connection, request_id, new.side, last.id, counter.now)
    made = connection.execute(
        insert(request_messages)
        .values(
            request_id=request_id, at=counter.now, side=new.side.value, by=counter.by, text=said
        )
        .returning(*_COLUMNS)
    ).one()
    return Message._make(made)


def _request_with_box(connection: Connection, utility: str, tracking: str) -> int:
    wanted = select(requests.c.id, requests.c.tracking, requests.c.office)
    row = hold(connection, utility, tracking, wanted)
    if row.office is None:
        words = f"{row.tracking} came from no counter office: it has no box"
        raise RequestError(words, "no_office")
    return int(row.id)


def _last(connection: Connection, request_id: int) -> Message | None:
    row = connection.execute(
        select(*_COLUMNS)
        .where(request_messages.c.request_id == request_id)
        .order_by(request_messages.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Message._make(row)


def read_box(connection: Connection, request_id: int) -> list[Message]:
    """All that was written about a request, the oldest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(request_messages.c.request_id == request_id)
        .order_by(request_messages.c.id)
    )
    return [Message._make(row) for row in rows]


def note_seen(connection: Connection, request_id: int, side: Side, up_to: int, now: int) -> None:
    """Note that ``side`` has read what the other one wrote, up to a message's id."""
    connection.execute(
        update(request_messages)
        .where(
            request_messages.c.request_id == request_id,
            request_messages.c.id <= up_to,
            request_messages.c.side == side.other.value,
            _UNSEEN,
        )
        .values(seen_at=now)
    )


def count_unseen(connection: Connection, reader: Reader) -> int:
    """How many messages wait for the reader's side."""
    count = _COUNTS[reader.side, reader.utilities is not None]
    return connection.execute(count, _whose(reader)).scalar_one()


def list_boxes(
    connection: Connection,
    reader: Reader,
    *,
    only_unseen: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[Box]:
    """Boxes in which something was written, that of the newest message first.

    ``before``: the id of the last message of the page before.
    """
    newer = request_messages.alias("newer")
    is_last = ~exists().where(
        newer.c.request_id == request_messages.c.request_id, newer.c.id > request_messages.c.id
    )
    conditions = [is_last, *_own(reader.side, of_some=reader.utilities is not None)]
    if only_unseen:
        waiting = request_messages.alias("waiting")
        conditions.append(
            requests.c.id.in_(
                select(waiting.c.request_id).where(
                    waiting.c.side == reader.side.other.value, waiting.c.seen_at.is_(None)
                )
            )
        )
    if before is not None:
        conditions.append(request_messages.c.id < before)
    rows = connection.execute(
        _listed().where(*conditions).order_by(request_messages.c.id.desc()).limit(limit),
        _whose(reader),
    ).all()
    width = len(Request._fields)
    found = [
        (Request._make(row[:width]), row[width], Message._make(row[width + 1 :])) for row in rows
    ]
    unseen = unseen_of(connection, reader.side, [request.id for request, _, _ in found])
    return [
        Box(request, number, last, unseen.get(request.id, 0)) for request, number, last in found
    ]


def _own(side: Side, *, of_some: bool) -> list[ColumnElement[bool]]:
    """The requests of a reader, whose values are ``_whose``; ``of_some``: not every utility's."""
    conditions: list[ColumnElement[bool]] = [requests.c.office.is_not(None)]
    if side is Side.OFFICE:
        conditions = [requests.c.office == bindparam("office")]
    if of_some:
        conditions.append(requests.c.utility.in_(bindparam("utilities", expanding=True)))
    return conditions


def _whose(reader: Reader) -> dict[str, Any]:
    return {"office": reader.office, "utilities": sorted(reader.utilities or ())}


_COUNTS: Final = {
    (side, of_some): select(func.count())
    .select_from(request_messages)
    .join(requests, requests.c.id == request_messages.c.request_id)
    .where(request_messages.c.side == side.other.value, _UNSEEN, *_own(side, of_some=of_some))
    for side in Side
    for of_some in (False, True)
}
"""By the side that reads and whether it is for some utilities alone; built once, as every page
of the desk tells how many wait."""


def _listed() -> Select[Any]:
    return (
        select(*(requests.c[name] for name in Request._fields), subscribers.c.number, *_COLUMNS)
        .select_from(request_messages)
        .join(requests, requests.c.id == request_messages.c.request_id)
        .outerjoin(subscribers, subscribers.c.id == requests.c.subscriber_id)
    )


def unseen_of(connection: Connection, side: Side, ids: Collection[int]) -> dict[int, int]:
    """How many messages wait for ``side``, by request; those without any are left out."""
    if not ids:
        return {}
    rows = connection.execute(
        select(request_messages.c.request_id, func.count())
        .where(
            request_messages.c.side == side.other.value,
            _UNSEEN,
            request_messages.c.request_id.in_(sorted(ids)),
        )
        .group_by(request_messages.c.request_id)
    )
    return {row[0]: row[1] for row in rows}
