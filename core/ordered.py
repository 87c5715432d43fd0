"""Messages that another system orders one by one: to a mobile, or to a subscription's.

Each has an answer of its own: it is queued, its receiver wants none, or nobody is known whom
to send it to. The number of statements does not grow with the messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from core.database import by_index_only
from core.identity import load_subscribers
from core.ids import IdMaker
from core.making import Made, Order, Prepared, as_parts
from core.making import store as store_made
from core.outbox import Notice, State, store_notices
from core.receivers import Row, receivers_of
from core.state_groups import Group, group_of
from core.suppressions import Receiver, suppressed
from core.templates.types import Receivers, Version


class Asked(NamedTuple):
    """Whom a message is for, as it was asked: at least one of both is known."""

    mobile: str | None
    """E.164 digits; None: the first that is registered to the subscription."""
    number: str | None
    """The subscription that it is about."""


class Addressee(NamedTuple):
    """Whom it is for, as far as that is known."""

    mobile: str | None
    """None: nobody has registered one."""
    subscriber_id: int | None


class NoSubscription(Exception):
    """Subscriptions that there are none of: their places among those asked for."""

    def __init__(self, places: Sequence[int]) -> None:
        self.places = places
        super().__init__(f"there are no such subscriptions: {places}")


class Manner(NamedTuple):
    """How messages go out."""

    utility: str
    line: str
    topic: str
    """What its receivers may have opted out of."""
    required: bool
    """It goes to those who opted out too."""
    version: Version | None = None
    """The template that the words are of; None: they were written elsewhere."""


class Placed(NamedTuple):
    """What became of one."""

    id: int | None
    """The message's, where there is one."""
    state: Group | None
    """``SUPPRESSED`` for one that its receiver does not want; None: nobody to send it to."""
    parts: int


def addressees(connection: Connection, utility: str, asked: Sequence[Asked]) -> list[Addressee]:
    """Whom each is for; at most two statements. Raises ``NoSubscription``."""
    by_index_only(connection)
    keys = {(utility, each.number) for each in asked if each.number is not None}
    known = load_subscribers(connection, keys)
    gone = [
        place
        for place, each in enumerate(asked)
        if each.number is not None and (utility, each.number) not in known
    ]
    if gone:
        raise NoSubscription(gone)
    rows = [
        Row("", {}, None if each.number is None else known[utility, each.number].id, each.mobile)
        for each in asked
    ]
    unsaid = [row for row in rows if row.mobile is None]
    first = iter(receivers_of(connection, Receivers.FIRST_CONTACT, unsaid) if unsaid else ())
    return [
        Addressee(row.mobile or next(iter(next(first)), None), row.subscriber_id) for row in rows
    ]


def place(
    connection: Connection,
    ids: IdMaker,
    manner: Manner,
    ordered: Sequence[tuple[Addressee, Sequence[str]]],
    now: int,
) -> list[Placed]:
    """Queue a message to each addressee, of the parts beside it; at most two statements."""
    unwilling = set[int]()
    if not manner.required:
        about = (manner.utility, manner.topic)
        receivers = [
            Receiver(key, whom.mobile, *about)
            for key, (whom, _parts) in enumerate(ordered)
            if whom.mobile is not None
        ]
        unwilling = suppressed(connection, receivers) if receivers else unwilling
    going = [
        (whom.subscriber_id, whom.mobile, parts)
        for key, (whom, parts) in enumerate(ordered)
        if whom.mobile is not None and key not in unwilling
    ]
    made = iter(_queue(connection, ids, manner, going, now))
    found = []
    for key, (whom, parts) in enumerate(ordered):
        if whom.mobile is None:
            found.append(Placed(None, None, 0))
        elif key in unwilling:
            found.append(Placed(None, Group.SUPPRESSED, 0))
        else:
            found.append(Placed(next(made), group_of(State.QUEUED), len(parts)))
    return found


def _queue(
    connection: Connection,
    ids: IdMaker,
    manner: Manner,
    going: Sequence[tuple[int | None, str, Sequence[str]]],
    now: int,
) -> list[int]:
    """The ids of the messages."""
    if not going:
        return []
    if manner.version is not None:
        rows = as_parts(ids, going)
        store_made(connection, Prepared(Order(manner.version, now), rows, Made()))
        return [int(str(row[0])) for row in rows if row[0] == row[1]]
    notices = [
        Notice(ids.take(len(parts)), mobile, manner.line, parts, subscriber_id, now)
        for subscriber_id, mobile, parts in going
    ]
    store_notices(connection, notices)
    return [notice.ids[0] for notice in notices]
