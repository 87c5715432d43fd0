"""The daemon's production of campaigns: goes on with every run that is open.

Pieces are read and worded on the readers' threads and queued one after the other: beside the
batches, or between them where one writes at a time. After each comes a rest of as long as it
took, and the next piece is read in that time: people's answers come before messages that
nobody waits for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Any

import structlog
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, succeed
from twisted.internet.task import deferLater

from core.database import DatabaseUnavailable
from core.making import Maker
from core.reporting.reading import count_rows
from core.reporting.sources import Sources
from core.reporting.types import SourceError
from core.runs.producing import (
    FIRST_ROWS,
    Piece,
    Put,
    fail,
    next_rows,
    put_piece,
    read_piece,
)
from core.runs.settling import finish_sent, settle_piece
from core.runs.states import CHORES, RunState
from core.runs.store import Run, RunError, set_expected
from core.runs.taking import Look, Work, is_free, load_work, look, take_runs, version_of
from gateway.database_doors import Doors
from gateway.logs import failed
from gateway.templates.wordings import LineGone

log = structlog.get_logger(__name__)

_BRISK = 0.0001
"""Seconds for which a thread keeps the interpreter while messages are made. Wording them keeps
a thread busy for as long as it lasts, and a batch gives the interpreter up at each statement:
at the usual interval it would wait for it longer than it works."""
_LONGEST_REST = 1.0
"""Seconds: after a piece that had to wait for another process, the work goes on all the same."""
_WORKED_ON = frozenset({RunState.PRODUCING, *CHORES})
_Steps = Generator[Deferred[Any], Any, None]


class Production:
    """Goes on with the runs of one database; all of it is called on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        node: int,
        doors: Doors,
        maker: Maker,
        sources: Sources,
        *,
        clock: Any,
        now_ms: Callable[[], int],
        on_queued: Callable[[], object],
    ) -> None:
        self._node = node
        self._doors = doors
        self._maker = maker
        self._sources = sources
        self._clock = clock
        self._now = now_ms
        self._on_queued = on_queued
        self._in_work: dict[int, Deferred[None]] = {}
        self._is_looking = False
        self._is_stopping = False
        self.is_paused = False
        self._usual_interval = 0.0

    def tick(self) -> Deferred[None]:
        """Look whether there is something to do, and begin with it; called each second."""
        if self._is_looking or self._is_stopping:
            return succeed(None)
        self._is_looking = True
        done = self._look()
        done.addErrback(failed, log, "campaigns.look_failed")
        done.addBoth(self._looked)
        return done

    def _looked(self, _result: object) -> None:
        self._is_looking = False

    @property
    def runs(self) -> list[int]:
        """The runs that are being worked on."""
        return list(self._in_work)

    def stop(self) -> Deferred[Any]:
        """Begin nothing more; done when what is under way has ended with its piece."""
        self._is_stopping = True
        return DeferredList(list(self._in_work.values()))

    @inlineCallbacks
    def _look(self) -> _Steps:
        found: Look = yield self._doors.read("runs.look", look)
        self.is_paused = found.is_paused
        if found.sent:
            yield self._doors.transact("runs.sent", finish_sent, found.sent, self._now())
        wanted = [run for run in found.runs if run.state in _WORKED_ON]
        if found.is_paused:
            wanted = [run for run in wanted if run.state in CHORES]
        now = self._now()
        free = [run.id for run in wanted if is_free(run, self._node, now)]
        if free:
            yield self._doors.transact("runs.take", take_runs, free, self._node, now)
            found = yield self._doors.read("runs.look", look)
        chosen = {run.id for run in wanted}
        for run in found.runs:
            mine = run.id in chosen and run.node == self._node and run.state in _WORKED_ON
            if mine and run.id not in self._in_work and not self._is_stopping:
                self._begin(run)

    def _begin(self, run: Run) -> None:
        work = self._settle(run) if run.state in CHORES else self._produce(run)
        self._in_work[run.id] = work
        work.addErrback(self._failed, run)
        work.addBoth(self._ended, run)

    def _ended(self, _result: object, run: Run) -> None:
        self._in_work.pop(run.id, None)
        if not self._in_work and self._usual_interval:
            sys.setswitchinterval(self._usual_interval)

    # --- producing --------------------------------------------------------------------

    @inlineCallbacks
    def _produce(self, run: Run) -> _Steps:
        usual = sys.getswitchinterval()
        sys.setswitchinterval(min(_BRISK, usual))
        self._usual_interval = max(self._usual_interval, usual)
        yield self._make_all(run)

    @inlineCallbacks
    def _make_all(self, run: Run) -> _Steps:
        work: Work = yield self._doors.read("run.load", load_work, run, self._sources, self._maker)
        log.info("campaign.producing", run=run.id, template=run.template, behind=run.position)
        if run.rows_expected is None:
            self._count(work)
        rows, told = FIRST_ROWS, False
        ahead = self._read(work, run.position, rows)
        while True:
            piece: Piece = yield ahead
            put: Put = yield self._doors.in_bulk(
                put_piece, self._doors.database, piece, self._node, self._now()
            )
            if put.stored and not told:
                # The first ones go at once; the rest is found by the outbox's own clock.
                self._on_queued()
                told = True
            if piece.is_last or not put.stored or self._is_stopping:
                log.info("campaign.left", run=run.id, produced=piece.is_last and put.stored)
                return
            rows = next_rows(piece.rows, put.seconds)
            ahead = self._read(work, piece.behind, rows)
            yield deferLater(self._clock, min(put.seconds, _LONGEST_REST))

    def _read(self, work: Work, position: str, rows: int) -> Deferred[Piece]:
        return self._doors.read("run.read", read_piece, work, position, rows, self._now())

    @inlineCallbacks
    def _counted(self, work: Work) -> _Steps:
        rows = yield self._doors.read("run.count", count_rows, work.question)
        yield self._doors.transact("run.expected", set_expected, work.run.id, rows)

    def _count(self, work: Work) -> None:
        """Beside the work: it is only for those who ask how far it is."""
        self._counted(work).addErrback(failed, log, "campaign.not_counted")

    def _failed(self, failure: Any, run: Run) -> Deferred[None] | None:
        """Say of a run why it cannot be gone on with; what the database failed at comes again."""
        if failure.check(DatabaseUnavailable):
            log.error("database.unavailable", error=failure.getErrorMessage())
            return None
        error = failure.getErrorMessage()
        if failure.check(RunError, SourceError, LineGone):
            log.error("campaign.failed", run=run.id, error=error)
        else:
            log.critical("campaign.crashed", run=run.id, failure=failure.getTraceback())
            error = f"unexpected {failure.type.__name__}; the log says where"
        done = self._doors.transact("run.fail", fail, run.id, self._node, error, self._now())
        return done.addErrback(failed, log, "campaign.not_failed")

    # --- pausing, going on, cancelling ------------------------------------------------

    @inlineCallbacks
    def _settle(self, run: Run) -> _Steps:
        version = yield self._doors.read("run.version", version_of, run)
        policy = version.definition.policy
        changed = 1
        while changed and not self._is_stopping:
            changed = yield self._doors.transact(
                "run.settle", settle_piece, run, policy, self._now()
            )
        if run.state is RunState.RESUMING:
            self._on_queued()
