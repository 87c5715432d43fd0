"""What happens to subscribers, as rows of the transaction in which it happened.

Templates of the utility's own messages feed on them: an event names what happened, whom it
concerns, and the facts that a message about it may use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from core.bulk import insert_rows
from core.calls import Scalar
from core.events.listening import Listening
from core.shelf import Shelf
from core.tables import events


class EventKind(StrEnum):
    """Everything that can happen, and the facts that come with it."""

    BILL_ISSUED = "bill_issued"
    PAYMENT_BOOKED = "payment_booked"
    READING_ACCEPTED = "reading_accepted"
    READING_DOUBTFUL = "reading_doubtful"
    READING_REJECTED = "reading_rejected"
    MOBILE_REGISTERED = "mobile_registered"
    MOBILE_REMOVED = "mobile_removed"
    REQUEST_REGISTERED = "request_registered"
    REQUEST_CHANGED = "request_changed"
    VOUCHER_ISSUED = "voucher_issued"


class Event(NamedTuple):
    """Something that happened."""

    kind: EventKind
    utility: str
    at: int
    """UTC milliseconds."""
    about: Mapping[str, Scalar]
    """The facts that a message about it may use."""
    subscriber_id: int | None = None
    mobile: str | None = None
    """Whom it concerns besides the subscriber's own mobiles."""


class Events(Shelf):
    """The events of one transaction: a batch's, or one at the counter, in an import, at a bank."""

    def __init__(self) -> None:
        self._new: list[Event] = []
        self.waits = False
        """Whether something is stored that a template may be made of."""

    def add(self, event: Event) -> None:
        """Note that something happened."""
        self._new.append(event)

    def store(self, connection: Connection) -> None:
        """Two statements. What no template listens for counts as handled at once."""
        if self._new:
            ids = self.ids.take(len(self._new))
            self.waits |= store_events(connection, list(zip(ids, self._new, strict=True)))


def store_events(connection: Connection, new: Sequence[tuple[int, Event]]) -> bool:
    """Store events by their ids; whether a template may be made of any. Two statements."""
    if not new:
        return False
    listening = Listening(connection)
    waits = False
    rows: list[tuple[object, ...]] = []
    for event_id, (kind, utility, at, about, subscriber_id, mobile) in new:
        told = listening.to(utility, kind)
        waits |= told
        handled_at = None if told else at
        rows.append(
            (event_id, utility, kind, subscriber_id, mobile, as_json(about), at, handled_at)
        )
    insert_rows(connection, events, _COLUMNS, rows)
    return waits


def as_json(about: Mapping[str, Scalar]) -> str:
    """Facts as they are stored: dates and instants as ISO text."""
    return orjson.dumps(about, dict).decode()


_COLUMNS = ("id", "utility", "kind", "subscriber_id", "mobile", "about", "at", "handled_at")
