"""Rows become messages: of an event, or of a report, one or ten thousand at a time.

A row says what a message is to be about and whom it concerns. Its receivers are looked up
for all rows at once, those who want none are left out, the words are lent by whoever knows
them (``Wording``), and what comes of it is queued in one statement.

``prepare`` only reads, so that a campaign can do it beside the batches; ``store`` only
writes. ``make`` is both, for whoever has a transaction anyway; it also puts down, as
``suppressed``, what somebody would have got who wants none. A campaign only counts those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Integer,
    SmallInteger,
    Text,
    bindparam,
    insert,
    literal,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from core.bulk import as_rows, unfolded
from core.calls import Fact
from core.holding import OPTED_OUT
from core.ids import IdMaker
from core.outbox import State
from core.receivers import Row, receivers_of
from core.schedules import next_allowed
from core.statements import change
from core.suppressions import Receiver, suppressed
from core.tables import outbox
from core.templates.types import Uncertain, Version

_IDS_AT_ONCE: Final = 8_192


class Wording(Protocol):
    """Writes messages; lent to the core by whoever knows templates and alphabets."""

    def words(
        self, version: Version, rows: Sequence[Mapping[str, Fact]]
    ) -> Sequence[Sequence[str]]:
        """The parts of the message about each of ``rows``, in their order.

        A row that cannot be written, since a fact is missing or it would be too long, has no
        parts. Called beside other threads; neither waits nor raises for a row.
        """


class Maker(NamedTuple):
    """What making messages needs besides the database."""

    ids: IdMaker
    wording: Wording


class Order(NamedTuple):
    """Which messages are made."""

    version: Version
    now: int
    """UTC milliseconds."""
    run_id: int | None = None
    until: int | None = None
    """When they help nobody any more, where that is before the template's validity ends."""


class Made(NamedTuple):
    """What came of rows."""

    messages: int = 0
    parts: int = 0
    suppressed: int = 0
    """Receivers who want none."""
    passed_over: int = 0
    """Rows that nobody can be told of."""
    unwritten: int = 0
    """Rows that the words could not be filled with."""


class Prepared(NamedTuple):
    """Messages that are ready to be queued."""

    order: Order
    parts: Sequence[tuple[object, ...]]
    """Rows of the outbox, as far as they differ; the order is that of ``_VARIED``."""
    made: Made
    unwanted: Sequence[tuple[Row, Sequence[str]]] = ()
    """Rows with those of their receivers who want none."""


def make(connection: Connection, maker: Maker, order: Order, rows: Sequence[Row]) -> Made:
    """Make the messages about ``rows``: at most four statements, however many they are."""
    prepared = prepare(connection, maker, order, rows)
    store(connection, prepared)
    if prepared.unwanted:
        refused, _unwritten = _written(maker, order.version, prepared.unwanted)
        _store(connection, order, as_parts(maker.ids, refused), State.SUPPRESSED)
    return prepared.made


def prepare(connection: Connection, maker: Maker, order: Order, rows: Sequence[Row]) -> Prepared:
    """Find out who is told, and write the words; at most two statements, nothing is changed."""
    version = order.version
    receivers = receivers_of(connection, version.definition.receivers, rows)
    unwilling = _unwilling(connection, version, receivers)
    passed_over = 0
    told: list[tuple[Row, list[str]]] = []
    refused: list[tuple[Row, list[str]]] = []
    for row, mobiles in zip(rows, receivers, strict=True):
        willing = [mobile for mobile in mobiles if mobile not in unwilling]
        passed_over += not mobiles
        if willing:
            told.append((row, willing))
        if len(willing) < len(mobiles):
            refused.append((row, [mobile for mobile in mobiles if mobile in unwilling]))
    written, unwritten = _written(maker, version, told)
    parts = as_parts(maker.ids, written)
    unwanted = sum(len(mobiles) for _row, mobiles in refused)
    made = Made(len(written), len(parts), unwanted, passed_over, unwritten)
    return Prepared(order, parts, made, refused)


def _written(
    maker: Maker, version: Version, told: Sequence[tuple[Row, Sequence[str]]]
) -> tuple[list[tuple[int | None, str, Sequence[str]]], int]:
    """What ``as_parts`` takes, and how many rows the words could not be filled with."""
    worded = maker.wording.words(version, [row.facts for row, _mobiles in told])
    written = [
        (row.subscriber_id, mobile, texts)
        for (row, mobiles), texts in zip(told, worded, strict=True)
        if texts
        for mobile in mobiles
    ]
    return written, sum(not texts for texts in worded)


