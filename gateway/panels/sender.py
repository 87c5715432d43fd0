"""Due messages → a panel: in requests of its size, answers to people first.

To ``Router`` and ``Claims`` it is what ``gateway.outbound.Sender`` is for a bind. A message is
in its hands until its result is committed. Nothing is sent twice while the panel can be asked:
what may have been taken is asked about (``doubts``), and so is a message that was tried before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.outbox import Outgoing, Result, Sent
from gateway.messages import Connection, DeliveryState, SendResult
from gateway.outbound import MIN_ROOM, ROOM_SECONDS, Clock, SenderStatus
from gateway.pace import Pace
from gateway.panels.doubts import Doubts, known_of
from gateway.panels.mail import Mail, as_mail, rows_of
from gateway.panels.port import Meaning, NotSent, Panel, Refused, Taken, Unclear
from gateway.panels.queue import MailQueue

log = structlog.get_logger(__name__)

ROOM_REQUESTS: Final = 4
"""Messages of so many requests are held in memory, for each request that may be under way."""
_FAILED: Final = frozenset(
    {DeliveryState.UNDELIVERABLE, DeliveryState.REJECTED, DeliveryState.EXPIRED}
)
_HOLDS: Final = (Meaning.RETRY, Meaning.NO_CREDIT, Meaning.ACCOUNT)


class PanelSending(NamedTuple):
    """What sending through one panel must know."""

    bind: str
    """The panel's name: to lines a panel is one of their binds."""
    requests: int
    """How many requests may be under way at once."""
    rate: float
    """Messages a second; 0 is no limit."""


class Hooks(NamedTuple):
    """Whom a sender tells."""

    settle: Callable[[str, Sequence[Sent]], None]
    taken: Callable[[Sequence[str]], None]
    """Ids of messages that the panel took: it owes their states."""
    trouble: Callable[[Meaning, str], None]
    """The panel cannot go on; ``down`` has to be called."""


class _Done(NamedTuple):
    """What became of a message."""

    mail: Mail
    result: Result
    id: str = ""
    code: int = 0


