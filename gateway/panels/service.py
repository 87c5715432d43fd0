"""One account at a panel, from the daemon's start to its end.

It sends while the panel answers; it asks for states, texts and credit; and after a failure it
looks again, ever more seldom, and lets what waits go by another bind meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, cast

import structlog
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from gateway.panels.around import Hooks, PanelSending, PanelStatus, Surroundings
from gateway.panels.asking import ERRORS, Asking, States, Texts
from gateway.panels.described import DescribedPanel, line_of
from gateway.panels.intake import Intake, Told
from gateway.panels.owed import Owed
from gateway.panels.port import Meaning, PanelSms, Refused
from gateway.panels.push import Posted
from gateway.panels.sender import PanelSender
from gateway.settings.panels import PanelAccount, Receives

log = structlog.get_logger(__name__)

FIRST_PAUSE: Final = 2.0
"""Seconds until a panel that failed is tried again, doubled with each failure …"""
LONGEST_PAUSE: Final = 60.0
"""… up to this; at once where somebody must pay or mend something first."""
STATES_SECONDS: Final = 1.0
RELOAD_SECONDS: Final = 1_800.0
"""How often the database is asked for states that nobody here asks for: another daemon's."""
LATE_SECONDS: Final = 600.0
"""A state that is pushed is asked for when it has not come by then."""
CLOSE_SECONDS: Final = 5.0
"""How long a panel that is stopped waits for texts that it handed over to be stored."""
_LOOK_SECONDS: Final = 0.05
_HOLDS: Final = (Meaning.NO_CREDIT, Meaning.ACCOUNT, Meaning.RETRY)


