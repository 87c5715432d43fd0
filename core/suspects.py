"""Arrivals that may be delivered again, and how a redelivery is recognised.

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
from typing import NamedTuple, Protocol

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

from core.bulk import as_rows, has_rows, insert_rows, unfolded, update_rows
from core.ids import MAX_NODES, SEQUENCE_BITS, first_id_at
from core.statements import change, fetch
from core.tables import bind_marks, inbox, inbox_parts, suspects, ussd_steps


class Arrived(Protocol):
    """Whatever comes from a network and is acknowledged: a text, a part, a USSD input."""

    @property
    def id(self) -> int:
        """Under which it is stored."""

    @property
    def received_at(self) -> int:
        """UTC milliseconds."""

    @property
    def connection(self) -> int:
        """What it came on."""

    @property
    def fingerprint(self) -> int:
        """Equal when the same comes again."""


class Unconfirmed(NamedTuple):
    """A committed arrival whose acknowledgement may not have got out."""

    arrival_id: int
    bind: str
    fingerprint: int
    since: int


def note_unconfirmed(connection: Connection, lost: Sequence[Unconfirmed]) -> None:
    """Make suspects of these, or make them suspects again when their redelivery was lost too."""
    if lost:
        rows = [(*entry, None) for entry in lost]
        change(connection, _DROP_SUSPECTS, as_rows((entry.arrival_id,) for entry in lost))
        insert_rows(connection, suspects, _SUSPECT_COLUMNS, rows, or_ignore=True)


def only_stored(connection: Connection, arrivals: Sequence[Unconfirmed]) -> list[Unconfirmed]:
    """Those of ``arrivals`` that are in the database."""
    if not arrivals:
        return []
    rows = as_rows((entry.arrival_id,) for entry in arrivals)
    stored = {row[0] for row in fetch(connection, _STORED, rows)}
    return [entry for entry in arrivals if entry.arrival_id in stored]


def drop_suspects(connection: Connection, arrival_ids: Collection[int]) -> None:
    """Forget suspects whose redelivery has surely been acknowledged."""
    if arrival_ids:
        change(connection, _DROP_SUSPECTS, as_rows((key,) for key in arrival_ids))


def set_marks(connection: Connection, node: int, marks: Mapping[str, int]) -> None:
    """Move each bind's mark on: arrivals up to it are surely acknowledged."""
    if marks:
        keys = [(node, bind, confirmed) for bind, confirmed in marks.items()]
        change(connection, _DROP_MARKS, as_rows(keys))
        insert_rows(connection, bind_marks, ("node", "bind", "confirmed_id"), keys)


def forget_suspects(connection: Connection, before: int) -> None:
    """Give up suspicion of what arrived before: an equal text is a new one by now."""
    connection.execute(delete(suspects).where(suspects.c.since < before))


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
            for table in _ARRIVED
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
    change(connection, _REOPEN, {**as_rows((key,) for key in acknowledged), "node": node})


def take_redelivered(
    connection: Connection, arrivals: Sequence[Arrived], since: int
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
    for suspect_id, fingerprint in fetch(connection, _OPEN_SUSPECTS, {**rows, "since": since}):
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


def _node_of(column: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL shifts a bigint by an integer only.
    return column.bitwise_rshift(literal(SEQUENCE_BITS, Integer())).bitwise_and(MAX_NODES - 1)


_ARRIVED = (inbox, inbox_parts, ussd_steps)
_SUSPECT_COLUMNS = ("arrival_id", "bind", "fingerprint", "since", "connection")
_ids = unfolded({"id": BigInteger()})
_STORED = union_all(
    *(select(table.c.id).join_from(_ids, table, table.c.id == _ids.c.id) for table in _ARRIVED)
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
        suspects.c.fingerprint.in_(select(_prints.c.fingerprint).where(has_rows(suspects))),
        suspects.c.connection.is_(None),
        suspects.c.since >= bindparam("since"),
    )
    .order_by(suspects.c.arrival_id)
)
_marks = unfolded({"node": SmallInteger(), "bind": Text(), "confirmed_id": BigInteger()})
_DROP_MARKS = delete(bind_marks).where(
    bind_marks.c.node.in_(select(_marks.c.node)), bind_marks.c.bind.in_(select(_marks.c.bind))
)
