"""The requests of one batch: those that are asked after, and those that it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Text, select, union_all

from core import tracking
from core.bulk import as_rows, insert_rows, unfolded
from core.calls import Argument
from core.requests.kinds import RequestKind
from core.requests.rows import (
    COLUMNS,
    STEP_COLUMNS,
    Request,
    Step,
    Tracked,
    fields_json,
    load_tracked,
)
from core.requests.states import RequestState
from core.sequences import take
from core.shelf import Asker, Shelf, Subject, Subscriber
from core.statements import fetch
from core.tables import request_history, requests

BY_SUBSCRIBER: Final = "subscriber"
"""Who registered a request that came by text."""
BY_ITSELF: Final = "peyk"
"""Who settled one without anybody looking at it."""

_GIVEN_UP = (RequestState.REJECTED.value, RequestState.CANCELLED.value)

_asking = unfolded({"mobile": Text(), "subscriber_id": BigInteger(), "since": BigInteger()})
# By the index of the asker alone. Utility, kind and state are compared in Python: PostgreSQL
# would take them for a better way in, and go through every request of that kind. So is whether a
# mobile's own are about no subscription: SQLite would go through all that are.
_SINCE = requests.c.created_at > _asking.c.since
_ROW = tuple(requests.c[name] for name in COLUMNS)
_RECENT = union_all(
    select(*_ROW).join_from(
        _asking, requests, (requests.c.subscriber_id == _asking.c.subscriber_id) & _SINCE
    ),
    select(*_ROW).join_from(_asking, requests, (requests.c.mobile == _asking.c.mobile) & _SINCE),
)


class Wish(NamedTuple):
    """What is asked for: two equal ones within a day are one request."""

    utility: str
    kind: str
    subscriber_id: int | None
    mobile: str
    """Who asks, where it is about no subscription; else ``""``: whoever asks."""
    text: str
    fields: str


def sequence_of(utility: str) -> str:
    """The name of the sequence that a utility's tracking numbers come from."""
    return f"tracking:{utility}"


class Requests(Shelf):
    """What has been asked for before, what is asked after, and what this batch asks for."""

    def __init__(self) -> None:
        self._tracked: dict[tuple[str, str], Tracked] = {}
        self._recent: dict[Wish, Request] = {}
        self._numbers: dict[str, list[int]] = {}
        self._new: list[Request] = []
        self._steps: list[Step] = []

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """Two statements, and one for each utility that is asked for something."""
        asked_after = {
            (asker.utility, call.arguments[Argument.TRACKING])
            for asker, call, _ in subjects
            if Argument.TRACKING in call.arguments
        }
        self._tracked = load_tracked(connection, asked_after)
        wishing = [one for one in subjects if Argument.KIND in one.call.arguments]
        if wishing:
            self._load_recent(connection, wishing)
            counted = Counter(one.asker.utility for one in wishing)
            # In one order everywhere, so that two daemons never wait for each other.
            for utility, count in sorted(counted.items()):
                numbers = take(connection, sequence_of(utility), count, tracking.FIRST)
                self._numbers[utility] = list(reversed(numbers))

    def _load_recent(self, connection: Connection, wishing: Sequence[Subject]) -> None:
        keys: set[tuple[object, ...]] = set()
        for asker, _call, subscribers in wishing:
            within = asker.terms.services.repeat_within
            since = asker.at - int(within.total_seconds() * 1000)
            about: list[int | None] = [one.id for one in subscribers] or [None]
            keys.update((asker.mobile, subscriber_id, since) for subscriber_id in about)
        rows = fetch(connection, _RECENT, as_rows(keys))
        for request in sorted(
            map(Request._make, rows), key=lambda row: row.created_at, reverse=True
        ):
            if request.state not in _GIVEN_UP:
                self._recent[_wish(request)] = request

    def tracked(self, asker: Asker, tracking_number: str) -> Tracked | None:
        """The request of the asker's utility with this tracking number."""
        return self._tracked.get((asker.utility, tracking_number))

    def same(self, wish: Wish) -> Request | None:
        """The first request of the last day that asked for the same."""
        return self._recent.get(wish)

    def add(
        self,
        asker: Asker,
        kind: RequestKind,
        subscriber: Subscriber | None,
        wish: Wish,
    ) -> Request:
        """Register a request that the asker sent: what ``same`` was asked for, and is not there."""
        request = Request(
            id=self.ids.one(),
            utility=asker.utility,
            tracking=tracking.make(self._numbers[asker.utility].pop()),
            kind=kind.key,
            state=RequestState.REGISTERED.value,
            subscriber_id=subscriber.id if subscriber else None,
            mobile=asker.mobile,
            fields=wish.fields,
            text=wish.text,
            source=asker.source,
            office=None,
            fee=kind.fee_amount or None,
            account=kind.account or None,
            bill_id=None,
            payment_id=None,
            paid_at=None,
            inbox_id=asker.message_id,
            created_at=asker.at,
            changed_at=asker.at,
        )
        self._keep(wish, request)
        self._new.append(request)
        self._steps.append(Step(request.id, asker.at, request.state, BY_SUBSCRIBER, ""))
        return request

    def settle(self, request: Request) -> Request:
        """Have a request that was just added done at once: there is nothing left to do."""
        settled = request._replace(state=RequestState.DONE.value)
        self._new[self._new.index(request)] = settled
        self._steps.append(Step(request.id, request.changed_at, settled.state, BY_ITSELF, ""))
        self._keep(_wish(settled), settled)
        return settled

    def _keep(self, wish: Wish, request: Request) -> None:
        self._recent[wish] = request
        self._tracked[request.utility, request.tracking] = Tracked(request, "")

    def store(self, connection: Connection) -> None:
        """Two statements."""
        insert_rows(connection, requests, COLUMNS, self._new)
        insert_rows(connection, request_history, STEP_COLUMNS, self._steps)


def _wish(request: Request) -> Wish:
    about, mobile = request.subscriber_id, request.mobile or ""
    return Wish(
        request.utility,
        request.kind,
        about,
        mobile if about is None else "",
        request.text,
        # Not as it is stored: it may have been written with other blanks in it.
        fields_json(request.values),
    )