class PanelService(Service):
    """Holds one panel; its ``sender`` belongs among those of the router."""

    def __init__(
        self,
        settings: PanelAccount,
        panel: DescribedPanel,
        around: Surroundings,
        hours: float,
        *,
        shared: bool = False,
    ) -> None:
        """``hours``: for how long the panel can be asked for a state.

        ``shared``: its rate is for several daemons together.
        """
        self.setName(settings.name)  # type: ignore[no-untyped-call]
        self.settings = settings
        self.panel = panel
        self.counters: Counter[str] = Counter()
        """``texts`` and ``states`` that came; ``failures`` of requests."""
        self._around = around
        self.clock = self._clock = around.clock
        sending = PanelSending(settings.name, settings.requests, settings.rate, shared)
        hooks = Hooks(around.settle, self._took, self.trouble, around.submitted)
        self.sender = PanelSender(sending, panel, around.clock, hooks)
        self.intake = Intake(around.books, around.listener, around.clock)
        asking = Asking(
            panel,
            self.intake,
            around.books,
            around.clock,
            around.now_ms,
            self._asked_in_vain,
            self.counters,
        )
        pushed = settings.states_come is Receives.PUSH
        first = LATE_SECONDS if pushed else settings.poll
        self._asks_states = settings.states_come is not Receives.NONE and panel.limits.states > 0
        self._states = States(asking, Owed(first, hours * 3600))
        self._texts = Texts(asking)
        self._is_up = False
        self._since = around.now_ms()
        self._failures = 0
        self._last_error = ""
        self._retry: Any = None
        self._credit: float | None = None
        self._loops: list[LoopingCall] = []
        self._going: set[Deferred[Any]] = set()

    # --- starting and stopping -----------------------------------------------------------

    def startService(self) -> None:
        """Take what comes, look whether the panel answers, and begin to ask."""
        if self.running:
            return
        super().startService()  # type: ignore[no-untyped-call]
        if not self.intake.is_open:
            self.intake.open()
        self._start(self._look())
        if self._asks_states:
            self._every(RELOAD_SECONDS, self._states.load, now=True)
            self._every(STATES_SECONDS, self._states.ask)
        if self.settings.texts_come is Receives.POLL and self.panel.hands_over:
            self._every(self.settings.poll, self._texts.ask, now=True)
        if self.panel.tells_credit:
            self._every(self.settings.credit_every, self._ask_credit)

    def stopService(self) -> Deferred[None]:
        """Ask nothing more, and give back what waits; what is under way still settles.

        It can be started again.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._is_up:
            self._turn(up=False)
        for loop in self._loops:
            loop.stop()
        self._loops.clear()
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        """Once what the panel has handed over is stored: it may not hand it over again."""
        ends = self._clock.seconds() + CLOSE_SECONDS
        while self._is_taking and self._clock.seconds() < ends and not self.running:
            pause: Deferred[None] = Deferred()
            self._clock.callLater(_LOOK_SECONDS, partial(pause.callback, None))
            await pause
        if self.running:
            return  # started again meanwhile
        for going in list(self._going):
            going.cancel()
        self.intake.close()
        await self._around.close()

    @property
    def _is_taking(self) -> bool:
        return self._texts.is_asking or self.intake.is_taking

    def _every(
        self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]], *, now: bool = False
    ) -> None:
        # One that takes longer than its time is waited for.
        loop = LoopingCall(lambda: self._start(work()))
        loop.clock = cast("Any", self._clock)
        loop.start(seconds, now=now).addErrback(_log_failure, self.settings.name)
        self._loops.append(loop)

    def _start(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        """Do it; what goes wrong of it ends nothing but itself."""
        done: Deferred[None] = Deferred.fromCoroutine(work)
        self._going.add(done)
        waiter: Deferred[None] = Deferred()

        def ended(result: object) -> None:
            self._going.discard(done)
            if isinstance(result, Failure) and not result.check(CancelledError):
                _log_failure(result, self.settings.name)
            waiter.callback(None)

        done.addBoth(ended)
        return waiter

    # --- whether it answers ----------------------------------------------------------------

    def trouble(self, meaning: Meaning, words: str) -> None:
        """A request failed, and others would: look again later."""
        self.counters["failures"] += 1
        self._last_error = words
        if not self._is_up:
            return
        self._failures += 1
        log.warning("panel.down", panel=self.settings.name, meaning=meaning.value, reason=words)
        self._turn(up=False)
        self._look_later(meaning)

    def _look_later(self, meaning: Meaning) -> None:
        if not self.running or (self._retry is not None and self._retry.active()):
            return
        needs_people = meaning in (Meaning.NO_CREDIT, Meaning.ACCOUNT)
        pause = LONGEST_PAUSE if needs_people else FIRST_PAUSE * 2 ** min(self._failures - 1, 10)
        self._retry = self._clock.callLater(
            min(LONGEST_PAUSE, pause), lambda: self._start(self._look())
        )

    async def _look(self) -> None:
        """Whether it can be asked to send: it says our credit, and there is some."""
        try:
            if self.panel.tells_credit:
                self._credit = await self.panel.credit()
        except ERRORS as error:
            meaning = error.meaning if isinstance(error, Refused) else Meaning.RETRY
            if meaning in _HOLDS:
                self._still_down(meaning, error)
                return
            # It answers, if not to this.
        if self._credit is not None and self._credit <= 0:
            self._still_down(Meaning.NO_CREDIT, "there is no credit left")
            return
        if self.running:
            log.info("panel.up", panel=self.settings.name)
            self._turn(up=True)

    def _still_down(self, meaning: Meaning, error: object) -> None:
        self.counters["failures"] += 1
        self._failures += 1
        self._last_error = str(error)
        self._look_later(meaning)

    def _turn(self, *, up: bool) -> None:
        self._is_up, self._since = up, self._around.now_ms()
        if up:
            self.sender.up()
            self._around.on_up()
        else:
            self.sender.down()

    async def _ask_credit(self) -> None:
        if not self._is_up:
            return  # whoever looks whether it is back asks for it, too
        try:
            self._credit = await self.panel.credit()
        except ERRORS as error:
            self._asked_in_vain(error)
            return
        if self._credit < self.settings.credit_low:
            log.warning("panel.credit_low", panel=self.settings.name, credit=self._credit)

    def _asked_in_vain(self, error: Exception) -> None:
        self.counters["failures"] += 1
        self._last_error = str(error)

    def _took(self, keys: Sequence[str]) -> None:
        """It took these messages; and so it works."""
        self._failures = 0
        self._last_error = ""
        if self._asks_states:
            self._states.took(keys)

    # --- what is pushed ---------------------------------------------------------------------

    def posted(self, posted: Posted, told: Told) -> Deferred[None]:
        """Something was posted; ``told`` is called once, with whether all of it is stored."""
        return Deferred.fromCoroutine(self._posted(posted, told))

    async def _posted(self, posted: Posted, told: Told) -> None:
        if not self.intake.can_take:
            told(False)  # noqa: FBT003
            return
        standings = [self.panel.standing(key, code) for key, code in posted.states]
        parts, stored = [2], [True]

        def one_told(is_stored: bool) -> None:  # noqa: FBT001
            parts[0] -= 1
            stored[0] &= is_stored
            if not parts[0]:
                told(stored[0])

        self._states.tell(standings, one_told)
        texts = [_to_our_line(self.settings.senders, one) for one in posted.texts]
        count = self._texts.counted(len(texts))

        def texts_told(is_stored: bool) -> None:  # noqa: FBT001
            count(is_stored)
            one_told(is_stored)

        await self.intake.texts(texts, texts_told, keep=False)

    # --- health -----------------------------------------------------------------------------

    def status(self) -> PanelStatus:
        """How it is."""
        waits = self._retry is not None and self._retry.active()
        return PanelStatus(
            self.settings.name,
            self.settings.kind,
            self._is_up,
            self._since,
            self.sender.in_doubt,
            len(self._states),
            self._credit,
            self.settings.credit_low,
            self.counters,
            self._last_error,
            int(self._retry.getTime() * 1000) if waits else None,
        )


def _to_our_line(senders: dict[str, str], sms: PanelSms) -> PanelSms:
    return sms._replace(destination=line_of(senders, sms.destination))


def _log_failure(failure: Failure, panel: str) -> None:
    log.critical("panel.broken", panel=panel, failure=failure.getTraceback())