def store(connection: Connection, prepared: Prepared) -> None:
    """Queue what was prepared, in one statement."""
    _store(connection, prepared.order, prepared.parts, State.QUEUED)


def _store(
    connection: Connection, order: Order, parts: Sequence[tuple[object, ...]], state: State
) -> None:
    if not parts:
        return
    version, now, run_id, until = order
    definition = version.definition
    expires_at = now + definition.validity * 1000
    change(
        connection,
        _insert(state),
        {
            "line": definition.line,
            "priority": definition.priority,
            "max_attempts": definition.attempts,
            "resend_uncertain": definition.uncertain is Uncertain.RESEND,
            "now": now,
            "due_at": next_allowed(definition.policy.hours, now),
            "expires_at": expires_at if until is None else min(expires_at, until),
            "template_id": version.template_id,
            "run_id": run_id,
            "policy_id": version.policy_id,
            **as_rows(parts),
        },
    )


def as_parts(
    ids: IdMaker, written: Sequence[tuple[int | None, str, Sequence[str]]]
) -> list[tuple[object, ...]]:
    """What ``Prepared`` has, of (subscriber, mobile, parts of the text) for each message."""
    numbers = _numbers(ids, sum(len(texts) for _subscriber, _mobile, texts in written))
    found: list[tuple[object, ...]] = []
    for subscriber_id, mobile, texts in written:
        first = numbers[len(found)]
        for part, words in enumerate(texts, 1):
            row_id = numbers[len(found)]
            found.append((row_id, first, part, len(texts), subscriber_id, mobile, words))
    return found


def _numbers(ids: IdMaker, count: int) -> list[int]:
    """Ascending ids, taken in lots of what can be had at once."""
    found: list[int] = []
    while len(found) < count:
        found += ids.take(min(_IDS_AT_ONCE, count - len(found)))
    return found


def _unwilling(
    connection: Connection, version: Version, receivers: Iterable[Sequence[str]]
) -> frozenset[str]:
    """Those who want no messages of this kind; one statement, none where the law decides."""
    mobiles = {mobile for each in receivers for mobile in each}
    if version.definition.required or not mobiles:
        return frozenset()
    about = version.utility, version.definition.topic
    asked = [Receiver(key, mobile, *about) for key, mobile in enumerate(mobiles)]
    return frozenset(asked[key].mobile for key in suppressed(connection, asked))


# --- queueing -------------------------------------------------------------------------

_VARIED: Final[dict[str, TypeEngine[Any]]] = {
    "id": BigInteger(),
    "message_id": BigInteger(),
    "part": SmallInteger(),
    "parts": SmallInteger(),
    "subscriber_id": BigInteger(),
    "mobile": Text(),
    "text": Text(),
}
"""The columns that differ from one message to the next: the rest is sent once."""


@cache
def _insert(state: State) -> Executable:
    """Of messages that wait, or of such as nobody wants: those are over as they are made."""
    batch = unfolded(_VARIED)
    now = bindparam("now", type_=BigInteger)
    over = {"error": literal(OPTED_OUT, Text), "over_at": now}
    shared: dict[str, Any] = {
        "line": bindparam("line", type_=Text),
        "priority": bindparam("priority", type_=SmallInteger),
        "state": literal(state.value),
        "attempts": literal(0, SmallInteger),
        "max_attempts": bindparam("max_attempts", type_=SmallInteger),
        "resend_uncertain": bindparam("resend_uncertain", type_=outbox.c.resend_uncertain.type),
        "created_at": now,
        "due_at": bindparam("due_at", type_=BigInteger),
        "expires_at": bindparam("expires_at", type_=BigInteger),
        "changed_at": now,
        "template_id": bindparam("template_id", type_=Integer),
        "run_id": bindparam("run_id", type_=BigInteger),
        "policy_id": bindparam("policy_id", type_=Integer),
        **(over if state is State.SUPPRESSED else {}),
    }
    source = select(batch, *(value.label(name) for name, value in shared.items())).where(true())
    return insert(outbox).from_select([*_VARIED, *shared], source)
