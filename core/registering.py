"""Mobiles that a utility's own system registers to subscriptions, or takes off them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Text, delete, select

from core.bulk import as_rows, insert_rows, unfolded
from core.events import Event, EventKind, store_events
from core.ids import IdMaker
from core.importing.stores import load_ids
from core.operations.contacts import shown_mobile
from core.tables import contacts


class Registration(NamedTuple):
    """A mobile that may act for a subscription from now on, or no more."""

    number: str
    mobile: str
    """E.164 digits."""
    is_registered: bool


class Registered(NamedTuple):
    """What became of them; the rest were so already."""

    added: int
    removed: int
    unknown: tuple[int, ...]
    """Places of those whose subscription is not there."""


class Registrar(NamedTuple):
    """Who does it, and when."""

    ids: IdMaker
    utility: str
    source: str
    """The door: ``api``."""
    now: int
    """UTC milliseconds."""


def register_mobiles(
    connection: Connection, registrar: Registrar, wanted: Sequence[Registration]
) -> Registered:
    """Make it so, with an event for each change; of two about the same the later holds.

    The number of statements does not grow with them.
    """
    ids, utility, source, now = registrar
    known = load_ids(connection, ((utility, each.number) for each in wanted))
    unknown = tuple(
        place for place, each in enumerate(wanted) if (utility, each.number) not in known
    )
    last = {
        (each.mobile, known[utility, each.number]): each
        for each in wanted
        if (utility, each.number) in known
    }
    there = {tuple(row) for row in connection.execute(_THERE, as_rows(last))}
    new = {key: each for key, each in last.items() if each.is_registered and key not in there}
    gone = {key: each for key, each in last.items() if not each.is_registered and key in there}
    rows = [(utility, *key, source, now) for key in new]
    insert_rows(connection, contacts, _COLUMNS, rows, or_ignore=True)
    if gone:
        connection.execute(_FORGET, as_rows(gone))
    happened = []
    for kind, changed in ((EventKind.MOBILE_REGISTERED, new), (EventKind.MOBILE_REMOVED, gone)):
        for (mobile, subscriber_id), each in changed.items():
            about = {"number": each.number, "mobile": shown_mobile(mobile)}
            event = Event(kind, utility, now, about, subscriber_id, mobile)
            happened.append((ids.one(), event))
    store_events(connection, happened)
    return Registered(len(new), len(gone), unknown)


_COLUMNS: Final = ("utility", "mobile", "subscriber_id", "source", "created_at")
_pairs = unfolded({"mobile": Text(), "subscriber_id": BigInteger()})
_same = (contacts.c.mobile == _pairs.c.mobile) & (
    contacts.c.subscriber_id == _pairs.c.subscriber_id
)
_THERE: Final = select(_pairs.c.mobile, _pairs.c.subscriber_id).join_from(_pairs, contacts, _same)
_FORGET: Final = delete(contacts).where(
    contacts.c.id.in_(select(contacts.c.id).join_from(_pairs, contacts, _same))
)
