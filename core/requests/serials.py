"""The meter numbers that the utility's file has (seed 000, annex 2, pattern 9)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, select

from core.bulk import as_rows, unfolded
from core.calls import Argument
from core.requests.kinds import Automatic
from core.shelf import Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import subscribers

_wanted = unfolded({"subscriber_id": BigInteger()})
_SERIALS = select(subscribers.c.id, subscribers.c.meter_serial).join_from(
    _wanted, subscribers, subscribers.c.id == _wanted.c.subscriber_id
)


class MeterSerials(Shelf):
    """The stored meter number of each subscription."""

    def __init__(self) -> None:
        self._serials: dict[int, str] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement, and none when no kind of request is about to be compared."""
        keys = ids_of([one for one in subjects if _compares(one)])
        if keys:
            rows = fetch(connection, _SERIALS, as_rows((key,) for key in keys))
            self._serials = {key: serial or "" for key, serial in rows}

    def agrees(self, subscriber: Subscriber, told: str) -> bool:
        """Whether the file has this number already; zeros in front and case do not count."""
        stored = _plain(self._serials.get(subscriber.id, ""))
        return bool(stored) and stored == _plain(told)


def _compares(subject: Subject) -> bool:
    kinds = subject.asker.terms.services.kinds
    kind = kinds.get(subject.call.arguments.get(Argument.KIND, ""))
    return kind is not None and Automatic.COMPARE_SERIAL in kind.automatic


def _plain(serial: str) -> str:
    return serial.replace(" ", "").lstrip("0").upper()
