"""Messages as they arrive: stored, joined from their parts, and recognised when redelivered.

An SMSC delivers again what it got no answer for. An arrival whose acknowledgement may not
have got out becomes a *suspect*, and only a redelivery that equals a suspect is taken as
the same message; otherwise two equal texts are two messages. A suspect is known

- while the daemon runs: the gateway says which acknowledgements a lost connection left
  unconfirmed (``Unconfirmed``);
- after a kill: every stored arrival later than the bind's mark, which each batch moves on
  to the last arrival whose acknowledgement the SMSC has surely read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    SmallInteger,
    Text,
    bindparam,
    delete,
    func,
    literal,
    select,
    union_all,
    update,
)

from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.ids import MAX_NODES, SEQUENCE_BITS, first_id_at
from core.tables import bind_marks, inbox, inbox_parts, outbox, suspects


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


class Unconfirmed(NamedTuple):
    """A committed arrival whose acknowledgement may not have got out."""

    arrival_id: int
    bind: str
    fingerprint: int
    since: int


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


def _node_of(column: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL shifts a bigint by an integer only.
    return column.bitwise_rshift(literal(SEQUENCE_BITS, Integer())).bitwise_and(MAX_NODES - 1)


# --- suspects -----------------------------------------------------------------------


def note_unconfirmed(connection: Connection, lost: Sequence[Unconfirmed]) -> None:
    """Make suspects of these, or make them suspects again when their redelivery was lost too."""
    if lost:
        rows = [(*entry, None) for entry in lost]
        connection.execute(_DROP_SUSPECTS, as_rows((entry.arrival_id,) for entry in lost))
        insert_rows(connection, suspects, _SUSPECT_COLUMNS, rows, or_ignore=True)


def only_stored(connection: Connection, arrivals: Sequence[Unconfirmed]) -> list[Unconfirmed]:
    """Those of ``arrivals`` that are in the database."""
    if not arrivals:
        return []
    rows = as_rows((entry.arrival_id,) for entry in arrivals)
    stored = {row[0] for row in connection.execute(_STORED, rows)}
    return [entry for entry in arrivals if entry.arrival_id in stored]


def drop_suspects(connection: Connection, arrival_ids: Collection[int]) -> None:
    """Forget suspects whose redelivery has surely been acknowledged."""
    if arrival_ids:
        connection.execute(_DROP_SUSPECTS, as_rows((key,) for key in arrival_ids))


def set_marks(connection: Connection, node: int, marks: Mapping[str, int]) -> None:
    """Move each bind's mark on: arrivals up to it are surely acknowledged."""
    if marks:
        keys = [(node, bind, confirmed) for bind, confirmed in marks.items()]
        connection.execute(_DROP_MARKS, as_rows(keys))
        insert_rows(connection, bind_marks, ("node", "bind", "confirmed_id"), keys)


def forget_suspects(connection: Connection, before: int) -> None:
    """Give up suspicion of what arrived before: an equal text is a new one by now."""
    connection.execute(delete(suspects).where(suspects.c.since < before))


def last_id(connection: Connection) -> int:
    """The greatest id of a message in the database: marks and suspects need growing ids."""
    tables = (inbox, inbox_parts, outbox)
    greatest = (select(func.coalesce(func.max(table.c.id), 0)) for table in tables)
    return max(int(found) for found in connection.execute(union_all(*greatest)).scalars())


def recover_suspects(connection: Connection, node: int, since: int) -> int:
    """After a kill: suspect every arrival later than its bind's mark; returns how many.

    Arrivals before ``since`` are past suspicion. Redeliveries that were acknowledged by the
    killed process are open again too.
    """
    forget_suspects(connection, since)
    connection.execute(
        update(suspects)
        .where(suspects.c.connection.is_not(None), _node_of(suspects.c.connection) == node)
        .values(connection=None)
    )
    known = select(suspects.c.arrival_id)
    found = union_all(
        *(
            select(
                table.c.id, table.c.bind, table.c.fingerprint, table.c.received_at, literal(None)
            )
            .join(
                bind_marks,
                (bind_marks.c.bind == table.c.bind) & (bind_marks.c.node == node),
                isouter=True,
            )
            .where(
                table.c.id > func.coalesce(bind_marks.c.confirmed_id, 0),
                table.c.received_at >= since,
                # The same in terms of the key, so that an old inbox is not read through.
                table.c.id >= first_id_at(since),
                _node_of(table.c.id) == node,
                table.c.id.not_in(known),
            )
            for table in (inbox, inbox_parts)
        )
    )
    # A joined message has the id of its last part and is found by both; once is enough.
    rows = {row[0]: tuple(row) for row in connection.execute(found)}
    insert_rows(connection, suspects, _SUSPECT_COLUMNS, list(rows.values()))
    # From here on the suspects themselves say what is not sure; after the next kill the
    # mark would name again those whose redelivery has been acknowledged meanwhile.
    marks: dict[str, int] = {}
    for arrival_id, bind, *_ in rows.values():
        marks[bind] = max(arrival_id, marks.get(bind, 0))
    set_marks(connection, node, marks)
    return len(rows)


