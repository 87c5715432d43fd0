"""Looks at the daemon every few seconds, and has people told what is new.

What is open is kept in memory and in the database. While that is away people are told all the
same; what was told then is stored when it is back. An alert that is open in the database when a
daemon starts has been told, and is not told again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

import structlog
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.python.failure import Failure

from core.alerts import Alert, open_alerts, store_alerts, untold_ends
from core.database import DatabaseUnavailable
from gateway.alerts.book import DAY_MS, Book
from gateway.alerts.telling import Teller, Telling, Way
from gateway.alerts.troubles import Found, Judge, Kind, Trouble
from gateway.database_doors import Doors
from gateway.health import Snapshot
from gateway.outbound import Clock
from gateway.settings.alerts import AlertSettings

log = structlog.get_logger(__name__)

STORE_SECONDS: Final = 10.0
"""So long may storing take before people are told without it."""
_Steps = Generator[Deferred[Any], Any, None]


class Watch:
    """The alerts of one daemon; all of it is called on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        settings: AlertSettings,
        look: Callable[[], Deferred[Snapshot]],
        doors: Doors,
        book: Book,
        *,
        ways: Sequence[Way],
        clock: Clock,
    ) -> None:
        """``look``: how the daemon is, also while its database is away."""
        self._look = look
        self._doors = doors
        self._book = book
        self._clock = clock
        self._judge = Judge(settings)
        self.tellers = [Teller(way, clock, self._told) for way in ways]
        self._unstored: dict[int, Alert] = {}
        """What the database does not know yet, by id."""
        self._is_adopted = False
        self._store_error = ""
        self._failing_since: float | None = None
        self._patience = settings.database_down
        self._under_way: Deferred[Any] | None = None
        self._is_there = False
        """Whether the database could be reached when it was last looked at."""
        self._was_told = False
        self._is_stopped = self._is_closed = False

    @property
    def open(self) -> list[Alert]:
        """The alerts that are open."""
        return self._book.open

    def tick(self) -> Deferred[None]:
        """Look once; called every few seconds."""
        if self._under_way is not None or self._is_stopped:
            return succeed(None)
        going = self._under_way = self._go_round()
        going.addErrback(_log_failure)
        going.addBoth(self._gone_round)
        return going

    def test(self, now: int, alert_id: int) -> list[str]:
        """Send a test by every way; returns their names."""
        alert = Alert(alert_id, "test", "", "", now, None, None, None)
        for teller in self.tellers:
            teller.tell(Telling(alert, is_end=False, is_test=True))
        return [teller.way.name for teller in self.tellers]

    @inlineCallbacks
    def stop(self) -> _Steps:
        """Look no more; done when what is under way has ended."""
        self._is_stopped = True
        for teller in self.tellers:
            teller.stop()
        while self._under_way is not None:
            yield self._under_way
        self._is_closed = True

    def _gone_round(self, _result: object) -> None:
        self._under_way = None
        if self._was_told:
            self._remember()

    def _remember(self) -> None:
        """Store at once that people have been told: whoever starts next must not tell them."""
        if self._under_way is not None or not self._is_there or self._is_closed:
            return
        self._was_told = False
        going = self._under_way = self._store()
        going.addErrback(_log_failure)
        going.addBoth(self._gone_round)

    @inlineCallbacks
    def _go_round(self) -> _Steps:
        snapshot: Snapshot = yield self._look()
        is_there = self._is_there = snapshot.database.reachable
        if is_there and not self._is_stopped:
            # Also those that another scheduler has opened, whose place this one takes.
            # Whatever is wrong with those, people are told of what is new.
            yield self._adopt(snapshot).addErrback(_log_failure)
        if self._is_stopped:
            return
        changes = self._book.step(snapshot.now, self._with_store_error(self._judge.look(snapshot)))
        for alert in (*changes.opened, *changes.ended):
            self._note(alert)
        others: set[int] = set()
        if self._unstored and is_there:
            others = yield self._store()
        for alert in changes.opened:
            if alert.id not in others:
                log.error("alert.opened", trouble=alert.trouble, words=alert.english)
                self._tell(Telling(alert, is_end=False))
        for alert in changes.ended:
            log.info("alert.ended", trouble=alert.trouble)
            self._tell(Telling(alert, is_end=True))

    def _with_store_error(self, found: Found) -> Found:
        """Reading may go well where writing does not: a full disk, a server that only reads."""
        since = self._failing_since
        is_known = any(each.kind is Kind.DATABASE for each in found.troubles)
        if since is None or is_known or self._clock.seconds() - since < self._patience:
            return found
        return found._replace(
            troubles=(*found.troubles, Trouble(Kind.DATABASE, "", self._store_error))
        )

    # --- the database ------------------------------------------------------------------

    @inlineCallbacks
    def _adopt(self, snapshot: Snapshot) -> _Steps:
        leads = snapshot.scheduler is not None and snapshot.scheduler.leads
        self._book.leads(leads)
        try:
            found: list[Alert] = yield self._in_time(self._doors.read("alerts.open", open_alerts))
            ended: list[Alert] = []
            if not self._is_adopted:
                since = snapshot.now - DAY_MS
                ended = yield self._in_time(self._doors.read("alerts.ended", untold_ends, since))
        except (DatabaseUnavailable, TookTooLong):
            return
        # Those that this daemon has ended and not stored are over.
        over = {each.id for each in self._unstored.values() if each.ended_at is not None}
        untold = self._book.adopt([each for each in found if each.id not in over])
        if not self._is_adopted:
            # A daemon was stopped before anybody could be told.
            for alert in untold:
                self._tell(Telling(alert, is_end=False))
            for alert in ended:
                if self._book.is_mine(alert.trouble):
                    self._tell(Telling(alert, is_end=True))
        self._is_adopted = True

    @inlineCallbacks
    def _store(self) -> Generator[Deferred[Any], Any, set[int]]:
        """Store what the database does not know; returns alerts that others have opened first."""
        changed = list(self._unstored.values())
        try:
            found: list[Alert] = yield self._in_time(
                self._doors.transact("alerts.store", store_alerts, changed)
            )
        except (DatabaseUnavailable, TookTooLong) as error:
            self._store_error = str(error) or f"no answer within {STORE_SECONDS:g} s"
            if self._failing_since is None:
                self._failing_since = self._clock.seconds()
            return set()
        self._failing_since = None
        for alert in changed:
            if self._unstored.get(alert.id) == alert:
                del self._unstored[alert.id]
        there = {each.id for each in found}
        others = {each.id for each in changed if each.ended_at is None and each.id not in there}
        self._book.replace([each for each in changed if each.id in others], found)
        return others

    def _in_time(self, work: Deferred[Any]) -> Deferred[Any]:
        clock: Any = self._clock
        return work.addTimeout(STORE_SECONDS, clock)

    # --- people -------------------------------------------------------------------------

    def _tell(self, telling: Telling) -> None:
        for teller in self.tellers:
            teller.tell(telling)

    def _told(self, telling: Telling) -> None:
        """Somebody has been told."""
        if telling.is_test:
            return
        now = int(self._clock.seconds() * 1000)
        alert = self._book.by_id(telling.alert.id) or telling.alert
        if telling.is_end:
            alert = alert._replace(end_told_at=alert.end_told_at or now)
        else:
            alert = alert._replace(told_at=alert.told_at or now)
            self._book.keep(alert)
        self._note(alert)
        self._was_told = True
        self._remember()

    def _note(self, alert: Alert) -> None:
        """Have it stored, with what was to be stored of it already."""
        before = self._unstored.get(alert.id, alert)
        self._unstored[alert.id] = alert._replace(
            told_at=before.told_at or alert.told_at,
            ended_at=before.ended_at or alert.ended_at,
            end_told_at=before.end_told_at or alert.end_told_at,
        )


def _log_failure(failure: Failure) -> None:
    log.critical("alerts.crashed", failure=failure.getTraceback())
