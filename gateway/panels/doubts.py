"""Messages of which it is not known whether the panel took them: asked about before all else.

A request whose answer was lost may have been carried out, or may still be. So the panel is
asked about our ids a little later, and again; that it knows nothing of one is believed once
the request would long be over. Where it cannot be asked, a message stays uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.outbox import Result
from gateway.outbound import Clock
from gateway.panels.mail import Mail
from gateway.panels.port import NotSent, Panel, Refused, Standing, Unclear

log = structlog.get_logger(__name__)

PAUSES: Final = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds before each further asking; the last one repeats."""
SURE_SECONDS: Final = 15.0
"""A request that the panel knows nothing of by then was never carried out …"""
GIVE_UP_SECONDS: Final = 600.0
"""… and one that it cannot be asked about by then stays in doubt."""

Settle = Callable[[Sequence[tuple[Mail, Result, str]]], None]
"""Of each message: the result, and the panel's id."""


class _Doubt(NamedTuple):
    mail: Mail
    since: float


class Doubts:
    """The doubtful messages of one panel."""

    def __init__(self, name: str, panel: Panel, clock: Clock, settle: Settle) -> None:
        self._name = name
        self._panel = panel
        self._clock = clock
        self._settle = settle
        self._waiting: list[_Doubt] = []
        self._asking = False
        self._asked = 0
        self._alarm: Any = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, mails: Sequence[Mail]) -> None:
        """These may have been taken."""
        if not mails:
            return
        if not self._panel.knows_local_ids:
            self._settle([(mail, Result.UNCERTAIN, "") for mail in mails])
            return
        now = self._clock.seconds()
        self._waiting += (_Doubt(mail, now) for mail in mails)
        self._asked = 0
        self._later()

    def stop(self) -> None:
        """Ask no more; the next start finds these rows as lost ones."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._waiting.clear()

    def _later(self) -> None:
        if self._asking or (self._alarm is not None and self._alarm.active()):
            return
        pause = PAUSES[min(self._asked, len(PAUSES) - 1)]
        self._alarm = self._clock.callLater(pause, self._ask)

    def _ask(self) -> None:
        self._asking = True
        self._asked += 1
        done = Deferred.fromCoroutine(self._look())
        done.addErrback(self._broken)
        done.addBoth(self._ended)

    async def _look(self) -> None:
        waiting = list(self._waiting)
        try:
            known = await known_of(self._panel, [(one.mail, one.mail.attempts) for one in waiting])
        except (NotSent, Unclear, Refused) as error:
            log.warning("panel.doubts_not_asked", panel=self._name, reason=str(error))
            known = None
        now = self._clock.seconds()
        left: list[_Doubt] = []
        settled: list[tuple[Mail, Result, str]] = []
        for place, doubt in enumerate(waiting):
            age = now - doubt.since
            standing = known.get(place) if known else None
            if standing:
                # What became of it since, a receipt tells.
                settled.append((doubt.mail, Result.ACCEPTED, standing.id))
            elif known is not None and age >= SURE_SECONDS:
                settled.append((doubt.mail, Result.TEMPORARY, ""))
            elif age >= GIVE_UP_SECONDS:
                settled.append((doubt.mail, Result.UNCERTAIN, ""))
            else:
                left.append(doubt)
        # Others may have come while the panel was asked.
        self._waiting = left + self._waiting[len(waiting) :]
        self._settle(settled)

    def _broken(self, failure: Failure) -> None:
        log.critical("panel.doubts_failed", panel=self._name, failure=failure.getTraceback())

    def _ended(self, _result: object) -> None:
        self._asking = False
        if self._waiting:
            self._later()


async def known_of(panel: Panel, asked: Sequence[tuple[Mail, int]]) -> dict[int, Standing]:
    """Which messages the panel took at these attempts of theirs, by their places.

    Raises ``NotSent``, ``Unclear`` or ``Refused``.
    """
    places = {mail.local_id(attempt): place for place, (mail, attempt) in enumerate(asked)}
    ids, most = list(places), panel.limits.local_ids
    found: dict[int, Standing] = {}
    for start in range(0, len(ids), most):
        known = await panel.known(ids[start : start + most])
        found |= {places[local_id]: standing for local_id, standing in known.items()}
    return found
