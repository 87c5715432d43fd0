"""Messages one after the other, in pages that hold nobody up.

A period is a range of the outbox's primary key, whose ids grow with time; one mobile or one
subscription has an index of its own. Each page is a transaction that only reads and is over
within milliseconds, so that neither batches nor the write-ahead log wait for a report. What
changes between two pages is reported as it is then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    func,
    literal_column,
    select,
)

from core.box_filters import PRECEDENCE
from core.bulk import as_rows, unfolded
from core.database import Reader, by_index_only
from core.ids import first_id_at
from core.outbox import State
from core.reports.types import Wanted
from core.state_groups import states_named
from core.tables import inbox, outbox, runs, subscribers, templates

PAGE_ROWS: Final = 5_000
_A_WHILE_MS: Final = 60_000
"""So far may the ids of messages be ahead of the clock that says when they were made."""
_FEW: Final = 500
"""Messages of one mobile or subscription in a page."""
_PLACES: Final = {state.value: place for place, state in enumerate(PRECEDENCE)}
_STATES: Final = {state.value: state for state in State}
_TAKEN: Final = frozenset({State.ACCEPTED.value, State.DELIVERED.value})


class Sent(NamedTuple):
    """A whole message, made to be sent."""

    id: int
    mobile: str
    line: str
    subscriber_id: int | None
    template_id: int | None
    run_id: int | None
    parts: int
    state: State
    """The one of its parts that says most (``core.box_filters.PRECEDENCE``)."""
    is_sent: bool
    """Whether the operator has taken every part."""
    attempts: int
    """Of the part that was tried most often."""
    accepted_at: int | None
    """When the operator took the last of its parts."""
    changed_at: int
    smsc: str | None
    code: int | None
    error: str | None


class Text(NamedTuple):
    """A text that came in."""

    id: int
    mobile: str
    line: str
    subscriber_id: int | None
    state: str
    operation: str
    outcome: str
    error: str | None


class _Narrowed(NamedTuple):
    """What is wanted, with every name looked up."""

    wanted: Wanted
    templates: Sequence[int] | None
    subscribers: Sequence[int] | None


def sent_messages(database: Reader, wanted: Wanted) -> Iterator[Sent]:
    """Messages that were made, the oldest first. Raises ``DatabaseUnavailable``."""
    narrowed = database.read("report.names", _narrow, wanted)
    places = None
    if wanted.state is not None:
        places = {_PLACES[state.value] for state in states_named(wanted.state)}
    is_of_one = narrowed.wanted.mobile is not None or narrowed.subscribers is not None
    read = _read_of_one if is_of_one else _read_range
    after = first_id_at(narrowed.wanted.since or 0) - 1
    while True:
        found, after = database.read("report.page", read, narrowed, after)
        for message in found:
            if places is None or _PLACES[message.state.value] in places:
                yield message
        if not after:
            return


def received_texts(database: Reader, wanted: Wanted) -> Iterator[Text]:
    """Texts that came in, the oldest first; none of a template or a campaign."""
    if wanted.template is not None or wanted.run is not None:
        return
    narrowed = database.read("report.names", _narrow, wanted)
    after = first_id_at(wanted.since or 0) - 1
    while True:
        found, after = database.read("report.page", _read_texts, narrowed, after)
        yield from found
        if not after:
            return


# --- what is wanted -------------------------------------------------------------------


def _narrow(connection: Connection, wanted: Wanted) -> _Narrowed:
    """Look up what is named; a campaign has a period of its own."""
    named = whose = None
    if wanted.template is not None:
        one = select(templates.c.id).where(templates.c.name == wanted.template)
        named = list(connection.scalars(one))
    if wanted.subscription is not None:
        one = select(subscribers.c.id).where(subscribers.c.number == wanted.subscription)
        whose = list(connection.scalars(one))
    if wanted.run is not None:
        columns = (runs.c.created_at, func.coalesce(runs.c.produced_at, runs.c.ended_at))
        run = connection.execute(select(*columns).where(runs.c.id == wanted.run)).one_or_none()
        if run is not None:
            since, produced = run
            wanted = replace(wanted, since=max(wanted.since or 0, since))
            if produced is not None:
                until = produced + _A_WHILE_MS
                wanted = replace(wanted, until=min(wanted.until or until, until))
    return _Narrowed(wanted, named, whose)


def _conditions(table: Table, narrowed: _Narrowed, after: int) -> Iterator[ColumnElement[bool]]:
    wanted = narrowed.wanted
    yield table.c.id > after
    if wanted.until is not None:
        yield table.c.id < first_id_at(wanted.until)
    if wanted.mobile is not None:
        yield table.c.mobile == wanted.mobile
    if narrowed.subscribers is not None:
        if len(narrowed.subscribers) == 1:
            yield table.c.subscriber_id == narrowed.subscribers[0]
        else:
            yield table.c.subscriber_id.in_(narrowed.subscribers)
    if wanted.lines is not None:
        yield table.c.line.in_(sorted(wanted.lines))


def _of_outbox(narrowed: _Narrowed, after: int) -> Iterator[ColumnElement[bool]]:
    yield from _conditions(outbox, narrowed, after)
    if narrowed.templates is not None:
        yield outbox.c.template_id.in_(narrowed.templates)
    if narrowed.wanted.run is not None:
        # Added to, so that the primary key is gone along, and nothing is sorted.
        yield outbox.c.run_id + 0 == narrowed.wanted.run


def _in_order(connection: Connection) -> None:
    """Have PostgreSQL go along an index in its order, whatever it thinks of the rest."""
    by_index_only(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('enable_sort', 'off', true)")


# --- pages ----------------------------------------------------------------------------

_NAMES = (
    "message_id", "id", "mobile", "line", "subscriber_id", "template_id", "run_id", "parts",
    "state", "attempts", "accepted_at", "changed_at", "smsc", "code", "error",
)  # fmt: skip


_COLUMNS: Final = [outbox.c[name] for name in _NAMES]
_ids = unfolded({"id": BigInteger()})
_PARTS = select(*_COLUMNS).join_from(_ids, outbox, outbox.c.id == _ids.c.id)


def _read_range(connection: Connection, narrowed: _Narrowed, after: int) -> tuple[list[Sent], int]:
    """The messages of a page along the primary key, and where the next begins; 0: nowhere."""
    _in_order(connection)
    query = select(*_COLUMNS).where(*_of_outbox(narrowed, after))
    rows: Sequence[Any] = connection.execute(query.order_by(outbox.c.id).limit(PAGE_ROWS)).all()
    found = _messages(rows)
    if len(rows) < PAGE_ROWS:
        return found, 0
    # The last message may go on in the next page.
    last = found.pop()
    return found, last.id - 1


def _read_of_one(connection: Connection, narrowed: _Narrowed, after: int) -> tuple[list[Sent], int]:
    """As ``_read_range`` along the messages of one mobile, or of few subscriptions."""
    by_index_only(connection)
    # A literal, as the indexes of first parts cannot know what a parameter is.
    is_first = outbox.c.part == literal_column("1")
    first = select(outbox.c.id, outbox.c.parts).where(is_first, *_of_outbox(narrowed, after))
    found = connection.execute(first.order_by(outbox.c.id).limit(_FEW)).all()
    if not found:
        return [], 0
    # The ids of a message's parts follow one another.
    ids = ((row.id + place,) for row in found for place in range(row.parts))
    rows = sorted(connection.execute(_PARTS, as_rows(ids)), key=itemgetter(1))
    return _messages(rows), found[-1].id if len(found) == _FEW else 0


def _messages(rows: Sequence[Any]) -> list[Sent]:
    found = []
    for _key, parts in groupby(rows, key=itemgetter(0)):
        all_of_it = list(parts)
        is_long = len(all_of_it) > 1
        found.append(_message(all_of_it) if is_long else _single(all_of_it[0]))
    return found


def _single(row: Any) -> Sent:
    """A message of one part, as most are: a million of them are counted in seconds."""
    (
        key, _id, mobile, line, subscriber, template, run, parts, state, attempts, accepted_at,
        *rest,
    ) = row  # fmt: skip
    is_sent = accepted_at is not None or state in _TAKEN
    return Sent(
        key, mobile, line, subscriber, template, run, parts, _STATES[state], is_sent, attempts,
        accepted_at, *rest,
    )  # fmt: skip


def _message(parts: Sequence[Any]) -> Sent:
    told = min(parts, key=lambda part: _PLACES[part.state])
    taken = [part.accepted_at for part in parts if part.accepted_at is not None]
    is_sent = all(part.accepted_at is not None or part.state in _TAKEN for part in parts)
    return Sent(
        told.message_id,
        told.mobile,
        told.line,
        told.subscriber_id,
        told.template_id,
        told.run_id,
        told.parts,
        _STATES[told.state],
        is_sent,
        max(part.attempts for part in parts),
        max(taken, default=None) if is_sent else None,
        max(part.changed_at for part in parts),
        told.smsc,
        told.code,
        told.error,
    )


def _read_texts(connection: Connection, narrowed: _Narrowed, after: int) -> tuple[list[Text], int]:
    if narrowed.subscribers is None:
        _in_order(connection)
    else:
        by_index_only(connection)
    columns = (inbox.c[name] for name in Text._fields)
    query: Select[Any] = select(*columns).where(*_conditions(inbox, narrowed, after))
    if narrowed.wanted.state is not None:
        query = query.where(inbox.c.state == narrowed.wanted.state)
    rows = connection.execute(query.order_by(inbox.c.id).limit(PAGE_ROWS)).all()
    return [Text._make(row) for row in rows], rows[-1].id if len(rows) == PAGE_ROWS else 0
