"""One account at a panel, from the daemon's start to its end.

It sends while the panel answers; it asks for states, texts and credit; and after a failure it
looks again, ever more seldom, and lets what waits go by another bind meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

import structlog
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from core.outbox import Sent
from core.panels import awaited, has_handed_over
from gateway.messages import BindListener, DeliveryState, Receipt
from gateway.outbound import Clock
from gateway.panel_settings import PanelAccount, Receives
from gateway.panels.described import DescribedPanel, line_of
from gateway.panels.intake import Books, Intake, Told
from gateway.panels.owed import Owed
from gateway.panels.port import Meaning, NotSent, PanelSms, Refused, Standing, Unclear
from gateway.panels.push import Posted
from gateway.panels.sender import Hooks, PanelSender, PanelSending

log = structlog.get_logger(__name__)

FIRST_PAUSE: Final = 2.0
"""Seconds until a panel that failed is tried again, doubled with each failure …"""
LONGEST_PAUSE: Final = 60.0
"""… up to this; at once where somebody must pay or mend something first."""
STATES_SECONDS: Final = 1.0
MOST_REQUESTS: Final = 20
"""Askings for states or texts in one go; the rest waits for the next."""
FULL: Final = 100
"""Texts of one answer after which more are likely."""
THROTTLED_SECONDS: Final = 30.0
RELOAD_SECONDS: Final = 1_800.0
"""How often the database is asked for states that nobody here asks for: another daemon's."""
AGAIN_MS: Final = 86_400_000
"""Texts that were handed over before are taken if they came within a day."""
LATE_MS: Final = 600_000
"""A state that is pushed is asked for when it has not come by then."""
_ERRORS: Final = (NotSent, Unclear, Refused)
_FINAL: Final = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERABLE,
        DeliveryState.EXPIRED,
        DeliveryState.REJECTED,
    }
)


class Surroundings(NamedTuple):
    """What a panel needs of the daemon."""

    listener: BindListener
    clock: Clock
    books: Books
    now_ms: Callable[[], int]
    settle: Callable[[str, Sequence[Sent]], None]
    on_up: Callable[[], object]
    """Called when it can send again: messages may be claimed."""
    close: Callable[[], Deferred[None]]
    """Lets the HTTP client's connections go."""


