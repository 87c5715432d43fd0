"""What a subscription is and whose: shown in full only to who has a right to it.

Source: seed 002 (اطلاعات خصوصی … در اختیار عموم قرار نمی گیرد); docs/privacy.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select

from core.bulk import as_rows, unfolded
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import subscribers


class Particular(NamedTuple):
    """What the utility knows of a subscription besides its number."""

    id: int
    name: str
    usage: str
    units: int
    capacity: int | None
    region: str
    state: str
    bill_id: str | None

    def name_for(self, *, proven: bool) -> str:
        """Give the name to who has shown a right to it, masked to everybody else."""
        return self.name if proven else masked_name(self.name)


def masked_name(name: str) -> str:
    """A name that its owner knows again and a stranger learns nothing from: ``ع*** م***``."""
    return " ".join(f"{word[0]}***" for word in name.replace("\u200c", " ").split())


_wanted = unfolded({"subscriber_id": BigInteger()})
_PARTICULARS = select(
    subscribers.c.id,
    subscribers.c.name,
    subscribers.c.usage,
    subscribers.c.units,
    subscribers.c.capacity,
    subscribers.c.region,
    subscribers.c.state,
    subscribers.c.bill_id,
).join_from(_wanted, subscribers, subscribers.c.id == _wanted.c.subscriber_id)


def load_particulars(
    connection: Connection, subscriber_ids: Collection[int]
) -> dict[int, Particular]:
    """What there is to know of each subscription; one statement."""
    if not subscriber_ids:
        return {}
    rows = fetch(connection, _PARTICULARS, as_rows((key,) for key in subscriber_ids))
    return {row[0]: Particular._make(row) for row in rows}


class Particulars(Shelf):
    """The particulars of each subscription."""

    def __init__(self) -> None:
        self._known: dict[int, Particular] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        self._known = load_particulars(connection, ids_of(subjects))

    def of(self, subscriber: Subscriber) -> Particular:
        """Those of a subscription that was identified."""
        return self._known[subscriber.id]