def reopen_suspects(connection: Connection, node: int, acknowledged: Collection[int]) -> None:
    """Open again what this node took as redelivered in a commit whose answer was lost.

    ``acknowledged`` are the suspects whose redelivery it did acknowledge.
    """
    connection.execute(_REOPEN, {**as_rows((key,) for key in acknowledged), "node": node})


def take_redelivered(
    connection: Connection, arrivals: Sequence[Arrival], since: int
) -> dict[int, int]:
    """Which arrivals are redeliveries: arrival id → id of the suspect that it equals.

    Suspects from before ``since`` do not count. Each suspect is taken by one redelivery,
    and stays until that one's acknowledgement is confirmed.
    """
    if not arrivals:
        return {}
    # Not by bind: an SMSC may redeliver on another bind of the same account.
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    rows = as_rows((arrival.fingerprint,) for arrival in arrivals)
    for suspect_id, fingerprint in connection.execute(_OPEN_SUSPECTS, {**rows, "since": since}):
        waiting[fingerprint].append(suspect_id)
    taken: dict[int, int] = {}
    marks: list[tuple[int, int]] = []
    for arrival in arrivals if waiting else ():
        same = waiting.get(arrival.fingerprint)
        if same:
            taken[arrival.id] = same.pop(0)
            marks.append((taken[arrival.id], arrival.connection))
    update_rows(connection, suspects, ("arrival_id", "connection"), marks)
    return taken


# --- parts --------------------------------------------------------------------------


class Joined(NamedTuple):
    """A long message whose last part has come."""

    arrival: Arrival
    """The arrival of the part that completed it."""
    parts: tuple[Part, ...]
    """In order."""


def store_parts(connection: Connection, arrivals: Sequence[Arrival]) -> list[Joined]:
    """Store parts, and take out the messages that are complete now.

    A part that is already waiting is acknowledged again and stored once.
    """
    if not arrivals:
        return []
    keys = {(a.mobile, a.line, a.part.reference, a.part.total) for a in arrivals if a.part}
    waiting: defaultdict[tuple[str, str, int, int], dict[int, tuple[int, Part]]] = defaultdict(dict)
    for row in connection.execute(_WAITING_PARTS, as_rows(keys)):
        part_id, mobile, line, reference, total, number, coding, payload = row
        stored = Part(reference, total, number, coding, bytes.fromhex(payload))
        waiting[mobile, line, stored.reference, stored.total][stored.number] = (part_id, stored)
    new: list[tuple[object, ...]] = []
    complete: list[Joined] = []
    done: list[tuple[int, int, str]] = []
    for arrival in arrivals:
        part = arrival.part
        assert part is not None  # noqa: S101 - the caller sorts parts from whole messages
        known = waiting[arrival.mobile, arrival.line, part.reference, part.total]
        if part.number not in known:
            known[part.number] = (arrival.id, part)
            new.append(_part_row(arrival, part))
        if len(known) == part.total:
            ordered = tuple(known[number][1] for number in sorted(known))
            complete.append(Joined(arrival, ordered))
            done += [(part_id, arrival.id, "") for part_id, _part in known.values()]
            known.clear()
    insert_rows(connection, inbox_parts, _PART_COLUMNS, new)
    update_rows(connection, inbox_parts, ("id", "inbox_id", "payload"), done)
    return complete


class Overdue(NamedTuple):
    """A long message whose other parts never came."""

    bind: str
    line: str
    mobile: str
    received_at: int
    fingerprint: int
    reference: int
    part_ids: tuple[int, ...]

    def as_arrival(self, row_id: int) -> Arrival:
        """The message that is stored in its place."""
        return Arrival(
            row_id,
            self.received_at,
            self.bind,
            0,
            self.line,
            "",
            self.mobile,
            "",
            self.fingerprint,
            None,
            None,
        )


