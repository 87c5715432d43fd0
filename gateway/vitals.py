"""The daemon's vital signs: what its parts say of themselves, gathered for ``health``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.python.failure import Failure

from core.database import Database
from core.dialogues.limits import OpenSessions
from core.nodes import Peer
from core.planning import Planned
from core.schema import is_current
from core.sending import Depths, depths
from core.services import Paused
from gateway.health import (
    BindHealth,
    DatabaseHealth,
    DiskHealth,
    DoorHealth,
    FailedHealth,
    Health,
    OperatorHealth,
    PanelHealth,
    PeerHealth,
    PlannedHealth,
    QueueHealth,
    SchedulerHealth,
    Snapshot,
    UssdHealth,
    WebhookHealth,
    assess,
    to_json,
)
from gateway.health.snapshot import DOOR_COUNTS, SCREEN_COUNTS, SESSION_COUNTS
from gateway.inbound import Inbound, InThread
from gateway.outbound import Router
from gateway.panels.service import PanelService
from gateway.peers import Peers
from gateway.queue_gauge import QueueGauge
from gateway.scheduler import Scheduler
from gateway.service_list import with_services
from gateway.settings import Settings
from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindState
from gateway.ussd.http.page import DoorPage

_MOST_PLANNED = 5
DATABASE_SECONDS = 20.0
"""So long may the database take to say how it is."""


class Parts(NamedTuple):
    """The parts of the daemon that are looked at."""

    database: Database
    in_reader: InThread
    """For what only reads: on threads that do not hold up the batches."""
    inbound: Inbound
    sessions: OpenSessions
    router: Router
    binds: Sequence[SmppBind]
    doors: Sequence[DoorPage] = ()
    scheduler: Scheduler | None = None
    paused: Callable[[], Mapping[str, Paused]] = dict
    """What people have paused, by the service's name."""
    peers: Peers | None = None
    panels: Sequence[PanelService] = ()
    webhooks: Callable[[], tuple[WebhookHealth, ...]] = tuple
    clock: Any = None
    """Without one the database may take its time."""


