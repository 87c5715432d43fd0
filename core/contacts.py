"""The mobiles that may act for a subscription without its code (seed 000, annex 2, pattern 4).

A mobile that asks for a subscription which has another one already is taken when it asks a
second time: whoever read a neighbour's bill once does not get in by a slip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, Connection, Text, delete, select

from core.bulk import Upsert, as_rows, insert_rows, put_rows, unfolded
from core.shelf import Asker, Shelf, Subject, Subscriber, ids_of
from core.statements import change, fetch
from core.tables import contact_confirmations, contacts

_wanted = unfolded({"subscriber_id": BigInteger()})
_MOBILES = (
    select(contacts.c.subscriber_id, contacts.c.mobile)
    .join_from(_wanted, contacts, contacts.c.subscriber_id == _wanted.c.subscriber_id)
    .order_by(contacts.c.created_at, contacts.c.id)
)
_pairs = unfolded({"mobile": Text(), "subscriber_id": BigInteger()})
_ASKED = select(
    contact_confirmations.c.mobile,
    contact_confirmations.c.subscriber_id,
    contact_confirmations.c.asked_at,
).join_from(
    _pairs,
    contact_confirmations,
    (contact_confirmations.c.mobile == _pairs.c.mobile)
    & (contact_confirmations.c.subscriber_id == _pairs.c.subscriber_id),
)
_FORGET_CONTACT = delete(contacts).where(
    contacts.c.id.in_(
        select(contacts.c.id).join_from(
            _pairs,
            contacts,
            (contacts.c.mobile == _pairs.c.mobile)
            & (contacts.c.subscriber_id == _pairs.c.subscriber_id),
        )
    )
)
_FORGET_QUESTION = delete(contact_confirmations).where(
    contact_confirmations.c.id.in_(
        select(contact_confirmations.c.id).join_from(
            _pairs,
            contact_confirmations,
            (contact_confirmations.c.mobile == _pairs.c.mobile)
            & (contact_confirmations.c.subscriber_id == _pairs.c.subscriber_id),
        )
    )
)
_COLUMNS: Final = ("utility", "mobile", "subscriber_id", "source", "created_at")
_QUESTIONS: Final = Upsert(
    contact_confirmations,
    ("utility", "mobile", "subscriber_id", "asked_at"),
    ("mobile", "subscriber_id"),
)


class Contacts(Shelf):
    """The mobiles of each subscription, in the order in which they were registered."""

    def __init__(self) -> None:
        self._mobiles: defaultdict[int, list[str]] = defaultdict(list)
        self._asked: dict[tuple[str, int], int] = {}
        self._new: list[tuple[object, ...]] = []
        self._gone: list[tuple[str, int]] = []
        self._questions: dict[tuple[str, int], tuple[object, ...]] = {}
        self._answered: list[tuple[str, int]] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """Two statements."""
        keys = ids_of(subjects)
        if not keys:
            return
        for key, mobile in fetch(connection, _MOBILES, as_rows((key,) for key in keys)):
            self._mobiles[key].append(mobile)
        pairs = {(one.asker.mobile, each.id) for one in subjects for each in one.subscribers}
        for mobile, key, asked_at in fetch(connection, _ASKED, as_rows(pairs)):
            self._asked[mobile, key] = asked_at

    def of(self, subscriber: Subscriber) -> tuple[str, ...]:
        """The mobiles of a subscription, E.164 digits."""
        return tuple(self._mobiles[subscriber.id])

    def has_asked(self, asker: Asker, subscriber: Subscriber) -> bool:
        """Whether the asker asked for this before, in time to confirm it now."""
        at = self._asked.get((asker.mobile, subscriber.id))
        within = asker.policy.confirm_within.total_seconds() * 1000
        return at is not None and asker.at - at <= within

    def ask(self, asker: Asker, subscriber: Subscriber) -> None:
        """Remember that the asker wants in, until it says so again."""
        pair = (asker.mobile, subscriber.id)
        self._asked[pair] = asker.at
        self._questions[pair] = (asker.utility, *pair, asker.at)

    def add(self, asker: Asker, subscriber: Subscriber) -> None:
        """Let the asker's mobile act for this subscription from now on."""
        pair = (asker.mobile, subscriber.id)
        self._mobiles[subscriber.id].append(asker.mobile)
        self._new.append((asker.utility, *pair, asker.source, asker.at))
        self._questions.pop(pair, None)
        if self._asked.pop(pair, None) is not None:
            self._answered.append(pair)

    def remove(self, subscriber: Subscriber, mobile: str) -> None:
        """Let a mobile act for it no more."""
        self._mobiles[subscriber.id].remove(mobile)
        self._gone.append((mobile, subscriber.id))
        self._new = [row for row in self._new if row[1:3] != (mobile, subscriber.id)]

    def store(self, connection: Connection) -> None:
        """Four statements."""
        if self._gone:
            change(connection, _FORGET_CONTACT, as_rows(self._gone))
        insert_rows(connection, contacts, _COLUMNS, self._new, or_ignore=True)
        if self._answered:
            change(connection, _FORGET_QUESTION, as_rows(self._answered))
        put_rows(connection, _QUESTIONS, list(self._questions.values()))