def take_overdue_parts(connection: Connection, before: int) -> list[Overdue]:
    """Give up on messages whose first part came before ``before`` and that are not complete."""
    rows = connection.execute(_OVERDUE_PARTS, {"before": before}).all()
    found: dict[tuple[str, str, int], Overdue] = {}
    for part_id, bind, line, mobile, received_at, fingerprint, reference in rows:
        overdue = Overdue(bind, line, mobile, received_at, fingerprint, reference, ())
        key = (overdue.mobile, overdue.line, overdue.reference)
        known = found.setdefault(key, overdue)
        found[key] = known._replace(part_ids=(*known.part_ids, part_id))
    marks = [(i, overdue.part_ids[0], "") for overdue in found.values() for i in overdue.part_ids]
    update_rows(connection, inbox_parts, ("id", "inbox_id", "payload"), marks)
    return list(found.values())


# --- messages -----------------------------------------------------------------------


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


_SUSPECT_COLUMNS = ("arrival_id", "bind", "fingerprint", "since", "connection")
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
_PART_COLUMNS = (
    "id",
    "received_at",
    "bind",
    "line",
    "mobile",
    "reference",
    "total",
    "number",
    "data_coding",
    "payload",
    "fingerprint",
)


def _part_row(arrival: Arrival, part: Part) -> tuple[object, ...]:
    return (
        arrival.id,
        arrival.received_at,
        arrival.bind,
        arrival.line,
        arrival.mobile,
        part.reference,
        part.total,
        part.number,
        part.data_coding,
        part.payload.hex(),
        arrival.fingerprint,
    )


_ids = unfolded({"id": BigInteger()})
_STORED = union_all(
    *(
        select(table.c.id).join_from(_ids, table, table.c.id == _ids.c.id)
        for table in (inbox, inbox_parts)
    )
)
_DROP_SUSPECTS = delete(suspects).where(suspects.c.arrival_id.in_(select(_ids.c.id)))
_REOPEN = (
    update(suspects)
    .where(
        suspects.c.connection.is_not(None),
        _node_of(suspects.c.connection) == bindparam("node"),
        suspects.c.arrival_id.not_in(select(_ids.c.id)),
    )
    .values(connection=None)
)
_prints = unfolded({"fingerprint": BigInteger()})
_OPEN_SUSPECTS = (
    select(suspects.c.arrival_id, suspects.c.fingerprint)
    .where(
        suspects.c.fingerprint.in_(select(_prints.c.fingerprint)),
        suspects.c.connection.is_(None),
        suspects.c.since >= bindparam("since"),
    )
    .order_by(suspects.c.arrival_id)
)
_marks = unfolded({"node": SmallInteger(), "bind": Text(), "confirmed_id": BigInteger()})
_DROP_MARKS = delete(bind_marks).where(
    bind_marks.c.node.in_(select(_marks.c.node)), bind_marks.c.bind.in_(select(_marks.c.bind))
)
_OVERDUE_PARTS = (
    select(
        inbox_parts.c.id,
        inbox_parts.c.bind,
        inbox_parts.c.line,
        inbox_parts.c.mobile,
        inbox_parts.c.received_at,
        inbox_parts.c.fingerprint,
        inbox_parts.c.reference,
    )
    .where(inbox_parts.c.inbox_id.is_(None), inbox_parts.c.received_at < bindparam("before"))
    .order_by(inbox_parts.c.id)
    .limit(1000)
)
_part_keys = unfolded(
    {"mobile": Text(), "line": Text(), "reference": BigInteger(), "total": SmallInteger()}
)
_WAITING_PARTS = (
    select(
        inbox_parts.c.id,
        inbox_parts.c.mobile,
        inbox_parts.c.line,
        inbox_parts.c.reference,
        inbox_parts.c.total,
        inbox_parts.c.number,
        inbox_parts.c.data_coding,
        inbox_parts.c.payload,
    )
    .join_from(
        _part_keys,
        inbox_parts,
        (inbox_parts.c.mobile == _part_keys.c.mobile)
        & (inbox_parts.c.line == _part_keys.c.line)
        & (inbox_parts.c.reference == _part_keys.c.reference)
        & (inbox_parts.c.total == _part_keys.c.total),
    )
    .where(inbox_parts.c.inbox_id.is_(None))
)
