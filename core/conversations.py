"""All that passed between a mobile and the utility: texts in and out, what was dialled.

Ids grow with time in all three tables, so that one id is the place in a conversation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from core.attempts import Attempt
from core.box_filters import InboxFilter, OutboxFilter
from core.browse import Message, Received, list_inbox, list_outbox
from core.database import by_index_only
from core.handling import UNTOUCHED, Handling, handlings_of
from core.identity import load_contacts
from core.manual import ByHand, by_hand
from core.particulars import load_particulars
from core.tables import subscribers, ussd_steps
from core.told import histories_of


class Step(NamedTuple):
    """One input of a USSD session."""

    id: int
    session_id: int
    received_at: int
    line: str
    event: str
    text: str
    """With the secret code masked."""
    operation: str
    outcome: str
    error: str | None


class In(NamedTuple):
    """A text from the mobile."""

    id: int
    at: int
    received: Received
    handling: Handling


class Out(NamedTuple):
    """A message to the mobile."""

    id: int
    at: int
    message: Message
    history: Sequence[tuple[int, Attempt]]
    """(part, attempt), as ``core.told`` has it."""
    by_hand: ByHand | None


class Dialled(NamedTuple):
    """Inputs of one USSD session that follow each other."""

    id: int
    at: int
    line: str
    steps: Sequence[Step]


class Known(NamedTuple):
    """A subscription that the mobile is registered to."""

    id: int
    utility: str
    number: str
    name: str


class Conversation(NamedTuple):
    """A piece of it, the newest last."""

    items: Sequence[In | Out | Dialled]
    subscriptions: Sequence[Known]
    names: Collection[str]
    """Names of people that its texts may have in them."""
    more: bool
    """Whether something older is left …"""
    oldest: int
    """… before this id."""


class Place(NamedTuple):
    """Which piece of whose conversation."""

    mobile: str
    lines: Collection[str] | None
    """Of these lines alone: whose data may be seen. None: of every one."""
    utilities: Collection[str]
    before: int | None = None
    limit: int = 40


def conversation(connection: Connection, place: Place) -> Conversation:
    """The newest piece before ``place.before``; a number of statements that does not grow."""
    by_index_only(connection)
    most = place.limit + 1
    where: dict[str, Any] = {
        "mobile": place.mobile,
        "lines": place.lines,
        "before": place.before,
        "limit": most,
    }
    received = list_inbox(connection, InboxFilter(**where))
    messages = list_outbox(connection, OutboxFilter(**where))
    steps = [Step._make(row) for row in connection.execute(_steps(place, most))]
    ids = [one.id for one in received] + [one.id for one in messages] + [one.id for one in steps]
    ids = sorted(set(ids), reverse=True)
    oldest = ids[: place.limit][-1] if ids else 0
    received = [one for one in received if one.id >= oldest]
    messages = [one for one in messages if one.id >= oldest]
    steps = sorted((one for one in steps if one.id >= oldest), key=attrgetter("id"))
    handlings = handlings_of(connection, [one.id for one in received])
    histories = histories_of(connection, messages)
    written = by_hand(connection, [one.id for one in messages])
    items: list[In | Out | Dialled] = [
        In(one.id, one.received_at, one, handlings.get(one.id, UNTOUCHED)) for one in received
    ]
    items += [
        Out(one.id, one.created_at, one, histories[one.id], written.get(one.id)) for one in messages
    ]
    for _, group in groupby(steps, attrgetter("session_id")):
        each = list(group)
        items.append(Dialled(each[0].id, each[0].received_at, each[0].line, each))
    known = subscriptions_of(connection, place.mobile, place.utilities)
    names = {one.name for one in known} | names_in(connection, [*received, *messages])
    return Conversation(
        sorted(items, key=attrgetter("id")), known, names, len(ids) > place.limit, oldest
    )


def subscriptions_of(
    connection: Connection, mobile: str, utilities: Collection[str]
) -> list[Known]:
    """What a mobile is registered to, of these utilities."""
    asked = [(utility, mobile) for utility in sorted(utilities)]
    found = [each for theirs in load_contacts(connection, asked).values() for each in theirs]
    particulars = load_particulars(connection, [each.id for each in found])
    return [Known(each.id, each.utility, each.number, particulars[each.id].name) for each in found]


def names_in(connection: Connection, rows: Sequence[Received | Message]) -> set[str]:
    """Names of the subscribers that these messages are about: their texts may tell them."""
    utilities = {row.utility for row in rows if row.utility}
    numbers = {row.subscription for row in rows if row.subscription}
    if not utilities or not numbers:
        return set()
    asked = select(subscribers.c.name).where(
        subscribers.c.utility.in_(sorted(utilities)), subscribers.c.number.in_(sorted(numbers))
    )
    return {name for name in connection.scalars(asked) if name}


def _steps(place: Place, most: int) -> Select[Any]:
    row = ussd_steps.c
    query = select(*(row[name] for name in Step._fields)).where(row.mobile == place.mobile)
    if place.lines is not None:
        query = query.where(row.line.in_(sorted(place.lines)))
    if place.before is not None:
        query = query.where(row.id < place.before)
    return query.order_by(row.id.desc()).limit(most)
