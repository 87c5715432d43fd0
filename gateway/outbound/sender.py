"""Due messages → a bind: within its window and its rate, answers to people first.

A bind's window counts a message from its submit_sm until its result is *committed*, not
until the response arrives. So a daemon that is killed leaves at most one window of
messages of which it cannot say whether they went out, and those are all that can be sent
twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import structlog

from core.outbox import Outgoing, Result, Sent
from gateway.messages import Connection, OutboundSms, SendResult, SendStatus
from gateway.outbound.sends import SenderStatus, Submitted, unnoticed
from gateway.outbound.submission import as_sms
from gateway.outbound.turn import Clock, Turn

log = structlog.get_logger(__name__)

MIN_ROOM = 500
"""A bind holds at least this many messages in memory, beyond its window …"""
ROOM_WINDOWS = 4
"""… or this many windows, whichever is more."""
KEPT_FREE = 10
"""One place of so many in the window is never taken by what the utility sends in bulk."""

_RESULTS = {status: Result(status.value) for status in SendStatus}


class SenderSettings(NamedTuple):
    """What sending over one bind must know."""

    bind: str
    smsc: str
    window: int
    rate: float
    receipts: bool
    blocked_codes: frozenset[int] = frozenset()
    """Refusals that mean that the operator blocks the mobile."""
    shared: bool = False
    """Whether other daemons may send over binds of this name: a rate is for all together."""


class Sender:
    """The messages that one bind is to send, and those it has sent and not yet settled."""

    def __init__(
        self,
        settings: SenderSettings,
        clock: Clock,
        settle: Callable[[str, Sequence[Sent]], None],
        on_submitted: Submitted = unnoticed,
    ) -> None:
        self.settings = settings
        self._on_submitted = on_submitted
        self._clock = clock
        self._settle = settle
        self.turn = Turn(settings.rate, clock, self.pump, shared=settings.shared)
        self._connection: Connection | None = None
        self._is_paused = False
        self._answers: deque[Outgoing] = deque()
        self._others: deque[Outgoing] = deque()
        self._in_flight: dict[int, Outgoing] = {}
        self._said: dict[int, Callable[[SendResult], None]] = {}
        self._unsettled = 0

    @property
    def _most(self) -> int:
        """How many messages it holds in memory, beyond its window."""
        return self.turn.room(max(MIN_ROOM, ROOM_WINDOWS * self.settings.window))

    @property
    def is_up(self) -> bool:
        """Whether there is a connection to send on."""
        # One that has ended is lost a moment later; until then it would give back whatever
        # it is handed, as fast as that can be handed to it again.
        if self._is_paused:
            return False
        return self._connection is not None and self._connection.is_open

    @property
    def room(self) -> int:
        """How many more messages may be claimed; none while the bind is down."""
        if not self.is_up:
            return 0
        return max(0, self._most - len(self._answers) - len(self._others))

    @property
    def has_room_for_answers(self) -> bool:
        """Whether an answer may be handed over: nothing but answers is ever in its way."""
        return self.is_up and len(self._answers) < self._most

    @property
    def is_half_empty(self) -> bool:
        """Whether it is time to claim more."""
        return self.room * 2 >= self._most

    @property
    def held(self) -> list[int]:
        """Ids of all rows that this sender has in hand, settled ones excepted."""
        return [row.id for row in (*self._answers, *self._others)] + list(self._in_flight)

    @property
    def queued(self) -> list[int]:
        """Ids of the rows that have not been submitted yet."""
        return [row.id for row in (*self._answers, *self._others)]

    def disown(self, ids: Collection[int]) -> None:
        """Give back these rows if they have not been submitted: another daemon has them."""
        gone = [row for row in (*self._answers, *self._others) if row.id in ids]
        self._answers = deque(row for row in self._answers if row.id not in ids)
        self._others = deque(row for row in self._others if row.id not in ids)
        self._give_back(gone)

    def status(self) -> SenderStatus:
        """How much is waiting here and how much is under way."""
        return SenderStatus(
            len(self._answers) + len(self._others),
            len(self._in_flight) + self._unsettled,
            self.turn.held,
            self.turn.slowed_to,
            self.turn.share,
        )

    def bound(self, connection: Connection) -> None:
        """The bind is up: send on this connection."""
        self._connection = connection
        self.pump()

    def lost(self) -> None:
        """The bind is down: give back what was never sent, for another bind or later."""
        self._connection = None
        self._give_all_back()

    def pause(self) -> None:
        """Submit nothing more, as if the bind were down; what is under way still settles."""
        self._is_paused = True
        self._give_all_back()

    def resume(self) -> None:
        """Send again."""
        self._is_paused = False
        self.pump()

    def _give_all_back(self) -> None:
        rows = [*self._answers, *self._others]
        self._answers.clear()
        self._others.clear()
        self._give_back(rows)

    def hand_over(self, rows: Sequence[Outgoing]) -> None:
        """Take rows to send; they come back through ``settle``, each once."""
        if not self.is_up:
            self._give_back(rows)
            return
        for row in rows:
            (self._others if row.priority else self._answers).append(row)

    def _give_back(self, rows: Sequence[Outgoing]) -> None:
        if rows:
            self._unsettled += len(rows)
            self._settle(self.settings.bind, [Sent(row, Result.UNSENT, "", "", 0) for row in rows])

    def pump(self) -> None:
        """Send what window and rate allow."""
        if not self.is_up or not self.turn.is_leased:
            return
        free = self.settings.window - len(self._in_flight) - self._unsettled
        answers = min(free, len(self._answers))
        others = min(free - answers - self.settings.window // KEPT_FREE, len(self._others))
        wanted = answers + max(0, others)
        if wanted <= 0:
            return
        if granted := self.turn.take(wanted):
            self._submit([self._next() for _ in range(granted)])

    def _next(self) -> Outgoing:
        return self._answers.popleft() if self._answers else self._others.popleft()

    def _submit(self, rows: Sequence[Outgoing]) -> None:
        assert self._connection is not None  # noqa: S101 - pump has looked
        now_ms = int(self._clock.seconds() * 1000)
        for row in rows:
            self._in_flight[row.id] = row
        self._connection.submit([as_sms(row, self.settings.receipts, now_ms) for row in rows])
        self._on_submitted(self.settings.bind, rows, now_ms)

    def say(self, messages: Sequence[OutboundSms], answered: Callable[[SendResult], None]) -> None:
        """Submit a few messages that are in no outbox, at once: what the operator must hear.

        ``answered`` is called once for each. Only while the bind is up.
        """
        assert self._connection is not None  # noqa: S101 - whoever calls has looked
        self._said.update((message.id, answered) for message in messages)
        self._connection.submit(messages)

    def sent(self, results: Sequence[SendResult]) -> None:
        """What became of submitted messages; their window is free once this is committed."""
        settled: list[Sent] = []
        smsc = self.settings.smsc
        for result_of in results:
            row_id, status, smsc_id, code = result_of
            if row_id in self._said:
                self._said.pop(row_id)(result_of)
                continue
            row = self._in_flight.pop(row_id, None)
            if row is None:
                log.error("outbound.result_without_message", bind=self.settings.bind, row=row_id)
                continue
            if status is SendStatus.THROTTLED:
                self.turn.throttled()
                log.warning("outbound.throttled", bind=self.settings.bind, code=code)
            result = _RESULTS[status]
            if result is Result.PERMANENT and code in self.settings.blocked_codes:
                result = Result.BLOCKED
            settled.append(Sent(row, result, smsc, smsc_id, code))
        self._unsettled += len(settled)
        self._settle(self.settings.bind, settled)

    def withdraw(self, ids: Collection[int]) -> None:
        """Give back those of these rows that have not been submitted: nobody wants them."""
        self._take_out([row for row in self._others if row.id in ids])

    def close(self, policies: Collection[int]) -> None:
        """Give back what has not been submitted of these policies: their hours are over."""
        self._take_out([row for row in self._others if row.policy_id in policies])

    def _take_out(self, rows: Sequence[Outgoing]) -> None:
        if rows:
            gone = {row.id for row in rows}
            self._others = deque(row for row in self._others if row.id not in gone)
            self._give_back(rows)

    def committed(self, count: int) -> None:
        """So many results are committed: their places in the window are free."""
        self._unsettled -= count

    def stop(self) -> None:
        """Forget the alarm; what is still here stays ``sending`` in the database."""
        self.turn.stop()
