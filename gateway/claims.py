"""The outbox's clock: messages that are due are fetched for every bind that has room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from core.holding import closed_at
from core.sending import Claimed, claim_for_each
from core.templates.types import SendPolicy
from gateway.inbound import Inbound
from gateway.outbound import Router

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
"""Messages of one bind in one transaction: a text that comes in meanwhile waits for it."""


class Claims:
    """Claims due messages for this node, one transaction at a time."""

    def __init__(
        self,
        node: int,
        router: Router,
        inbound: Inbound,
        transact: Callable[..., Deferred[Any]],
        now_ms: Callable[[], int],
    ) -> None:
        self._node = node
        self._router = router
        self._inbound = inbound
        self._transact = transact
        self._now = now_ms
        self.is_claiming = False
        """Whether rows may be on their way here that nobody has in hand yet."""
        self._again = False
        self._unfinished: set[str] = set()
        """Binds whose last claim brought as much as was asked for: there is more."""
        self._hours: dict[int, SendPolicy] = {}
        """Policies of messages that were claimed and may go out at some hours only."""

    def refill(self) -> None:
        """Fetch more where there is more, and half of what a bind had in hand is gone."""
        senders = self._router.senders
        if any(senders[bind].is_half_empty for bind in self._unfinished):
            self.claim()

    def claim(self) -> None:
        """Fetch due messages for every bind that is up and has room."""
        if self.is_claiming:
            self._again = True
            return
        if self._inbound.database_error or self._inbound.is_stopping:
            return
        self._give_back_late()
        served = self._router.lines_of()
        self._unfinished &= served.keys()
        wanted = [
            (bind, lines, min(MOST_AT_ONCE, self._router.senders[bind].room))
            for bind, lines in served.items()
        ]
        wanted = [one for one in wanted if one[2]]
        if not wanted:
            return
        self.is_claiming, self._again = True, False
        done = self._transact("claim", claim_for_each, self._node, wanted, self._now())
        limits = {bind: limit for bind, _lines, limit in wanted}
        done.addCallbacks(self._claimed, self._failed, callbackArgs=(limits,))
        done.addErrback(_log_failure)
        done.addBoth(self._ended)

    def _give_back_late(self) -> None:
        """What waits in memory for its bind's rate waits for the next hours of its policy."""
        closed = closed_at(self._hours, self._now())
        if closed:
            for sender in self._router.senders.values():
                sender.close(closed)
            self._hours = {key: hours for key, hours in self._hours.items() if key not in closed}

    def _failed(self, failure: Failure) -> None:
        # The commit may have taken effect; then nobody else knows of the rows.
        failure.trap(DatabaseUnavailable)
        self._inbound.unavailable(failure)

    def _claimed(self, found: Sequence[Claimed], limits: Mapping[str, int]) -> None:
        for bind, rows, again, hours in found:
            self._again |= again
            self._hours.update(hours)
            if len(rows) < limits[bind]:
                self._unfinished.discard(bind)
            else:
                self._unfinished.add(bind)
            sender = self._router.senders[bind]
            sender.hand_over(rows)
            sender.pump()

    def _ended(self, _result: object) -> None:
        self.is_claiming = False
        if self._again:
            self.claim()


def _log_failure(failure: Failure) -> None:
    log.critical("outbox.claim_failed", failure=failure.getTraceback())
