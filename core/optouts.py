"""Opting out and in again: by text as a shelf of the batch, or by staff.

Whoever opts out gets nothing that is queued either: it becomes ``suppressed`` in the same
transaction. What a daemon has in hand at that moment is named (``in_hand``), so that it can
be taken back before it is submitted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    bindparam,
    delete,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from core.bulk import Upsert, as_rows, put_rows, unfolded
from core.database import by_index_only
from core.holding import OPTED_OUT
from core.outbox import State
from core.shelf import Asker, Shelf, Subject
from core.statements import change, fetch
from core.suppressions import EVERYTHING, Reason
from core.tables import outbox, suppressions, templates


class OptOut(NamedTuple):
    """Who wants none of what, and why."""

    mobile: str
    utility: str
    topic: str
    """``EVERYTHING`` for messages of every kind."""
    reason: str
    """A ``Reason``."""
    note: str
    """Who entered it, or the operator's code."""
    since: int


_Key = tuple[str, str]
"""A utility and a mobile."""


class OptOuts(Shelf):
    """What each asking mobile wants none of."""

    def __init__(self) -> None:
        self._known: defaultdict[_Key, dict[str, str]] = defaultdict(dict)
        self._new: dict[tuple[str, str, str], OptOut] = {}
        self._gone: dict[tuple[str, str, str], None] = {}
        self._refused: dict[tuple[str, str, str], int] = {}
        self.in_hand: list[int] = []
        """Rows of the outbox, after ``store``: a daemon is to send what nobody wants any more."""

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        mobiles = {(one.asker.utility, one.asker.mobile) for one in subjects}
        for utility, mobile, topic, reason in fetch(connection, _OF_MOBILES, as_rows(mobiles)):
            self._known[utility, mobile][topic] = reason

    def opt_out(self, asker: Asker, topic: str = EVERYTHING) -> None:
        """Send the asker's mobile no more messages of this topic."""
        known = self._known[asker.utility, asker.mobile]
        if topic == EVERYTHING:
            for exception in [key for key, reason in known.items() if reason == Reason.WANTED]:
                self._forget(asker, exception)
        self._put(asker, topic, Reason.ASKED)
        self._refused[asker.mobile, asker.utility, topic] = asker.at

    def opt_in(self, asker: Asker, topic: str = EVERYTHING) -> None:
        """Send the asker's mobile messages of this topic again; all, for ``EVERYTHING``."""
        known = self._known[asker.utility, asker.mobile]
        for each in list(known) if topic == EVERYTHING else [topic]:
            if each in known:
                self._forget(asker, each)
            self._refused.pop((asker.mobile, asker.utility, each), None)
        if EVERYTHING in known:
            self._put(asker, topic, Reason.WANTED)

    def _put(self, asker: Asker, topic: str, reason: Reason) -> None:
        known = self._known[asker.utility, asker.mobile]
        if known.get(topic) != reason:
            known[topic] = reason
            key = asker.mobile, asker.utility, topic
            self._gone.pop(key, None)
            self._new[key] = OptOut(*key, reason.value, "", asker.at)

    def _forget(self, asker: Asker, topic: str) -> None:
        del self._known[asker.utility, asker.mobile][topic]
        key = asker.mobile, asker.utility, topic
        self._new.pop(key, None)
        self._gone[key] = None

    def store(self, connection: Connection) -> None:
        """Four statements at the most."""
        if self._gone:
            change(connection, _FORGET, as_rows(self._gone))
        put_rows(connection, _PUT, list(self._new.values()))
        if self._refused:
            at = max(self._refused.values())
            _suppressed, self.in_hand = _take_back(connection, self._refused, at)


# --- by staff -------------------------------------------------------------------------


class OptOutFilter(NamedTuple):
    """Which rows; None does not restrict."""

    mobile: str | None = None
    utility: str | None = None
    topic: str | None = None
    reason: str | None = None
    limit: int | None = 50
    utilities: frozenset[str] | None = None
    """Only rows of these."""
    before: int | None = None
    """Only those that are listed after the row of this id."""
    id: int | None = None


class Listed(NamedTuple):
    """A row with the id that it is known by."""

    id: int
    optout: OptOut


def list_optouts(connection: Connection, wanted: OptOutFilter) -> list[OptOut]:
    """Who wants none of what, the newest first."""
    return [each.optout for each in list_with_ids(connection, wanted)]


