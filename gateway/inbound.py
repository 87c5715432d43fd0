"""Arrivals → core → answers, in batches.

Whatever comes while the database is busy waits here and goes into one transaction: texts,
receipts, results of submissions, lost acknowledgements. No timer: a lone message makes a
batch of one at once. Only a committed arrival is acknowledged. While the database is away
arrivals are refused for now, so that the SMSC keeps them, and results wait in memory: the
windows they occupy bound them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.batch import Desk, Done
from core.database import Database, DatabaseUnavailable
from core.outbox import Result, Sent
from core.recovery import InHand
from core.running import run
from core.suspects import Arrived, Unconfirmed
from gateway.arrivals import NO_CODES, Arrivals
from gateway.dials import to_show
from gateway.ledger import Ledger
from gateway.messages import (
    Connection,
    Delivery,
    SendResult,
    Temporary,
)
from gateway.outbound import Clock, Router
from gateway.outcomes import Outcomes
from gateway.pending import Notes, Waiting, Work, by_ledger, take_late
from gateway.precedence import Precedence
from gateway.screens import Screens

log = structlog.get_logger(__name__)

MOST_ARRIVALS = 500
"""Of one batch: more would make the first of them wait for the last."""
TOO_LATE_MS = 8_000
"""An SMSC gives up on an answer after some ten seconds: better refused than answered late."""
RETRY_SECONDS = 1.0

InThread = Callable[..., "Deferred[Any]"]
"""``in_thread(function, *arguments)``: run it on the database's thread."""


