"""What a panel is asked for: the states of messages, and texts that came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from core.database import DatabaseUnavailable
from core.panels import awaited, has_handed_over
from gateway.messages import DeliveryState, Receipt
from gateway.outbound import Clock
from gateway.panels.intake import Books, Intake, Told
from gateway.panels.owed import Owed
from gateway.panels.port import NotSent, Panel, Refused, Standing, Unclear

ERRORS: Final = (NotSent, Unclear, Refused)
MOST_REQUESTS: Final = 20
"""Askings in one go; the rest waits for the next."""
FULL: Final = 100
"""Texts of one answer after which more are likely."""
ERROR_SECONDS: Final = 2.0
REFUSED_SECONDS: Final = 30.0
"""How long a panel that refused to tell states is left alone."""
OWED_MS: Final = 2 * 86_400_000
"""Messages of so long ago are looked through for states that are owed."""
ANOTHERS_MS: Final = 3_600_000
"""States that are owed for longer are asked for by every daemon: theirs may be gone."""
AGAIN_MS: Final = 86_400_000
"""Texts that were handed over before are taken if they came within a day."""
_FINAL: Final = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERABLE,
        DeliveryState.EXPIRED,
        DeliveryState.REJECTED,
    }
)


class Asking(NamedTuple):
    """What both have in common."""

    panel: Panel
    intake: Intake
    books: Books
    clock: Clock
    now_ms: Callable[[], int]
    failed: Callable[[Exception], object]
    """Called with whatever a request raises."""
    counters: Counter[str]


class States:
    """Asks what became of messages, and tells the daemon what is final."""

    def __init__(self, asking: Asking, owed: Owed) -> None:
        self._asking = asking
        self._owed = owed
        self._from = 0.0
        self._is_loaded = False

    def __len__(self) -> int:
        return len(self._owed)

    def took(self, keys: Sequence[str]) -> None:
        """The panel took these messages: it owes their states."""
        now = self._asking.clock.seconds()
        self._owed.add(keys, now, now)

    async def load(self) -> None:
        """What is owed from before the start; later on, to a daemon that is gone.

        Of what was taken lately another daemon asks by itself.
        """
        books, after = self._asking.books, 0
        until = self._asking.now_ms() - (ANOTHERS_MS if self._is_loaded else 0)
        since, now = self._asking.now_ms() - OWED_MS, self._asking.clock.seconds()
        try:
            while True:
                page = await books.read("panel states", awaited, books.panel, since, after)
                for one in page.found:
                    if one.accepted_at <= until:
                        self._owed.add([one.smsc_id], one.accepted_at / 1000, now)
                after = page.last_id
                if not after:
                    self._is_loaded = True
                    return
        except DatabaseUnavailable:
            return  # whoever writes to it says so; the next time comes

    async def ask(self) -> None:
        """Ask about what is due."""
        clock = self._asking.clock
        if clock.seconds() < self._from:
            return
        for _ in range(MOST_REQUESTS):
            ids = self._owed.due(self._asking.panel.limits.states, clock.seconds())
            if not ids:
                return
            try:
                standings = await self._asking.panel.states(ids)
            except ERRORS as error:
                self._asking.failed(error)
                pause = REFUSED_SECONDS if isinstance(error, Refused) else ERROR_SECONDS
                self._from = clock.seconds() + pause
                return
            self.tell(standings, lambda _is_stored: None)

    def tell(self, standings: Sequence[Standing], told: Told) -> None:
        """Tell the daemon what is final; ``told`` once all of it is stored, or some is not."""
        for one in standings:
            if one.state is DeliveryState.UNKNOWN:
                self._owed.settle(one.id)
        final = {one.id: one for one in standings if one.state in _FINAL}
        if not final:
            told(True)  # noqa: FBT003
            return
        waiting, stored = set(final), [True]

        def one_told(key: str, is_stored: bool) -> None:  # noqa: FBT001
            if is_stored:
                self._asking.counters["states"] += 1
                self._owed.settle(key)
            else:
                self._owed.soon([key], self._asking.clock.seconds())
            waiting.discard(key)
            stored[0] &= is_stored
            if not waiting:
                told(stored[0])

        self._asking.intake.receipts(
            [(_as_receipt(one), partial(one_told, key)) for key, one in final.items()]
        )


class Texts:
    """Asks for texts, when they can be stored: a panel hands each over once."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._again = True
        self.is_asking = False

    async def ask(self) -> None:
        """Ask for all there are."""
        books = self._asking.books
        try:
            has_before = await books.read("panel texts", has_handed_over, books.panel)
        except DatabaseUnavailable:
            return
        self.is_asking = True
        try:
            if self._again and self._asking.panel.hands_over_again and has_before:
                # The last answer may have been lost, here or on its way.
                await self._take(again=True)
            for _ in range(MOST_REQUESTS):
                if await self._take(again=False) < FULL:
                    return
        finally:
            self.is_asking = False

    async def _take(self, *, again: bool) -> int:
        intake = self._asking.intake
        if not intake.can_take:
            return 0
        try:
            texts = await self._asking.panel.texts(again=again)
        except ERRORS as error:
            self._again |= isinstance(error, Unclear)
            self._asking.failed(error)
            return 0
        if again:
            since = self._asking.now_ms() - AGAIN_MS
            texts = [one for one in texts if one.at is None or one.at >= since]
            self._again = False
        if texts:
            await intake.texts(texts, self.counted(len(texts)), keep=True)
        return len(texts)

    def counted(self, count: int) -> Told:
        """Counts so many texts once they are stored."""

        def told(is_stored: bool) -> None:  # noqa: FBT001
            self._asking.counters["texts"] += count if is_stored else 0

        return told


def _as_receipt(one: Standing) -> Receipt:
    error = "" if one.state is DeliveryState.DELIVERED else one.code
    return Receipt(one.id, one.state, error, one.at)
