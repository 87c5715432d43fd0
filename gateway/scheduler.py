"""What the utility sends by itself: when something happens, and when it is time.

Events are made into messages by whichever daemon gets to them first; schedules, outages and
what was put off are kept by one daemon at a time. All of it runs on the thread that writes,
in short transactions, so that a text that comes in goes between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import structlog
from twisted.internet.defer import Deferred, inlineCallbacks, succeed

from core.events.happened import has_new
from core.nodes.leader import Leadership
from core.production import Press, Produced, run
from core.scheduling import Round, go_round
from gateway.database_doors import Doors
from gateway.logs import failed

log = structlog.get_logger(__name__)

_Steps = Generator[Deferred[Any], Any, None]


@dataclass(slots=True)
class SchedulerStatus:
    """How the scheduler of this daemon is."""

    leads: bool = False
    """Whether this daemon keeps the schedules."""
    last_round: int | None = None
    """When it last looked at them, UTC milliseconds."""
    round: Round = field(default_factory=Round)
    missed: int = 0
    """Times of schedules that passed while no daemon ran, since this one started …"""
    counted: Produced = field(default_factory=Produced)
    """… and what came of events since then."""


class Scheduler:
    """Keeps one database's schedules; all of it is called on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        doors: Doors,
        leadership: Leadership,
        press: Press,
        *,
        now_ms: Callable[[], int],
        on_queued: Callable[[], object],
        on_begun: Callable[[], object],
        is_away: Callable[[], object] = lambda: False,
    ) -> None:
        """``on_queued``: messages are there; ``on_begun``: runs are; ``is_away``: the database."""
        self._doors = doors
        self._leadership = leadership
        self._press = press
        self._now = now_ms
        self._on_queued = on_queued
        self._on_begun = on_begun
        self._is_away = is_away
        self._telling: Deferred[None] | None = None
        self._again = False
        self._round: Deferred[None] | None = None
        self._is_stopping = False
        self.status = SchedulerStatus()

    # --- events -----------------------------------------------------------------------

    def happened(self) -> None:
        """Something has happened, or may have: make the messages of it."""
        if self._telling is not None or self._is_stopping or self._is_away():
            self._again = self._telling is not None
            return
        self._again = False
        telling = self._telling = self._tell()
        telling.addErrback(failed, log, "events.crashed")
        telling.addBoth(self._told)

    def look_for_events(self) -> Deferred[None]:
        """Look whether something has happened that nobody has told of; called each second."""
        if self._telling is not None or self._is_stopping or self._is_away():
            return succeed(None)
        looked = self._doors.read("events.look", has_new)
        looked.addCallback(lambda is_new: self.happened() if is_new else None)
        return looked.addErrback(failed, log, "events.look_failed")

    @inlineCallbacks
    def _tell(self) -> _Steps:
        done: Produced = yield self._doors.in_writer(
            run, self._doors.database, self._press, self._now()
        )
        self._count(done)
        self._again |= done.more

    def _told(self, _result: object) -> None:
        self._telling = None
        if self._again:
            self.happened()

    def _count(self, done: Produced) -> None:
        self.status.counted = self.status.counted.plus(done)
        if done.messages:
            self._on_queued()

    # --- schedules --------------------------------------------------------------------

    def tick(self) -> Deferred[None]:
        """Begin what is due; called every few seconds."""
        if self._round is not None or self._is_stopping or self._is_away():
            return succeed(None)
        going = self._round = self._go_round()
        going.addErrback(failed, log, "scheduler.crashed")
        going.addBoth(self._gone_round)
        return going

    @inlineCallbacks
    def _go_round(self) -> _Steps:
        status = self.status
        leads = yield self._doors.in_reader(self._leadership.hold)
        if leads != status.leads:
            log.info("scheduler.leads" if leads else "scheduler.follows")
        status.leads = leads
        while leads and not self._is_stopping:
            now = self._now()
            found: Round = yield self._doors.in_writer(
                go_round, self._doors.database, self._press, now
            )
            status.round, status.last_round = found, now
            status.missed += found.missed
            self._count(found.due)
            if found.begun:
                self._on_begun()
            if not found.due.more:
                return

    def _gone_round(self, _result: object) -> None:
        self._round = None

    # --- the end ----------------------------------------------------------------------

    @inlineCallbacks
    def stop(self) -> _Steps:
        """Begin nothing more; done when what is under way has ended."""
        self._is_stopping = True
        for under_way in (self._telling, self._round):
            if under_way is not None:
                yield under_way

    def release(self) -> None:
        """Leave the schedules to another daemon."""
        self._leadership.release()