class Inbound:
    """Implements ``messages.BindListener``; all of it runs on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        database: Database,
        desk: Desk,
        router: Router,
        *,
        profiles: Mapping[str, str],
        clock: Clock,
        in_thread: InThread,
        recover: Callable[[InHand, int], None],
        smsc_of: Mapping[str, str],
        blocked_errors: Mapping[str, Collection[str]] = NO_CODES,
        max_waiting: int = 10_000,
        on_bound: Callable[[], object] = lambda: None,
        on_queued: Callable[[], None] = lambda: None,
        on_settled: Callable[[], None] = lambda: None,
        on_happened: Callable[[], None] = lambda: None,
        is_claiming: Callable[[], bool] = lambda: False,
        on_batch: Callable[[Work, Done, float], None] = lambda _work, _done, _seconds: None,
        precedence: Precedence | None = None,
    ) -> None:
        self._database = database
        self._desk = desk
        self._router = router
        self._clock = clock
        self._in_thread = in_thread
        self._recover = recover
        self._arrivals = Arrivals(desk, router, profiles, smsc_of, blocked_errors)
        self._max_waiting = max_waiting
        self._on_bound = on_bound
        self._on_queued = on_queued
        self._on_settled = on_settled
        self._on_happened = on_happened
        self._is_claiming = is_claiming
        self._on_batch = on_batch
        self._precedence = precedence or Precedence()
        self._began = 0.0
        self._ledgers: dict[int, Ledger] = {}
        self._waiting: deque[Waiting] = deque()
        self._notes = Notes()
        self._doubtful: list[Unconfirmed] = []
        self._paused: set[int] = set()
        self._retry: Any = None
        self.is_busy = False
        self.is_stopping = False
        self.database_error = ""
        self.counters: Counter[str] = Counter()
        self.outcomes = Outcomes()
        self.screens = Screens(clock)

    # --- what binds tell ------------------------------------------------------------

    def bound(self, bind: str, connection: Connection) -> None:
        """A bind is up: its arrivals get a ledger, its sender a connection."""
        self._ledgers[connection.id] = Ledger(self._desk.ids.one(), bind, connection)
        self.screens.bound(bind, connection)
        sender = self._router.senders.get(bind)
        if sender is not None:
            sender.bound(connection)
            self._on_bound()
            self._on_queued()

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Deliveries wait for the next batch, or are refused while none can be stored."""
        if self.database_error or self.is_stopping:
            connection.refuse([one.sequence for one in deliveries], Temporary.APPLICATION_ERROR)
            self.counters["refused"] += len(deliveries)
            return
        ledger = self._ledgers[connection.id]
        now = self._now()
        self._waiting.extend(Waiting(ledger, delivery, now) for delivery in deliveries)
        if len(self._waiting) > self._max_waiting:
            log.warning("inbound.paused", bind=bind, waiting=len(self._waiting))
            self._paused.add(connection.id)
            connection.pause_reading()
        self._work()

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:  # noqa: ARG002
        """Results of submissions go back through the bind's sender."""
        self._router.senders[bind].sent(results)

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:  # noqa: ARG002
        """What became of screens: those that were not taken are tried again, or dropped."""
        self.screens.came_back(results)

    def lost(self, bind: str, connection: Connection, reason: str) -> None:  # noqa: ARG002
        """Drop what the SMSC will deliver again; suspect what it may."""
        ledger = self._ledgers.pop(connection.id)
        self._paused.discard(connection.id)
        self.screens.lost(bind, connection)
        self._notes.collect(ledger)
        self._notes.unconfirmed += ledger.take_lost()
        self._waiting = deque(one for one in self._waiting if one.ledger is not ledger)
        sender = self._router.senders.get(bind)
        if sender is not None:
            sender.lost()
        self._work()

    def settle(self, bind: str, sent: Sequence[Sent]) -> None:
        """Results of a bind to record; its sender hears of it when they are committed."""
        self._notes.settle(bind, sent)
        self._work()

    def flush(self) -> None:
        """Record confirmations that no traffic has carried along; called now and then."""
        self._work()

    @property
    def waiting(self) -> int:
        """Arrivals that are not with the database yet."""
        return len(self._waiting)

    @property
    def is_paused(self) -> bool:
        """Whether so much is waiting that some connection is not read."""
        return bool(self._paused)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is waiting and nothing is in work."""
        notes = self._notes
        return not (self.is_busy or self._waiting or notes.sent or notes.unconfirmed)

    # --- making a batch -------------------------------------------------------------

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)

    def _work(self) -> None:
        """Hand the database all there is, unless it is busy or away."""
        if self.is_busy or self.database_error:
            return
        for ledger in self._ledgers.values():
            self._notes.collect(ledger)
        # The SMSC has given up on these by now, and keeps them.
        self._refuse(take_late(self._waiting, self._now() - TOO_LATE_MS))
        work = self._next()
        if work:
            self.is_busy = True
            self._precedence.begin()
            self._began = self._clock.seconds()
            done: Deferred[Done] = self._in_thread(run, self._database, self._desk, work.batch)
            done.addCallbacks(
                self._committed, self._failed, callbackArgs=(work,), errbackArgs=(work,)
            )
            done.addErrback(self._broken)
        self._resume()

    def _next(self) -> Work:
        now = self._now()
        work = self._notes.take(now)
        for _ in range(min(len(self._waiting), MOST_ARRIVALS)):
            self._arrivals.put(work, self._waiting.popleft(), now)
        return work

    # --- after a batch --------------------------------------------------------------

    def _committed(self, done: Done, work: Work) -> None:
        self.is_busy = False
        self._notes.unconfirmed += work.acknowledge(done)
        self._refuse(work.refused(done))
        self._notes.unconfirmed += work.late(done, self._now() - TOO_LATE_MS)
        self.screens.show(to_show(done.screens, work.inputs))
        senders = self._router.senders
        for bind, count in work.settled.items():
            senders[bind].committed(count)
        for bind, rows in done.outgoing:
            senders[bind].hand_over(rows)
        for sender in senders.values():
            if done.unwanted:
                sender.withdraw(done.unwanted)
            sender.pump()
        self._on_batch(work, done, self._clock.seconds() - self._began)
        self.counters["received"] += len(work.batch.arrivals)
        self.counters["texts"] += _new(work.batch.arrivals, done)
        self.counters["inputs"] += _new(work.batch.inputs, done)
        self.counters.update({f"became_{state}": count for state, count in done.became.items()})
        self.dialled(done)
        self.counters["redelivered"] += len(done.redelivered)
        self.counters["receipts"] += len(work.receipts)
        self.counters["set_aside"] += done.set_aside
        self.outcomes.note(work.batch.sent, work.batch.receipts)
        if done.queued or any(one.result is Result.UNSENT for one in work.batch.sent):
            self._on_queued()
        self._on_settled()
        if done.happened:
            self._on_happened()
        self._work()
        if not self.is_busy:
            self._precedence.end()

    def dialled(self, done: Done) -> None:
        """Count what became of USSD sessions and inputs."""
        self.counters.update({f"ussd_{what}": count for what, count in done.dialled.items()})

    def _refuse(self, deliveries: Sequence[tuple[Ledger, int]]) -> None:
        """Let the SMSC keep these and deliver them again."""
        for ledger, sequences in by_ledger(deliveries).items():
            ledger.connection.refuse(sequences, Temporary.APPLICATION_ERROR)
            self.counters["refused"] += len(sequences)

    def _resume(self) -> None:
        if self._paused and len(self._waiting) < self._max_waiting // 2:
            for connection_id in self._paused:
                self._ledgers[connection_id].connection.resume_reading()
            self._paused.clear()

    # --- when the database is away ---------------------------------------------------

    def _failed(self, failure: Failure, work: Work) -> None:
        """Keep what only we know, refuse what the SMSC can deliver again, and try later."""
        self.is_busy = False
        self._precedence.end()
        self._notes.take_back(work)
        self._doubtful += work.doubtful()
        self._refuse([(ledger, sequence) for ledger, sequence, _arrival in work.came])
        self._refuse(work.receipts)
        self.unavailable(failure)

    def unavailable(self, failure: Failure) -> None:
        """Take in nothing until the database has been put right after a failed transaction."""
        if not failure.check(DatabaseUnavailable):
            log.critical("batch.crashed", failure=failure.getTraceback())
        is_known = bool(self.database_error)
        self.database_error = failure.getErrorMessage()
        log.error("database.unavailable", error=self.database_error)
        self._refuse([(one.ledger, one.delivery.sequence) for one in self._waiting])
        self._waiting.clear()
        self._resume()
        if not is_known:
            self._retry_later()

    def _retry_later(self) -> None:
        self._retry = self._clock.callLater(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        if self.is_busy or self._is_claiming():
            # Rows that come with it would look as if nobody had them.
            self._retry_later()
            return
        rows = [row_id for sender in self._router.senders.values() for row_id in sender.held]
        rows += (one.row.id for one in self._notes.sent)
        repeated = [key for ledger in self._ledgers.values() for key in ledger.repeated]
        in_hand = InHand(rows, repeated + self._notes.confirmed_suspects, tuple(self._doubtful))
        self.is_busy = True
        done = self._in_thread(self._recover, in_hand, self._now())
        done.addCallbacks(self._is_back, self._is_still_away)
        done.addErrback(self._broken)

    def _is_back(self, _result: object) -> None:
        self.is_busy = False
        log.info("database.back", after=self.database_error)
        self.database_error = ""
        self._doubtful.clear()
        self._on_queued()
        self._work()

    def _is_still_away(self, failure: Failure) -> None:
        self.is_busy = False
        self.database_error = failure.getErrorMessage()
        if not self.is_stopping:
            self._retry_later()

    def _broken(self, failure: Failure) -> None:
        """A mistake of ours after the commit: say so, and go on with the next batch."""
        self.is_busy = False
        self._precedence.end()
        log.critical("inbound.broken", failure=failure.getTraceback())

    def stop(self) -> None:
        """Take nothing more; what was taken is still finished."""
        self.is_stopping = True
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


def _new(arrived: Sequence[Arrived], done: Done) -> int:
    """How many are stored that have not been before."""
    if not (done.redelivered or done.refused):
        return len(arrived)
    return sum(one.id not in done.redelivered and one.id not in done.refused for one in arrived)
