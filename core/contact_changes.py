"""Mobiles that staff register to a subscription, or take away from it.

By the rules that a text goes by (``core.operations.contacts``): a mobile is registered once, and
where the subscription has one already, another is taken when it is asked for a second time.
Each is an event, as by text.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from core.calls import Call
from core.contacts import Contacts
from core.database import by_index_only
from core.events import EventKind
from core.facts import Facts
from core.ids import IdMaker
from core.operations.contacts import note_change
from core.shelf import Asker, Subject, Subscriber
from core.tables import subscribers
from core.terms import Terms

SOURCE = "desk"
"""Where such a contact comes from."""


class AlreadyRegistered(Exception):
    """The mobile is registered to this subscription."""


class ConfirmFirst(Exception):
    """The subscription has other mobiles: it has to be said again that this one is to be added."""

    def __init__(self, count: int) -> None:
        super().__init__(f"the subscription has {count} mobile(s)")
        self.count = count


class NotRegistered(Exception):
    """The mobile is not, or no longer, registered to this subscription."""


class ContactChange(NamedTuple):
    """A mobile that is to be added or taken away."""

    subscriber_id: int
    mobile: str
    """E.164 digits."""
    now: int
    """UTC milliseconds."""


def add_contact(
    connection: Connection, ids: IdMaker, change: ContactChange, *, confirmed: bool
) -> None:
    """Let a mobile act for a subscription. Raises ``AlreadyRegistered``, ``ConfirmFirst``."""
    facts, asker, subscriber = _loaded(connection, ids, change)
    contacts = facts.of(Contacts)
    known = contacts.of(subscriber)
    if change.mobile in known:
        raise AlreadyRegistered
    if known and not confirmed:
        raise ConfirmFirst(len(known))
    contacts.add(asker, subscriber)
    note_change(asker, facts, EventKind.MOBILE_REGISTERED, subscriber, change.mobile)
    facts.store(connection)


def remove_contact(connection: Connection, ids: IdMaker, change: ContactChange) -> None:
    """Let a mobile act for a subscription no more. Raises ``NotRegistered``."""
    facts, asker, subscriber = _loaded(connection, ids, change)
    contacts = facts.of(Contacts)
    if change.mobile not in contacts.of(subscriber):
        raise NotRegistered
    contacts.remove(subscriber, change.mobile)
    note_change(asker, facts, EventKind.MOBILE_REMOVED, subscriber, change.mobile)
    facts.store(connection)


def _loaded(
    connection: Connection, ids: IdMaker, change: ContactChange
) -> tuple[Facts, Asker, Subscriber]:
    by_index_only(connection)
    row = connection.execute(
        select(*(subscribers.c[name] for name in Subscriber._fields)).where(
            subscribers.c.id == change.subscriber_id
        )
    ).one()
    subscriber = Subscriber._make(row)
    asker = Asker(subscriber.utility, change.mobile, change.now, Terms(), SOURCE, 0)
    facts = Facts(ids)
    subject = Subject(asker, Call("register_mobile", {}), (subscriber,))
    facts.of(Contacts).load(connection, [subject])
    return facts, asker, subscriber
