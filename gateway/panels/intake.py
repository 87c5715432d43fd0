"""What a panel tells, on its way into the daemon: to the daemon a connection like a bind's.

A text is stored first, then its mark, and only then is it sure. Between the two it is a
*suspect* (``core.suspects``): when the panel hands it over again, the daemon knows it. Nothing
is forgotten here before it is stored: what the daemon cannot take now is offered again, or
refused to who pushed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from core.panels import note_seen, seen
from gateway.messages import (
    BindListener,
    Delivery,
    InboundSms,
    OutboundSms,
    Receipt,
    Screen,
    SendResult,
    SendStatus,
    Temporary,
)
from gateway.outbound import Clock
from gateway.panels.port import PanelSms

log = structlog.get_logger(__name__)

OFFER_AGAIN_SECONDS: Final = 5.0
_UCS2: Final = 8
_connections = count(-1_000_000, -1)
"""Below those of USSD doors."""

Told = Callable[[bool], None]
"""Called once: whether it is stored."""


@dataclass(slots=True)
class _Offered:
    content: InboundSms | Receipt
    mark: int | None
    told: Told
    tries: bool
    """Whether it is offered again when it is refused: nobody else has it."""


class Books:
    """What the intake asks of the database, and the marks of texts."""

    def __init__(
        self,
        panel: str,
        read: Callable[..., Deferred[Any]],
        transact: Callable[..., Deferred[Any]],
        fingerprint: Callable[..., int],
        now_ms: Callable[[], int],
    ) -> None:
        self.panel = panel
        self.read = read
        self._transact = transact
        self._fingerprint = fingerprint
        self._now = now_ms

    def mark(self, sms: PanelSms) -> int:
        """A keyed hash of what tells a text from the others."""
        return self._fingerprint(*(field.encode() for field in sms.mark))

    def seen(self, marks: Sequence[int]) -> Deferred[set[int]]:
        """Which of them are stored."""
        return self.read("panel marks", seen, self.panel, marks)

    def note(self, marks: Sequence[int]) -> Deferred[None]:
        """These are stored."""
        return self._transact("note panel marks", note_seen, self.panel, marks, self._now())


class Intake:
    """Implements ``messages.Connection``: open from ``open`` to ``close``."""

    def __init__(self, books: Books, listener: BindListener, clock: Clock) -> None:
        self.name = books.panel
        self.id = next(_connections)
        self.is_open = False
        self.acknowledged = 0
        self.repeated = 0
        """How many texts came again that were stored before."""
        self._books = books
        self._listener = listener
        self._clock = clock
        self._is_reading = True
        self._sequences = count(1)
        self._offered: dict[int, _Offered] = {}
        self._backlog: list[_Offered] = []
        self._under_way: set[int] = set()
        self._unsure: dict[int, int] = {}
        """By mark: which acknowledgement it was, until the mark is stored."""
        self._alarm: Any = None

    @property
    def confirmed(self) -> int:
        """Acknowledgements whose text cannot come in again as a new one."""
        return min(self._unsure.values(), default=self.acknowledged + 1) - 1

    @property
    def can_take(self) -> bool:
        """Whether texts may be asked for: none that nobody else has waits here."""
        return self.is_open and self._is_reading and not self._backlog

    @property
    def is_taking(self) -> bool:
        """Whether something waits to be stored."""
        return bool(self._offered or self._backlog)

    def open(self) -> None:
        """From now on the daemon takes what comes."""
        self.is_open = True
        self._listener.bound(self.name, self)

    def close(self) -> None:
        """It takes nothing more."""
        if not self.is_open:
            return
        self.is_open = False
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        for one in [*self._offered.values(), *self._backlog]:
            one.told(False)  # noqa: FBT003
        self._offered.clear()
        self._backlog.clear()
        self._listener.lost(self.name, self, "the panel is stopped")

    # --- what the panel tells -------------------------------------------------------------

    def receipts(self, told: Sequence[tuple[Receipt, Told]]) -> None:
        """States of messages."""
        self._offer([_Offered(receipt, None, each, tries=False) for receipt, each in told])

    async def texts(self, texts: Sequence[PanelSms], told: Told, *, keep: bool) -> None:
        """Texts: those that are new are stored; ``told`` is called once all of them are.

        With ``keep`` they are offered until they are stored, since nobody else has them.
        Raises ``DatabaseUnavailable`` (never with ``keep``: then it waits).
        """
        marked = {self._books.mark(sms): sms for sms in texts}
        known = await self._known(list(marked), keep=keep)
        self.repeated += len(known)
        new = {mark: sms for mark, sms in marked.items() if mark not in known}
        if any(mark in self._under_way for mark in new):
            # The same is on its way in; whoever pushed it twice asks again and finds it there.
            told(False)  # noqa: FBT003
            return
        if not new:
            told(True)  # noqa: FBT003
            return
        waiting, stored = set(new), [True]
        self._under_way |= waiting

        def one_told(mark: int, is_stored: bool) -> None:  # noqa: FBT001
            self._under_way.discard(mark)
            waiting.discard(mark)
            stored[0] &= is_stored
            if not waiting:
                told(stored[0])

        self._offer(
            [
                _Offered(_as_inbound(sms), mark, partial(one_told, mark), tries=keep)
                for mark, sms in new.items()
            ]
        )

    async def _known(self, marks: Sequence[int], *, keep: bool) -> set[int]:
        while True:
            try:
                return await self._books.seen(marks)
            except DatabaseUnavailable:
                if not keep or not self.is_open:
                    raise
            pause: Deferred[None] = Deferred()
            self._clock.callLater(OFFER_AGAIN_SECONDS, partial(pause.callback, None))
            await pause

    def _offer(self, offered: Sequence[_Offered]) -> None:
        if not self.is_open:
            for one in offered:
                one.told(False)  # noqa: FBT003
            return
        deliveries = []
        for one in offered:
            sequence = next(self._sequences)
            self._offered[sequence] = one
            deliveries.append(Delivery(sequence, one.content))
        if deliveries:
            self._listener.arrived(self.name, self, deliveries)

    # --- what the daemon asks -------------------------------------------------------------

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """These are stored."""
        marks: dict[int, _Offered] = {}
        for sequence in sequences:
            self.acknowledged += 1
            one = self._offered.pop(sequence, None)
            if one is None:
                continue
            if one.mark is None:
                one.told(True)  # noqa: FBT003
            else:
                marks[one.mark] = one
                self._unsure[one.mark] = self.acknowledged
        if marks:
            self._note(marks)

    def _note(self, marks: dict[int, _Offered]) -> None:
        done = self._books.note(list(marks))
        done.addCallbacks(self._noted, self._not_noted, callbackArgs=(marks,), errbackArgs=(marks,))
        done.addErrback(_log_failure, self.name)

    def _noted(self, _result: object, marks: dict[int, _Offered]) -> None:
        for mark, one in marks.items():
            self._unsure.pop(mark, None)
            one.told(True)  # noqa: FBT003

    def _not_noted(self, failure: Failure, marks: dict[int, _Offered]) -> None:
        failure.trap(DatabaseUnavailable)
        if self.is_open:
            # They are stored; that they are must be, too, before the panel is told.
            self._clock.callLater(OFFER_AGAIN_SECONDS, partial(self._note, marks))

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:  # noqa: ARG002
        """These could not be stored now."""
        for sequence in sequences:
            self.acknowledged += 1
            one = self._offered.pop(sequence, None)
            if one is None:
                continue
            if one.tries:
                self._backlog.append(one)
            else:
                one.told(False)  # noqa: FBT003
        if self._backlog and (self._alarm is None or not self._alarm.active()):
            self._alarm = self._clock.callLater(OFFER_AGAIN_SECONDS, self._offer_again)

    def _offer_again(self) -> None:
        backlog, self._backlog = self._backlog, []
        self._offer(backlog)

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Texts do not go out on it: ``PanelSender`` sends them."""
        results = [SendResult(one.id, SendStatus.UNSENT, "", 0) for one in messages]
        self._listener.sent(self.name, self, results)

    def show(self, screens: Sequence[Screen]) -> None:
        """No panel carries USSD."""
        results = [SendResult(screen.id, SendStatus.PERMANENT, "", 0) for screen in screens]
        self._listener.shown(self.name, self, results)

    def pause_reading(self) -> None:
        """Ask for no texts until ``resume_reading``."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Ask for texts again."""
        self._is_reading = True


def _as_inbound(sms: PanelSms) -> InboundSms:
    payload = sms.text.encode("utf-16-be", "replace")
    return InboundSms(sms.source, sms.destination, _UCS2, payload, sms.text, None)


def _log_failure(failure: Failure, panel: str) -> None:
    log.critical("panel.intake_failed", panel=panel, failure=failure.getTraceback())
