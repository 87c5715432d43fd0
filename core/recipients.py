"""Which mobiles get a subscription's bills by SMS (seed 001: codes 210 and 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, Text, delete, select

from core.bulk import as_rows, insert_rows, unfolded
from core.shelf import Asker, Shelf, Subject, Subscriber
from core.statements import change, fetch
from core.tables import bill_recipients

_keys = unfolded({"utility": Text(), "mobile": Text()})
_IS_KEY = (bill_recipients.c.mobile == _keys.c.mobile) & (
    bill_recipients.c.utility == _keys.c.utility
)
_WANTED = select(
    bill_recipients.c.utility, bill_recipients.c.mobile, bill_recipients.c.subscriber_id
).join_from(_keys, bill_recipients, _IS_KEY)
_FORGET = delete(bill_recipients).where(
    bill_recipients.c.id.in_(
        select(bill_recipients.c.id).join_from(_keys, bill_recipients, _IS_KEY)
    )
)
_COLUMNS = ("utility", "mobile", "subscriber_id", "since")


class BillRecipients(Shelf):
    """What each asking mobile gets."""

    def __init__(self) -> None:
        self._wanted: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._new: list[tuple[object, ...]] = []
        self._gone: list[tuple[str, str]] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        mobiles = {(one.asker.utility, one.asker.mobile) for one in subjects}
        for utility, mobile, subscriber_id in fetch(connection, _WANTED, as_rows(mobiles)):
            self._wanted[utility, mobile].add(subscriber_id)

    def add(self, asker: Asker, subscriber: Subscriber) -> None:
        """Send this subscription's bills to the asker's mobile from now on."""
        wanted = self._wanted[asker.utility, asker.mobile]
        if subscriber.id not in wanted:
            wanted.add(subscriber.id)
            self._new.append((asker.utility, asker.mobile, subscriber.id, asker.at))

    def remove(self, asker: Asker) -> int:
        """Send the asker's mobile no more bills; returns for how many subscriptions it did."""
        gone = (asker.utility, asker.mobile)
        wanted = self._wanted[gone]
        count = len(wanted)
        if count:
            wanted.clear()
            self._gone.append(gone)
            self._new = [row for row in self._new if row[:2] != gone]
        return count

    def store(self, connection: Connection) -> None:
        """Two statements."""
        if self._gone:
            change(connection, _FORGET, as_rows(self._gone))
        insert_rows(connection, bill_recipients, _COLUMNS, self._new, or_ignore=True)