class PanelSender:
    """The messages that one panel is to send, and those it was asked to send."""

    def __init__(self, settings: PanelSending, panel: Panel, clock: Clock, hooks: Hooks) -> None:
        self.settings = settings
        self._panel = panel
        self._clock = clock
        self._hooks = hooks
        self._pace = Pace(settings.rate, clock.seconds())
        self._doubts = Doubts(settings.bind, panel, clock, self._settle_doubts)
        self._queue = MailQueue()
        self._in_flight: dict[int, Outgoing] = {}
        self._requests = 0
        self._unsettled = 0
        self._alarm: Any = None
        self._going: set[Deferred[None]] = set()
        self._is_stopped = False
        self._is_open = False
        self._is_up = False
        most = max(MIN_ROOM, ROOM_REQUESTS * settings.requests * panel.limits.texts)
        self._window = most
        a_while = math.ceil(settings.rate * ROOM_SECONDS)
        self._most = min(most, a_while) if settings.rate else most

    # --- what Router, Claims and Inbound ask -------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether the panel can be asked to send."""
        return self._is_open and self._is_up

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
        return [row.id for row in self._queue.rows] + list(self._in_flight)

    @property
    def in_doubt(self) -> int:
        """How many messages may or may not have been taken."""
        return len(self._doubts)

    def status(self) -> SenderStatus:
        """How much is waiting here and how much is under way."""
        now = self._clock.seconds()
        under_way = len(self._in_flight) + self._unsettled
        waiting = len(self._queue.rows)
        return SenderStatus(waiting, under_way, self._pace.held(now), self._pace.slowed_to(now))

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
        self._give_back(self._queue.withdraw(ids))

    def committed(self, count: int) -> None:
        """So many results are committed."""
        self._unsettled -= count

    def stop(self) -> None:
        """Wait for nothing more; what is still here stays ``sending`` in the database.

        The next start asks the panel about it before any of it is sent again.
        """
        self._is_stopped = True
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._doubts.stop()
        for going in list(self._going):
            going.cancel()

    def _give_back(self, rows: Sequence[Outgoing]) -> None:
        if rows:
            self._settle([Sent(row, Result.UNSENT, "", "", 0) for row in rows])

    # --- requests ----------------------------------------------------------------------

    def pump(self) -> None:
        """Send what the number of requests and the rate allow."""
        while self.is_up and self._requests < self.settings.requests:
            batch = self._next_batch()
            if not batch:
                return
            self._requests += 1
            for row in rows_of(batch):
                self._in_flight[row.id] = row
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
        granted = self._pace.take(len(batch), self._clock.seconds())
        if granted < len(batch):
            self._queue.put_back(batch[granted:])
            self._wake_later()
        return batch[:granted]

    def _wake_later(self) -> None:
        if self._alarm is None or not self._alarm.active():
            delay = max(0.001, self._pace.wait(self._clock.seconds()))
            self._alarm = self._clock.callLater(delay, self.pump)

    async def _go(self, batch: Sequence[Mail]) -> None:
        """One request, and what it takes to be sure that it may be made."""
        new = await self._never_taken(batch)
        if not new:
            return
        try:
            taken = await self._panel.send([mail.as_text() for mail in new])
        except NotSent as error:
            self._back(new)
            self._hooks.trouble(Meaning.RETRY, str(error))
        except Unclear as error:
            log.warning(
                "panel.uncertain", panel=self.settings.bind, messages=len(new), reason=str(error)
            )
            self._doubt(new)
            self._hooks.trouble(Meaning.RETRY, str(error))
        except Refused as refusal:
            self._refused(new, refusal)
        else:
            self._took(new, taken)

    async def _never_taken(self, batch: Sequence[Mail]) -> list[Mail]:
        """Those of a batch that the panel has not taken at an attempt before this one."""
        before = [mail for mail in batch if mail.attempts]
        if not before or not self._panel.knows_local_ids:
            return list(batch)
        try:
            known = await known_of(self._panel, [(mail, mail.attempts - 1) for mail in before])
        except (NotSent, Unclear, Refused) as error:
            # Nothing of it was sent now; it is asked again before it is.
            self._back(batch)
            meaning = error.meaning if isinstance(error, Refused) else Meaning.RETRY
            self._hooks.trouble(meaning, str(error))
            return []
        # What failed there is being tried again, and that is no doubling.
        there = {
            before[place].rows[0].id: _Done(before[place], Result.ACCEPTED, standing.id)
            for place, standing in known.items()
            if standing.state not in _FAILED
        }
        self._finish(list(there.values()))
        return [mail for mail in batch if mail.rows[0].id not in there]

    def _took(self, batch: Sequence[Mail], taken: Sequence[Taken]) -> None:
        pairs = list(zip(batch, taken, strict=True))
        doubtful = [mail for mail, one in pairs if one.result is Result.UNCERTAIN]
        self._finish(
            [
                _Done(mail, one.result, one.id, one.code)
                for mail, one in pairs
                if one.result is not Result.UNCERTAIN
            ]
        )
        if doubtful:
            log.warning("panel.answer_is_short", panel=self.settings.bind, missing=len(doubtful))
            self._doubt(doubtful)
        meanings = {one.meaning for one in taken}
        if Meaning.THROTTLED in meanings:
            self._throttled("")
        for meaning in _HOLDS[1:]:
            if meaning in meanings:
                code = next(one.code for one in taken if one.meaning is meaning)
                self._hooks.trouble(meaning, f"error {code}")
                return

    def _refused(self, batch: Sequence[Mail], refusal: Refused) -> None:
        """The whole request was refused: for what it is, or for one of its messages."""
        code = int(refusal.code) if refusal.code.lstrip("-").isdecimal() else 0
        match refusal.meaning:
            case Meaning.NO_CREDIT | Meaning.ACCOUNT:
                self._back(batch)
            case Meaning.RETRY:
                self._all(batch, Result.TEMPORARY, code)
            case Meaning.THROTTLED:
                self._all(batch, Result.THROTTLED, code)
                self._throttled(refusal.code)
            case _ if len(batch) > 1:
                middle = len(batch) // 2
                self._divide([batch[:middle], batch[middle:]])
            case Meaning.BLOCKED:
                self._all(batch, Result.BLOCKED, code)
            case Meaning.REFUSED:
                log.warning("panel.refused", panel=self.settings.bind, reason=str(refusal))
                self._all(batch, Result.PERMANENT, code)
        if refusal.meaning in _HOLDS:
            self._hooks.trouble(refusal.meaning, str(refusal))

    def _divide(self, halves: Sequence[Sequence[Mail]]) -> None:
        for half in halves:
            for row in rows_of(half):
                del self._in_flight[row.id]
            if self.is_up:
                self._queue.put_apart(half)
            else:
                self._give_back(rows_of(half))

    def _throttled(self, code: str) -> None:
        self._pace.throttled(self._clock.seconds())
        log.warning("panel.throttled", panel=self.settings.bind, code=code)
        self._wake_later()

    # --- results -----------------------------------------------------------------------

    def _doubt(self, batch: Sequence[Mail]) -> None:
        if not self._is_stopped:
            self._doubts.add(batch)

    def _back(self, batch: Sequence[Mail]) -> None:
        self._all(batch, Result.UNSENT, 0)

    def _all(self, batch: Sequence[Mail], result: Result, code: int) -> None:
        self._finish([_Done(mail, result, "", code) for mail in batch])

    def _finish(self, done: Sequence[_Done]) -> None:
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
        self._finish([_Done(*one) for one in settled])

    def _settle(self, sent: Sequence[Sent]) -> None:
        self._unsettled += len(sent)
        self._hooks.settle(self.settings.bind, sent)

    def _broken(self, failure: Failure, batch: Sequence[Mail]) -> None:
        """A mistake of ours, in the middle of it: what was not settled may have been sent."""
        log.critical("panel.broken", panel=self.settings.bind, failure=failure.getTraceback())
        self._doubt([mail for mail in batch if mail.rows[0].id in self._in_flight])

    def _ended(self, _result: object, done: Deferred[None]) -> None:
        self._going.discard(done)
        self._requests -= 1
        self.pump()