def list_with_ids(connection: Connection, wanted: OptOutFilter) -> list[Listed]:
    """As ``list_optouts``, each with its id."""
    query = select(suppressions.c.id, *(suppressions.c[name] for name in OptOut._fields))
    if wanted.id is not None:
        query = query.where(suppressions.c.id == wanted.id)
    if wanted.utilities is not None:
        query = query.where(suppressions.c.utility.in_(sorted(wanted.utilities)))
    if wanted.before is not None:
        its = select(suppressions.c.since).where(suppressions.c.id == wanted.before)
        last = tuple_(its.scalar_subquery(), literal(wanted.before, BigInteger()))
        query = query.where(tuple_(suppressions.c.since, suppressions.c.id) < last)
    for name in ("mobile", "utility", "topic", "reason"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(suppressions.c[name] == value)
    query = query.order_by(suppressions.c.since.desc(), suppressions.c.id.desc())
    rows = connection.execute(query.limit(wanted.limit))
    return [Listed(row[0], OptOut._make(row[1:])) for row in rows]


class Added(NamedTuple):
    """What opting somebody out has done."""

    suppressed: int
    """Messages' parts that were queued and are not sent."""
    in_hand: int
    """Parts that a daemon is sending at this moment."""


def add_optouts(connection: Connection, new: Collection[OptOut]) -> Added:
    """Send these mobiles no more messages of these topics."""
    if not new:
        return Added(0, 0)
    by_index_only(connection)
    put_rows(connection, _PUT, list(new))
    keys = [(one.mobile, one.utility, one.topic) for one in new]
    suppressed, in_hand = _take_back(connection, keys, max(one.since for one in new))
    return Added(suppressed, len(in_hand))


class Removal(NamedTuple):
    """Whom messages go to again."""

    mobiles: Collection[str]
    utility: str
    topic: str | None
    """None: whatever they wanted none of."""
    note: str
    now: int


def remove_optouts(connection: Connection, removal: Removal) -> set[str]:
    """Send mobiles messages again; returns those that had wanted none.

    Who wants nothing at all gets an exception for a single topic.
    """
    mobiles, utility, topic, note, now = removal
    rows = fetch(connection, _OF_MOBILES, as_rows((utility, each) for each in mobiles))
    gone = [
        row
        for row in rows
        if topic in (None, row.topic) and not (topic is not None and row.reason == Reason.WANTED)
    ]
    keys = as_rows((row.mobile, utility, row.topic) for row in gone)
    change(connection, _FORGET, keys)
    excepted = {
        row.mobile for row in rows if topic not in (None, EVERYTHING) and row.topic == EVERYTHING
    } - {row.mobile for row in rows if row.topic == topic and row.reason == Reason.WANTED}
    new = [
        OptOut(each, utility, topic or EVERYTHING, Reason.WANTED.value, note, now)
        for each in sorted(excepted)
    ]
    put_rows(connection, _PUT, new)
    return {row.mobile for row in gone} | excepted


def topics_of(connection: Connection, utility: str) -> list[str]:
    """The topics that templates of a utility have."""
    query = select(templates.c.topic).where(templates.c.utility == utility).distinct()
    return sorted(connection.scalars(query))


# --- underneath -----------------------------------------------------------------------


_mobiles = unfolded({"utility": Text(), "mobile": Text()})
_OF_MOBILES = select(
    suppressions.c.utility, suppressions.c.mobile, suppressions.c.topic, suppressions.c.reason
).join_from(
    _mobiles,
    suppressions,
    (suppressions.c.mobile == _mobiles.c.mobile) & (suppressions.c.utility == _mobiles.c.utility),
)
_PUT = Upsert(
    suppressions,
    OptOut._fields,
    ("mobile", "utility", "topic"),
    stamps=frozenset({"since"}),
)
_keys = unfolded({"mobile": Text(), "utility": Text(), "topic": Text()})
_FORGET = delete(suppressions).where(
    suppressions.c.id.in_(
        select(suppressions.c.id).join_from(
            _keys,
            suppressions,
            (suppressions.c.mobile == _keys.c.mobile)
            & (suppressions.c.utility == _keys.c.utility)
            & (suppressions.c.topic == _keys.c.topic),
        )
    )
)


def _take_back(
    connection: Connection, keys: Collection[tuple[str, str, str]], at: int
) -> tuple[int, list[int]]:
    """Have what waits for these mobiles, utilities and topics not sent.

    How many rows of the outbox that was, and the ids of those that are being sent. Nearly
    always there are neither, and one statement says so.
    """
    found = fetch(connection, _ABOUT, as_rows(keys))
    waiting = [(row_id,) for row_id, state in found if state in _WAITS]
    suppressed = 0
    if waiting:
        about = {**as_rows(waiting), "at": at}
        suppressed = change(connection, _SUPPRESS, about)
        # Another daemon may have begun to send some of them meanwhile.
        found = fetch(connection, _ABOUT, as_rows(keys))
    return suppressed, [row_id for row_id, state in found if state == State.SENDING]


_first = outbox.alias("first")
_told = outbox.alias("told")
_ABOUT = (
    select(_told.c.id, _told.c.state)
    .join_from(
        _keys, _first, (_first.c.mobile == _keys.c.mobile) & (_first.c.part == literal_column("1"))
    )
    .join(
        templates,
        (templates.c.id == _first.c.template_id)
        & (templates.c.utility == _keys.c.utility)
        & ((templates.c.topic == _keys.c.topic) | (_keys.c.topic == EVERYTHING))
        & ~templates.c.required,
    )
    .join(_told, (_told.c.id >= _first.c.id) & (_told.c.id < _first.c.id + _first.c.parts))
)
_WAITS = (State.QUEUED.value, State.WAITING.value, State.HELD.value)
_waiting = unfolded({"id": BigInteger()})
# The state by parameters: by literals, all that waits would be gone through for one mobile.
_SUPPRESS = (
    update(outbox)
    .where(outbox.c.id == _waiting.c.id, or_(*(outbox.c.state == state for state in _WAITS)))
    .values(
        state=State.SUPPRESSED.value,
        error=OPTED_OUT,
        changed_at=bindparam("at", type_=BigInteger),
        over_at=bindparam("at", type_=BigInteger),
    )
)
