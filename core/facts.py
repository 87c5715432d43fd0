"""What a batch's operations know, and what they change.

``Facts.load`` fetches everything that the calls of a batch need, one statement for each
kind of fact. Operations read from it and record their effects in it, so that the second
message of a batch sees what the first one did; ``Facts.store`` writes all effects, again
one statement for each kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy import Connection, Text, delete, select

from core.bills import LastBill, load_last_bills
from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.calls import Argument, Call
from core.identity import (
    Failure,
    Subscriber,
    failures_matter_for,
    load_contacts,
    load_failures,
    load_subscribers,
    locked_until,
)
from core.policy import Policy
from core.readings import LastReadings, Reading, ReadingState, load_last_readings
from core.tables import bill_recipients, code_failures, readings

_NO_READINGS = LastReadings(None, None)


class Need(Enum):
    """A kind of fact that an operation wants loaded for the subscriptions it is about."""

    LAST_BILL = auto()
    LAST_READINGS = auto()
    BILL_RECIPIENTS = auto()
    """By mobile: which subscriptions' bills it gets."""


class Asker(NamedTuple):
    """Who sent a message, and when."""

    utility: str
    mobile: str
    at: int
    """UTC milliseconds."""
    policy: Policy
    source: str
    """The door: ``sms``, later ``ussd`` or ``api``."""
    message_id: int
    """The inbox row, for effects that say what brought them."""


class Wanted(NamedTuple):
    """A call that may be run, who asks for it, and the facts its operation needs."""

    asker: Asker
    call: Call
    needs: frozenset[Need]