class Vitals:
    """Looks at the daemon's parts when it is asked how they are."""

    def __init__(
        self,
        settings: Settings,
        version: str,
        started_at: int,
        parts: Parts,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._version = version
        self._started_at = started_at
        self._parts = parts
        self._now = now_ms
        self._binds = {bind.name: bind for bind in settings.binds}
        self._operators = {bind.smsc for bind in settings.binds if bind.sends}
        self._operators |= {panel.name for panel in settings.panels}
        self._disk: DiskHealth | None = None
        self._gauge = QueueGauge(lambda now: parts.database.read("health", depths, now))

    def look(self) -> Deferred[Mapping[str, Any]]:
        """How the daemon is, as JSON; also when the database does not answer."""
        return self.judged().addCallback(to_json)

    def judged(self) -> Deferred[Health]:
        """How the daemon is, judged; also when the database does not answer."""
        return self.snapshot().addCallback(self._assess)

    def snapshot(self) -> Deferred[Snapshot]:
        """How the daemon is; also when the database does not answer, or not in time."""
        done: Deferred[Any] = self._parts.in_reader(self._look_at_database, self._now())
        if self._parts.clock is not None:
            done.addTimeout(DATABASE_SECONDS, self._parts.clock)
        return done.addBoth(self._seen)

    def _look_at_database(self, now: int) -> tuple[Depths, bool]:
        database = self._parts.database
        self._disk = _disk(self._settings.daemon.data, database)
        return self._gauge.depths(now), is_current(database)

    def _assess(self, snapshot: Snapshot) -> Health:
        return assess(snapshot, self._settings.alerts.oldest_waiting)

    def _seen(self, seen: tuple[Depths, bool] | Failure) -> Snapshot:
        error = self._parts.inbound.database_error
        if isinstance(seen, Failure):
            is_late = seen.check(TookTooLong)
            error = f"no answer within {DATABASE_SECONDS:g} s" if is_late else _first_line(seen)
            seen = Depths(0, 0, None), True
        found, schema_current = seen
        now = self._now()
        snapshot = Snapshot(
            version=self._version,
            now=now,
            started_at=self._started_at,
            lines=tuple(line.number for line in self._settings.lines),
            binds=tuple(self._bind(bind) for bind in self._parts.binds),
            queues=self._queues(found, now),
            database=DatabaseHealth(
                name=self._parts.database.name,
                reachable=not error,
                schema_current=schema_current,
                last_error=error,
            ),
            panels=tuple(_panel(panel) for panel in self._parts.panels),
            doors=tuple(_door(page) for page in self._parts.doors),
            ussd=self._ussd() if self._settings.dialled_lines else None,
            scheduler=self._scheduler(now),
            node=self._parts.peers.me.node if self._parts.peers else 0,
            peers=tuple(map(_peer, self._parts.peers.others)) if self._parts.peers else (),
            operators=tuple(
                OperatorHealth(smsc=smsc, **self._parts.inbound.outcomes.of(smsc))
                for smsc in sorted(self._operators)
            ),
            set_aside=self._parts.inbound.counters["set_aside"],
            webhooks=self._parts.webhooks(),
            disk=self._disk,
        )
        return with_services(snapshot, self._parts.paused())

    def _queues(self, found: Depths, now: int) -> QueueHealth:
        def ago(at: int | None) -> float | None:
            return None if at is None else (now - at) / 1000

        return QueueHealth(
            arrivals=self._parts.inbound.waiting,
            reading_paused=self._parts.inbound.is_paused,
            waiting=found.waiting,
            sending=found.sending,
            oldest_waiting_seconds=ago(found.oldest_due_at),
            oldest_answer_seconds=ago(found.oldest_answer_due_at),
        )

    def _scheduler(self, now: int) -> SchedulerHealth | None:
        if self._parts.scheduler is None:
            return None
        status = self._parts.scheduler.status
        found, counted = status.round, status.counted
        return SchedulerHealth(
            leads=status.leads,
            paused=found.is_paused,
            last_round=status.last_round,
            planned=tuple(map(_planned, found.planned[:_MOST_PLANNED])),
            overdue=tuple(map(_planned, found.overdue(now))),
            missed=status.missed,
            broken=found.failed,
            failed=tuple(
                FailedHealth(utility=each.utility, template=each.template, error=each.error)
                for each in found.failed_runs
            ),
            events=counted.events,
            messages=counted.messages,
            put_off=counted.later,
            set_aside=counted.set_aside,
        )

    def _ussd(self) -> UssdHealth:
        inbound = self._parts.inbound
        counted = {name: inbound.counters[f"ussd_{name}"] for name in SESSION_COUNTS}
        screens = {name: inbound.screens.counters[name] for name in SCREEN_COUNTS}
        most = self._settings.ussd.sessions
        return UssdHealth(open=self._parts.sessions.count, most=most, **counted, **screens)

    def _bind(self, bind: SmppBind) -> BindHealth:
        status = bind.status()
        settings = self._binds[status.name]
        sender = self._parts.router.senders.get(status.name)
        sending = sender.status() if sender else None
        return BindHealth(
            name=status.name,
            smsc=settings.smsc,
            up=status.state is BindState.BOUND,
            state=status.state.value,
            since=int(status.since * 1000),
            window=status.window,
            in_flight=status.in_flight,
            queued=sending.queued if sending else 0,
            rate=settings.rate,
            held_seconds=sending.held_seconds if sending else 0.0,
            slowed_to=sending.slowed_to if sending else 0.0,
            share=sending.share if sending else 1.0,
            last_traffic=_ms(status.last_traffic),
            reconnects=status.reconnects,
            last_error=status.last_error,
            next_attempt=_ms(status.next_attempt),
            down_since=_ms(status.down_since),
        )


def _planned(planned: Planned) -> PlannedHealth:
    return PlannedHealth(
        utility=planned.utility, template=planned.template, what=planned.what, at=planned.at
    )


def _peer(peer: Peer) -> PeerHealth:
    return PeerHealth(
        node=peer.node,
        host=peer.host,
        version=peer.version,
        alive=peer.is_alive,
        started_at=peer.started_at,
        seen_at=peer.seen_at,
        taken_over_at=peer.taken_over_at,
        binds_up=tuple(sorted(peer.binds)),
    )


def _panel(panel: PanelService) -> PanelHealth:
    status, sending = panel.status(), panel.sender.status()
    return PanelHealth(
        name=status.name,
        kind=status.kind,
        up=status.up,
        since=status.since,
        queued=sending.queued,
        in_flight=sending.in_flight,
        in_doubt=status.in_doubt,
        owed=status.owed,
        rate=panel.settings.rate,
        held_seconds=sending.held_seconds,
        credit=status.credit,
        credit_low=status.credit_low,
        texts=status.counters["texts"],
        states=status.counters["states"],
        failures=status.counters["failures"],
        last_error=status.last_error,
        next_attempt=status.next_attempt,
    )


def _door(page: DoorPage) -> DoorHealth:
    settings, counters = page.settings, page.door.counters
    return DoorHealth(
        name=settings.name,
        dialect=settings.dialect.value,
        path=settings.path,
        waiting=page.door.waiting,
        **{name: counters[name] for name in DOOR_COUNTS},
    )


def _disk(data: Path, database: Database) -> DiskHealth | None:
    """How much room there is; None where the folder cannot be looked at."""
    try:
        free = shutil.disk_usage(data).free
    except OSError:
        return None
    wal = 0
    if database.is_sqlite:
        with suppress(OSError):
            wal = Path(f"{database.url.database}-wal").stat().st_size
    return DiskHealth(free=free, wal=wal)


def _first_line(failure: Failure) -> str:
    return failure.getErrorMessage().partition("\n")[0]


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
