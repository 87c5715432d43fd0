"""Long messages: their parts are stored until all are there, in whatever order they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    SmallInteger,
    Text,
    bindparam,
    select,
)

from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.inbox import Arrival, Part
from core.statements import fetch
from core.tables import inbox_parts


class Joined(NamedTuple):
    """A long message whose last part has come."""

    arrival: Arrival
    """The arrival of the part that completed it."""
    parts: tuple[Part, ...]
    """In order."""


def store_parts(connection: Connection, arrivals: Sequence[Arrival]) -> list[Joined]:
    """Store parts, and take out the messages that are complete now.

    A part that is already waiting is acknowledged again and stored once; one that has the
    place of another begins a new message.
    """
    if not arrivals:
        return []
    keys = {(a.mobile, a.line, a.part.reference, a.part.total) for a in arrivals if a.part}
    waiting: defaultdict[tuple[str, str, int, int], dict[int, tuple[int, Part]]] = defaultdict(dict)
    for row in fetch(connection, _WAITING_PARTS, as_rows(keys)):
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
        if part.number in known and known[part.number][1].payload != part.payload:
            # The phone has used its reference again: what is waiting will never be complete.
            done += [(part_id, part_id, "") for part_id, _part in known.values()]
            known.clear()
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
    rows = fetch(connection, _OVERDUE_PARTS, {"before": before})
    found: dict[tuple[str, str, int], Overdue] = {}
    for part_id, bind, line, mobile, received_at, fingerprint, reference in rows:
        overdue = Overdue(bind, line, mobile, received_at, fingerprint, reference, ())
        key = (overdue.mobile, overdue.line, overdue.reference)
        known = found.setdefault(key, overdue)
        found[key] = known._replace(part_ids=(*known.part_ids, part_id))
    marks = [(i, overdue.part_ids[0], "") for overdue in found.values() for i in overdue.part_ids]
    update_rows(connection, inbox_parts, ("id", "inbox_id", "payload"), marks)
    return list(found.values())


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
