"""Who is asking, and for which subscription: subscriptions, contacts, secret codes, lock-out.

Loads take all the keys of a batch and are one statement each. What they return are frozen
values; the lock-out is computed from the failures themselves, so that there is no counter
that could drift from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, select, union_all

from core.bulk import as_rows, insert_rows, unfolded
from core.calls import Argument, Call
from core.policy import Policy
from core.shelf import Asker, Shelf, Subject, Subscriber
from core.statements import fetch
from core.tables import code_failures, contacts, subscribers

MINUTE_MS = 60_000
OTHER_NAMES = (Argument.BILL_ID, Argument.METER_SERIAL)
"""What names a subscription besides its number."""


_BY_ITS_NUMBER = (Argument.NUMBER,)


def identifying(call: Call) -> tuple[Argument, ...]:
    """What the call names a subscription by: its number, or else other names, the stronger first.

    Empty when it names none. A request that tells a meter's number does not go by it: it may
    be a new meter's.
    """
    said = call.arguments
    if Argument.NUMBER in said:
        return _BY_ITS_NUMBER
    return tuple(
        argument
        for argument in OTHER_NAMES
        if argument in said and not (argument is Argument.METER_SERIAL and Argument.KIND in said)
    )


class Failure(NamedTuple):
    """One wrong code: from which mobile, for which (typed) number, when."""

    utility: str
    number: str
    mobile: str
    at: int


_SUBSCRIBER = (
    subscribers.c.id,
    subscribers.c.utility,
    subscribers.c.number,
    subscribers.c.code_hash,
    subscribers.c.meter_digits,
)

_numbers = unfolded({"utility": Text(), "number": Text()})
_BY_NUMBER = select(*_SUBSCRIBER).join_from(
    _numbers,
    subscribers,
    (subscribers.c.utility == _numbers.c.utility) & (subscribers.c.number == _numbers.c.number),
)

_mobiles = unfolded({"utility": Text(), "mobile": Text()})
_BY_MOBILE = (
    select(contacts.c.mobile, *_SUBSCRIBER)
    .join_from(
        _mobiles,
        contacts,
        (contacts.c.mobile == _mobiles.c.mobile) & (contacts.c.utility == _mobiles.c.utility),
    )
    .join(subscribers, subscribers.c.id == contacts.c.subscriber_id)
    .order_by(subscribers.c.number)
)

_names = unfolded({"utility": Text(), "value": Text()})
_BY_OTHER_NAME = {
    argument: select(_names.c.value, *_SUBSCRIBER).join_from(
        _names,
        subscribers,
        (subscribers.c.utility == _names.c.utility) & (column == _names.c.value),
    )
    for argument, column in (
        (Argument.BILL_ID, subscribers.c.bill_id),
        (Argument.METER_SERIAL, subscribers.c.meter_serial),
    )
}

_askers = unfolded({"utility": Text(), "number": Text(), "mobile": Text(), "since": BigInteger()})
_FAILURE = (
    code_failures.c.utility,
    code_failures.c.number,
    code_failures.c.mobile,
    code_failures.c.at,
    code_failures.c.id,
)
_FAILURES = union_all(
    select(*_FAILURE).join_from(
        _askers,
        code_failures,
        (code_failures.c.mobile == _askers.c.mobile) & (code_failures.c.at > _askers.c.since),
    ),
    select(*_FAILURE).join_from(
        _askers,
        code_failures,
        (code_failures.c.utility == _askers.c.utility)
        & (code_failures.c.number == _askers.c.number)
        & (code_failures.c.at > _askers.c.since),
    ),
)


def load_subscribers(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Subscriber]:
    """The subscriptions among ``keys``: (utility, number)."""
    if not keys:
        return {}
    rows = fetch(connection, _BY_NUMBER, as_rows(keys))
    return {(row[1], row[2]): Subscriber._make(row) for row in rows}


def load_contacts(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[Subscriber, ...]]:
    """The subscriptions that each (utility, mobile) of ``keys`` is registered to."""
    found: dict[tuple[str, str], tuple[Subscriber, ...]] = {}
    if keys:
        for mobile, *rest in fetch(connection, _BY_MOBILE, as_rows(keys)):
            subscriber = Subscriber._make(rest)
            key = (subscriber.utility, mobile)
            found[key] = (*found.get(key, ()), subscriber)
    return found


def load_by_other_names(
    connection: Connection, names: Mapping[Argument, Collection[tuple[str, str]]]
) -> dict[tuple[str, Argument, str], tuple[Subscriber, ...]]:
    """The subscriptions with these bill IDs or meter serials, (utility, value) by argument.

    By (utility, argument, value); a statement for each argument. A meter serial is not unique by
    nature: two makers may have given the same.
    """
    found: dict[tuple[str, Argument, str], tuple[Subscriber, ...]] = {}
    for argument, keys in names.items():
        for value, *rest in fetch(connection, _BY_OTHER_NAME[argument], as_rows(keys)):
            subscriber = Subscriber._make(rest)
            key = (subscriber.utility, argument, value)
            found[key] = (*found.get(key, ()), subscriber)
    return found


def load_failures(
    connection: Connection, askers: Collection[tuple[str, str, str, int]]
) -> list[Failure]:
    """Wrong codes of these (utility, number, mobile) since the given instant, oldest first."""
    if not askers:
        return []
    # One failure is found by its mobile and by its number; its id tells that it is one.
    found = fetch(connection, _FAILURES, as_rows(askers))
    rows = {row[4]: Failure._make(row[:4]) for row in found}
    return sorted(rows.values(), key=lambda failure: failure.at)


def failures_matter_for(policy: Policy) -> int:
    """How far back, in milliseconds, a wrong code can still be part of a lock."""
    return int((policy.code_window + policy.code_lock).total_seconds() * 1000)


def locked_until(times: Iterable[int], policy: Policy) -> int:
    """When the lock that these failures cause ends: UTC milliseconds, 0 for no lock.

    ``times`` are the instants of one mobile's or one subscription's failures, ascending.
    """
    window = int(policy.code_window.total_seconds() * 1000)
    lock = int(policy.code_lock.total_seconds() * 1000)
    ends = 0
    recent: list[int] = []
    for at in times:
        recent = [earlier for earlier in recent if at - earlier < window]
        recent.append(at)
        if len(recent) >= policy.code_attempts:
            ends = at + lock
            recent = []
    return ends


def minutes_left(until: int, now: int) -> int:
    """Whole minutes until an instant, at least one: what a person is told."""
    return max(1, -(-(until - now) // MINUTE_MS))


class Identities(Shelf):
    """The subscriptions that calls name, those that mobiles are registered to, wrong codes."""

    def __init__(self) -> None:
        self._by_number: dict[tuple[str, str], Subscriber] = {}
        self._by_mobile: dict[tuple[str, str], tuple[Subscriber, ...]] = {}
        self._by_other_name: dict[tuple[str, Argument, str], tuple[Subscriber, ...]] = {}
        self._failed_mobiles: defaultdict[str, list[int]] = defaultdict(list)
        self._failed_numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._new: list[Failure] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """Five statements at the most."""
        numbers: set[tuple[str, str]] = set()
        mobiles: set[tuple[str, str]] = set()
        others: defaultdict[Argument, set[tuple[str, str]]] = defaultdict(set)
        for asker, call, _subscribers in subjects:
            number = call.arguments.get(Argument.NUMBER)
            if number is not None:
                numbers.add((asker.utility, number))
            else:
                for argument in identifying(call):
                    others[argument].add((asker.utility, call.arguments[argument]))
            if Argument.CODE not in call.arguments:
                mobiles.add((asker.utility, asker.mobile))
        self._by_number = load_subscribers(connection, numbers)
        self._by_mobile = load_contacts(connection, mobiles)
        self._by_other_name = load_by_other_names(connection, others)
        for failure in load_failures(connection, set(self._guarded(subjects))):
            self._note(failure)

    def _guarded(self, subjects: Sequence[Subject]) -> Iterator[tuple[str, str, str, int]]:
        """Whose wrong codes matter: (utility, number, mobile, since when), for each call with one.

        A number is guarded by whatever name the subscription goes in the call.
        """
        for asker, call, _subscribers in subjects:
            if Argument.CODE not in call.arguments:
                continue
            since = asker.at - failures_matter_for(asker.policy)
            number = call.arguments.get(Argument.NUMBER)
            if number is not None:
                yield asker.utility, number, asker.mobile, since
                continue
            named = self.subscribers_of(asker, call) if identifying(call) else ()
            for number in [each.number for each in named] or [""]:
                yield asker.utility, number, asker.mobile, since

    def subscriber(self, utility: str, number: str) -> Subscriber | None:
        """The subscription with this number."""
        return self._by_number.get((utility, number))

    def registered(self, asker: Asker) -> tuple[Subscriber, ...]:
        """The subscriptions that the asker's mobile is registered to."""
        return self._by_mobile.get((asker.utility, asker.mobile), ())

    def subscribers_of(self, asker: Asker, call: Call) -> tuple[Subscriber, ...]:
        """The subscriptions that a call may be about: the one it names, or the asker's own."""
        number = call.arguments.get(Argument.NUMBER)
        if number is not None:
            found = self.subscriber(asker.utility, number)
            return (found,) if found else ()
        for argument in identifying(call):
            return self._by_other_name.get((asker.utility, argument, call.arguments[argument]), ())
        return self.registered(asker)

    def add_contact(self, utility: str, mobile: str, subscriber: Subscriber) -> None:
        """Let the rest of the batch see that a mobile was registered (``core.contacts``)."""
        own = self._by_mobile.get((utility, mobile), ())
        if subscriber not in own:
            found = sorted((*own, subscriber), key=lambda one: one.number)
            self._by_mobile[utility, mobile] = tuple(found)

    def remove_contact(self, utility: str, mobile: str, subscriber: Subscriber) -> None:
        """Let the rest of the batch see that a mobile was removed."""
        own = self._by_mobile.get((utility, mobile), ())
        self._by_mobile[utility, mobile] = tuple(one for one in own if one != subscriber)

    def locked_until(self, asker: Asker, number: str) -> int:
        """When the lock on this mobile or this number ends; 0 when neither is locked."""
        failed = (
            self._failed_mobiles.get(asker.mobile),
            self._failed_numbers.get((asker.utility, number)),
        )
        return max((locked_until(times, asker.policy) for times in failed if times), default=0)

    def add_failure(self, asker: Asker, number: str) -> None:
        """Remember a wrong code."""
        failure = Failure(asker.utility, number, asker.mobile, asker.at)
        self._new.append(failure)
        self._note(failure)

    def _note(self, failure: Failure) -> None:
        self._failed_mobiles[failure.mobile].append(failure.at)
        self._failed_numbers[failure.utility, failure.number].append(failure.at)

    def store(self, connection: Connection) -> None:
        """One statement."""
        insert_rows(connection, code_failures, Failure._fields, self._new)
