"""Due messages → a panel: in requests of its size, answers to people first.

To ``Router`` and ``Claims`` it is what ``gateway.outbound.Sender`` is for a bind. A message is
in its hands until its result is committed. Nothing is sent twice while the panel can be asked:
what may have been taken is asked about (``doubts``), and so is a message that was tried before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.outbox import Outgoing, Result, Sent
from gateway.messages import Connection, SendResult
from gateway.outbound import MIN_ROOM, Clock, SenderStatus, Turn
from gateway.panels.around import Hooks, PanelSending
from gateway.panels.delivery import Done, deliver
from gateway.panels.doubts import Doubts
from gateway.panels.mail import Mail, as_mail, rows_of
from gateway.panels.port import Panel
from gateway.panels.queue import MailQueue

log = structlog.get_logger(__name__)

ROOM_REQUESTS: Final = 4
"""Messages of so many requests are held in memory, for each request that may be under way."""


class PanelSender:
    """The messages that one panel is to send, and those it was asked to send."""

    def __init__(self, settings: PanelSending, panel: Panel, clock: Clock, hooks: Hooks) -> None:
        self.settings = settings
        self._panel = panel
        self._clock = clock
        self._hooks = hooks
        self.turn = Turn(settings.rate, clock, self.pump, shared=settings.shared)
        self._doubts = Doubts(settings.bind, panel, clock, self._settle_doubts)
        self._queue = MailQueue()
        self._in_flight: dict[int, Outgoing] = {}
        self._requests = 0
        self._unsettled = 0
        self._going: set[Deferred[None]] = set()
        self._is_stopped = False
        self._is_open = False
        self._is_up = False
        self._window = max(MIN_ROOM, ROOM_REQUESTS * settings.requests * panel.limits.texts)

    # --- what Router, Claims and Inbound ask -------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether the panel can be asked to send."""
        return self._is_open and self._is_up

    @property
    def _most(self) -> int:
        return self.turn.room(self._window)

    @property
    def room(self) -> int:
        """How many more rows may be claimed; none while the panel is down."""
        return max(0, self._most - len(self._queue.rows)) if self.is_up else 0

    @property
    def has_room_for_answers(self) -> bool:
        """Whether an answer may be handed over."""
        return self.is_up and self._queue.answers < self._most

    @property
    def is_half_empty(self) -> bool:
        """Whether it is time to claim more."""
        return self.room * 2 >= self._most

    @property
    def held(self) -> list[int]:
        """Ids of all rows in hand, settled ones excepted."""
        return self.queued + list(self._in_flight)

    @property
    def queued(self) -> list[int]:
        """Ids of the rows that have not been sent yet."""
        return [row.id for row in self._queue.rows]

    def disown(self, ids: Collection[int]) -> None:
        """Give back these rows if they have not been sent: another daemon has them."""
        self._give_back(self._queue.take_out(lambda row: row.id in ids, answers=True))

    @property
    def in_doubt(self) -> int:
        """How many messages may or may not have been taken."""
        return len(self._doubts)

    def status(self) -> SenderStatus:
        """How much is waiting here and how much is under way."""
        under_way = len(self._in_flight) + self._unsettled
        waiting, turn = len(self._queue.rows), self.turn
        return SenderStatus(waiting, under_way, turn.held, turn.slowed_to, turn.share)

    def bound(self, connection: Connection) -> None:  # noqa: ARG002 - a panel sends by requests
        """The daemon takes what the panel tells; whether it can send is told by ``up``."""
        self._is_open = True
        self.pump()

    def lost(self) -> None:
        """The daemon stops: give back what was never sent."""
        self._is_open = False
        self._give_back(self._queue.take_all())

    def up(self) -> None:
        """The panel can be asked to send."""
        self._is_up = True
        self.pump()

    def down(self) -> None:
        """It cannot: what waits goes by another bind, or later."""
        self._is_up = False
        self._give_back(self._queue.take_all())

    def hand_over(self, rows: Sequence[Outgoing]) -> None:
        """Take rows to send; they come back through ``settle``, each once."""
        if not self.is_up:
            self._give_back(rows)
            return
        self._queue.put(as_mail(rows))

    def sent(self, results: Sequence[SendResult]) -> None:
        """Nothing is submitted on a panel's connection, so nothing comes back on it."""
        log.error("panel.result_without_message", panel=self.settings.bind, results=len(results))

    def withdraw(self, ids: Collection[int]) -> None:
        """Give back those of these rows that have not been sent: nobody wants them."""
        self._give_back(self._queue.take_out(lambda row: row.id in ids))

    def close(self, policies: Collection[int]) -> None:
        """Give back what has not been sent of these policies: their hours are over."""
        self._give_back(self._queue.take_out(lambda row: row.policy_id in policies))

    def committed(self, count: int) -> None:
        """So many results are committed."""
        self._unsettled -= count

    def stop(self) -> None:
        """Wait for nothing more; what is still here stays ``sending`` in the database.

        The next start asks the panel about it before any of it is sent again.
        """
        self._is_stopped = True
        self.turn.stop()
        self._doubts.stop()
        for going in list(self._going):
            going.cancel()

    def _give_back(self, rows: Sequence[Outgoing]) -> None:
        if rows:
            self._settle([Sent(row, Result.UNSENT, "", "", 0) for row in rows])

    # --- requests ----------------------------------------------------------------------

    def pump(self) -> None:
        """Send what the number of requests and the rate allow."""
        while self.is_up and self.turn.is_leased and self._requests < self.settings.requests:
            batch = self._next_batch()
            if not batch:
                return
            self._requests += 1
            rows = rows_of(batch)
            for row in rows:
                self._in_flight[row.id] = row
            now_ms = int(self._clock.seconds() * 1000)
            self._hooks.submitted(self.settings.bind, rows, now_ms)
            done = Deferred.fromCoroutine(self._go(batch))
            done.addErrback(self._broken, batch)
            self._going.add(done)
            done.addBoth(self._ended, done)

    def _next_batch(self) -> list[Mail]:
        if apart := self._queue.take_apart():
            return apart
        # The last request is kept for answers, where there are several.
        batch = self._queue.take(
            self._panel.limits.texts,
            self._window - len(self._in_flight) - self._unsettled,
            one_line=self._panel.one_line,
            answers_only=0 < self._requests == self.settings.requests - 1,
        )
        if not batch:
            return []
        granted = self.turn.take(len(batch))
        if granted < len(batch):
            self._queue.put_back(batch[granted:])
        return batch[:granted]

    async def _go(self, batch: Sequence[Mail]) -> None:
        outcome = await deliver(self.settings.bind, self._panel, batch, self._is_ours)
        if self._is_stopped:
            return
        self._finish(outcome.done)
        self._doubts.add(outcome.doubtful)
        for half in outcome.halves:
            self._ask_apart(half)
        if outcome.is_throttled:
            log.warning("panel.throttled", panel=self.settings.bind)
            self.turn.throttled()
            self.turn.wake_later()
        if outcome.trouble:
            self._hooks.trouble(*outcome.trouble)

    def _is_ours(self) -> bool:
        return self.turn.is_leased

    def _ask_apart(self, half: Sequence[Mail]) -> None:
        rows = rows_of(half)
        for row in rows:
            del self._in_flight[row.id]
        if self.is_up:
            self._queue.put_apart(half)
        else:
            self._give_back(rows)

    # --- results -----------------------------------------------------------------------

    def _finish(self, done: Sequence[Done]) -> None:
        """Results: of every part the same, with the one id that the panel has for them."""
        sent: list[Sent] = []
        for mail, result, key, code in () if self._is_stopped else done:
            # Whatever goes wrong here, nothing is settled twice.
            if self._in_flight.pop(mail.rows[0].id, None) is None:
                continue
            for row in mail.rows[1:]:
                del self._in_flight[row.id]
            smsc = "" if result is Result.UNSENT else self.settings.bind
            sent += (Sent(row, result, smsc, key, code) for row in mail.rows)
        if not self._is_stopped and (keys := [key for _mail, _result, key, _code in done if key]):
            self._hooks.taken(keys)
        if sent:
            self._settle(sent)

    def _settle_doubts(self, settled: Sequence[tuple[Mail, Result, str]]) -> None:
        self._finish([Done(*one) for one in settled])

    def _settle(self, sent: Sequence[Sent]) -> None:
        self._unsettled += len(sent)
        self._hooks.settle(self.settings.bind, sent)

    def _broken(self, failure: Failure, batch: Sequence[Mail]) -> None:
        """A mistake of ours, in the middle of it: what was not settled may have been sent."""
        log.critical("panel.broken", panel=self.settings.bind, failure=failure.getTraceback())
        if not self._is_stopped:
            self._doubts.add([mail for mail in batch if mail.rows[0].id in self._in_flight])

    def _ended(self, _result: object, done: Deferred[None]) -> None:
        self._going.discard(done)
        self._requests -= 1
        self.pump()