class PanelStatus(NamedTuple):
    """What health says of a panel."""

    name: str
    kind: str
    up: bool
    since: int
    """UTC milliseconds: when it came up or went down."""
    in_doubt: int
    owed: int
    """Messages whose state it still owes."""
    credit: float | None
    credit_low: float
    counters: Counter[str]
    last_error: str
    next_attempt: int | None


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
        hooks = Hooks(around.settle, self._owes, self.trouble)
        self.sender = PanelSender(sending, panel, around.clock, hooks)
        self.intake = Intake(around.books, around.listener, around.clock)
        pushed = settings.states_come is Receives.PUSH
        first = LATE_MS / 1000 if pushed else settings.poll
        self._asks_states = settings.states_come is not Receives.NONE and panel.limits.states > 0
        self._owed = Owed(first, hours * 3600)
        self._is_up = False
        self._since = around.now_ms()
        self._failures = 0
        self._last_error = ""
        self._retry: Any = None
        self._credit: float | None = None
        self._states_from = 0.0
        self._again = True
        self._loops: list[LoopingCall] = []
        self._going: set[Deferred[Any]] = set()

    # --- starting and stopping -----------------------------------------------------------

    def startService(self) -> None:
        """Take what comes, look whether the panel answers, and begin to ask."""
        if self.running:
            return
        super().startService()  # type: ignore[no-untyped-call]
        self.intake.open()
        self._start(self._look())
        if self._asks_states:
            self._every(RELOAD_SECONDS, self._load, now=True)
            self._every(STATES_SECONDS, self._ask_states)
        if self.settings.texts_come is Receives.POLL and self.panel.hands_over:
            self._every(self.settings.poll, self._ask_texts, now=True)
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
        for going in list(self._going):
            going.cancel()
        self.intake.close()
        return self._around.close()

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
        except _ERRORS as error:
            self._still_down(error.meaning if isinstance(error, Refused) else Meaning.RETRY, error)
            return
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
        except _ERRORS as error:
            self._last_error = str(error)
            return
        if self._credit < self.settings.credit_low:
            log.warning("panel.credit_low", panel=self.settings.name, credit=self._credit)

    # --- states -----------------------------------------------------------------------------

    def _owes(self, keys: Sequence[str]) -> None:
        """It took these messages; and so it works."""
        self._failures = 0
        self._last_error = ""
        if self._asks_states:
            now = self._clock.seconds()
            self._owed.add(keys, now, now)

    async def _load(self) -> None:
        """States that are owed from before the start, or to a daemon that is gone."""
        since = self._around.now_ms() - 2 * 86_400_000
        after, now = 0, self._clock.seconds()
        try:
            while True:
                page = await self._around.books.read(
                    "panel states", awaited, self.settings.name, since, after
                )
                for one in page.found:
                    self._owed.add([one.smsc_id], one.accepted_at / 1000, now)
                after = page.last_id
                if not after:
                    return
        except DatabaseUnavailable:
            return  # whoever writes to it says so; the next time comes

    async def _ask_states(self) -> None:
        if self._clock.seconds() < self._states_from:
            return
        for _ in range(MOST_REQUESTS):
            ids = self._owed.due(self.panel.limits.states, self._clock.seconds())
            if not ids:
                return
            try:
                standings = await self.panel.states(ids)
            except _ERRORS as error:
                self._last_error = str(error)
                self.counters["failures"] += 1
                pause = THROTTLED_SECONDS if isinstance(error, Refused) else FIRST_PAUSE
                self._states_from = self._clock.seconds() + pause
                return
            self._tell(standings, lambda _is_stored: None)

    def _tell(self, standings: Sequence[Standing], told: Told) -> None:
        """Tell the daemon what is final; ``told`` once all of it is stored, or some is not."""
        final = [one for one in standings if one.state in _FINAL]
        for one in standings:
            if one.state is DeliveryState.UNKNOWN:
                self._owed.settle(one.id)
        waiting, stored = {one.id for one in final}, [True]
        if not final:
            told(True)  # noqa: FBT003
            return

        def one_told(key: str, is_stored: bool) -> None:  # noqa: FBT001
            if is_stored:
                self.counters["states"] += 1
                self._owed.settle(key)
            else:
                self._owed.soon([key], self._clock.seconds())
            waiting.discard(key)
            stored[0] &= is_stored
            if not waiting:
                told(stored[0])

        by_id = {one.id: one for one in final}
        self.intake.receipts(
            [(_as_receipt(one), partial(one_told, key)) for key, one in by_id.items()]
        )

    # --- texts ------------------------------------------------------------------------------

    async def _ask_texts(self) -> None:
        """Ask for texts, when they can be stored: the panel hands each over once."""
        try:
            has_before = await self._around.books.read(
                "panel texts", has_handed_over, self.settings.name
            )
        except DatabaseUnavailable:
            return
        if self._again and self.panel.hands_over_again and has_before:
            # The last answer may have been lost, here or on its way.
            await self._take_texts(again=True)
        for _ in range(MOST_REQUESTS):
            if await self._take_texts(again=False) < FULL:
                return

    async def _take_texts(self, *, again: bool) -> int:
        if not self.intake.can_take:
            return 0
        try:
            texts = await self.panel.texts(again=again)
        except _ERRORS as error:
            self._again |= isinstance(error, Unclear)
            self.counters["failures"] += 1
            self._last_error = str(error)
            return 0
        if again:
            since = self._around.now_ms() - AGAIN_MS
            texts = [one for one in texts if one.at is None or one.at >= since]
            self._again = False
        if texts:
            await self.intake.texts(texts, self._texts_told(len(texts)), keep=True)
        return len(texts)

    def _texts_told(self, count: int) -> Told:
        def told(is_stored: bool) -> None:  # noqa: FBT001
            self.counters["texts"] += count if is_stored else 0

        return told

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

        self._tell(standings, one_told)
        texts = [_to_our_line(self.settings.senders, one) for one in posted.texts]
        count = self._texts_told(len(texts))

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
            len(self._owed),
            self._credit,
            self.settings.credit_low,
            self.counters,
            self._last_error,
            int(self._retry.getTime() * 1000) if waits else None,
        )


def _as_receipt(one: Standing) -> Receipt:
    error = "" if one.state is DeliveryState.DELIVERED else one.code
    return Receipt(one.id, one.state, error, one.at)


def _to_our_line(senders: dict[str, str], sms: PanelSms) -> PanelSms:
    return sms._replace(destination=line_of(senders, sms.destination))


def _log_failure(failure: Failure, panel: str) -> None:
    log.critical("panel.broken", panel=panel, failure=failure.getTraceback())


def nothing_to_close() -> Deferred[None]:
    """For a panel whose client holds no connections."""
    return succeed(None)