class Facts:
    """The loaded facts of one batch and its pending effects. Not shared between threads."""

    def __init__(self) -> None:
        self._by_number: dict[tuple[str, str], Subscriber] = {}
        self._by_mobile: dict[tuple[str, str], tuple[Subscriber, ...]] = {}
        self._failed_mobiles: defaultdict[str, list[int]] = defaultdict(list)
        self._failed_numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._last_bills: dict[int, LastBill] = {}
        self._last_readings: dict[int, LastReadings] = {}
        self._recipients: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._new_failures: list[Failure] = []
        self._new_readings: list[tuple[object, ...]] = []
        self._confirmed_readings: list[tuple[int, str]] = []
        self._new_recipients: list[tuple[object, ...]] = []
        self._gone_recipients: list[tuple[str, str]] = []

    # --- loading --------------------------------------------------------------------

    @classmethod
    def load(cls, connection: Connection, wanted: Iterable[Wanted]) -> Facts:
        """Everything that these calls need; the number of statements does not grow."""
        facts = cls()
        wanted = list(wanted)
        facts._load_identities(connection, wanted)
        about: defaultdict[Need, set[int]] = defaultdict(set)
        mobiles: set[tuple[str, str]] = set()
        for asker, call, needs in wanted:
            if Need.BILL_RECIPIENTS in needs:
                mobiles.add((asker.utility, asker.mobile))
            for subscriber in facts.subscribers_of(asker, call):
                for need in needs:
                    about[need].add(subscriber.id)
        facts._last_bills = load_last_bills(connection, about[Need.LAST_BILL])
        facts._last_readings = load_last_readings(connection, about[Need.LAST_READINGS])
        facts._load_recipients(connection, mobiles)
        return facts

    def _load_identities(self, connection: Connection, wanted: list[Wanted]) -> None:
        numbers: set[tuple[str, str]] = set()
        mobiles: set[tuple[str, str]] = set()
        guarded: set[tuple[str, str, str, int]] = set()
        for asker, call, _needs in wanted:
            number = call.arguments.get(Argument.NUMBER)
            if number is not None:
                numbers.add((asker.utility, number))
            if Argument.CODE in call.arguments:
                since = asker.at - failures_matter_for(asker.policy)
                guarded.add((asker.utility, number or "", asker.mobile, since))
            else:
                mobiles.add((asker.utility, asker.mobile))
        self._by_number = load_subscribers(connection, numbers)
        self._by_mobile = load_contacts(connection, mobiles)
        for failure in load_failures(connection, guarded):
            self._note_failure(failure)

    def _load_recipients(self, connection: Connection, mobiles: set[tuple[str, str]]) -> None:
        if mobiles:
            for utility, mobile, subscriber_id in connection.execute(_RECIPIENTS, as_rows(mobiles)):
                self._recipients[utility, mobile].add(subscriber_id)

    # --- reading --------------------------------------------------------------------

    def subscriber(self, utility: str, number: str) -> Subscriber | None:
        """The subscription with this number."""
        return self._by_number.get((utility, number))

    def registered(self, asker: Asker) -> tuple[Subscriber, ...]:
        """The subscriptions that the asker's mobile is registered to."""
        return self._by_mobile.get((asker.utility, asker.mobile), ())

    def subscribers_of(self, asker: Asker, call: Call) -> tuple[Subscriber, ...]:
        """The subscriptions that a call may be about: the one it names, or the asker's own."""
        number = call.arguments.get(Argument.NUMBER)
        if number is None:
            return self.registered(asker)
        found = self.subscriber(asker.utility, number)
        return (found,) if found else ()

    def locked_until(self, asker: Asker, number: str) -> int:
        """When the lock on this mobile or this number ends; 0 when neither is locked."""
        return max(
            locked_until(self._failed_mobiles[asker.mobile], asker.policy),
            locked_until(self._failed_numbers[asker.utility, number], asker.policy),
        )

    def last_bill(self, subscriber: Subscriber) -> LastBill | None:
        """The newest bill, with what was paid since."""
        return self._last_bills.get(subscriber.id)

    def last_readings(self, subscriber: Subscriber) -> LastReadings:
        """The newest reading that counts, and one that waits to be confirmed."""
        return self._last_readings.get(subscriber.id, _NO_READINGS)

    def bills_wanted_by(self, asker: Asker) -> frozenset[int]:
        """Ids of the subscriptions whose bills the asker's mobile gets."""
        return frozenset(self._recipients[asker.utility, asker.mobile])

    # --- effects --------------------------------------------------------------------

    def add_failure(self, asker: Asker, number: str) -> None:
        """Remember a wrong code."""
        failure = Failure(asker.utility, number, asker.mobile, asker.at)
        self._new_failures.append(failure)
        self._note_failure(failure)

    def _note_failure(self, failure: Failure) -> None:
        self._failed_mobiles[failure.mobile].append(failure.at)
        self._failed_numbers[failure.utility, failure.number].append(failure.at)

    def add_reading(
        self, asker: Asker, subscriber: Subscriber, reading: int, state: ReadingState
    ) -> None:
        """Store a reading that the asker sent."""
        last = self.last_readings(subscriber)
        row = Reading(0, subscriber.id, reading, asker.at, asker.source, state.value)
        if state is ReadingState.UNCONFIRMED:
            self._last_readings[subscriber.id] = last._replace(unconfirmed=row)
        else:
            self._last_readings[subscriber.id] = last._replace(counted=row)
        self._new_readings.append((*row[1:], asker.mobile, asker.message_id))

    def confirm_reading(self, subscriber: Subscriber, waiting: Reading) -> None:
        """Let a reading that waited for confirmation count, as doubtful."""
        counted = waiting._replace(state=ReadingState.DOUBTFUL.value)
        self._last_readings[subscriber.id] = LastReadings(counted, None)
        if waiting.id:
            self._confirmed_readings.append((waiting.id, counted.state))
        else:
            # Stored by an earlier message of this very batch: its row is still pending.
            self._new_readings = [
                (*row[:4], counted.state, *row[5:]) if row[:3] == waiting[1:4] else row
                for row in self._new_readings
            ]

    def add_bill_recipient(self, asker: Asker, subscriber: Subscriber) -> None:
        """Send this subscription's bills to the asker's mobile from now on."""
        wanted = self._recipients[asker.utility, asker.mobile]
        if subscriber.id not in wanted:
            wanted.add(subscriber.id)
            self._new_recipients.append((asker.utility, asker.mobile, subscriber.id, asker.at))

    def remove_bill_recipient(self, asker: Asker) -> int:
        """Send the asker's mobile no more bills; returns for how many subscriptions it did."""
        wanted = self._recipients[asker.utility, asker.mobile]
        count = len(wanted)
        if count:
            wanted.clear()
            gone = (asker.utility, asker.mobile)
            self._gone_recipients.append(gone)
            self._new_recipients = [row for row in self._new_recipients if row[:2] != gone]
        return count

    # --- storing --------------------------------------------------------------------

    def store(self, connection: Connection) -> None:
        """Write all effects; the number of statements does not grow with them."""
        insert_rows(connection, code_failures, _FAILURE_COLUMNS, self._new_failures)
        # Two equal readings of one millisecond are one reading.
        insert_rows(connection, readings, _READING_COLUMNS, self._new_readings, or_ignore=True)
        update_rows(connection, readings, ("id", "state"), self._confirmed_readings)
        if self._gone_recipients:
            connection.execute(_FORGET_RECIPIENTS, as_rows(self._gone_recipients))
        insert_rows(
            connection, bill_recipients, _RECIPIENT_COLUMNS, self._new_recipients, or_ignore=True
        )


_FAILURE_COLUMNS = ("utility", "number", "mobile", "at")
_READING_COLUMNS = (
    "subscriber_id",
    "reading",
    "read_at",
    "source",
    "state",
    "mobile",
    "inbox_id",
)
_RECIPIENT_COLUMNS = ("utility", "mobile", "subscriber_id", "since")

_keys = unfolded({"utility": Text(), "mobile": Text()})
_IS_KEY = (bill_recipients.c.mobile == _keys.c.mobile) & (
    bill_recipients.c.utility == _keys.c.utility
)
_RECIPIENTS = select(
    bill_recipients.c.utility, bill_recipients.c.mobile, bill_recipients.c.subscriber_id
).join_from(_keys, bill_recipients, _IS_KEY)
_FORGET_RECIPIENTS = delete(bill_recipients).where(
    bill_recipients.c.id.in_(
        select(bill_recipients.c.id).join_from(_keys, bill_recipients, _IS_KEY)
    )
)
