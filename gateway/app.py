"""The composition root: settings → a daemon that runs.

Everything is made here, with the help of ``gateway.daemon``, and handed to what needs it;
nothing else knows how the parts are put together.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import structlog
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from core.nodes import Me
from core.nodes.number import NodeTaken
from core.outbox import Sent
from gateway.claims import Claims
from gateway.control_server import ControlServer
from gateway.daemon.ground import open_ground
from gateway.daemon.network import make_network, make_pauses, make_pushes, make_router
from gateway.daemon.orders import Orders
from gateway.daemon.own_messages import make_own_messages, make_webhooks
from gateway.daemon.pages import make_means, make_payments, make_web
from gateway.daemon.rounds import Rounds, Tidying, putting_back
from gateway.daemon.watching import make_monitor, make_pulse, make_vitals, make_watch
from gateway.inbound import Inbound
from gateway.panels.making import blocked_states
from gateway.peers import Peers, Threads
from gateway.retention import Retention
from gateway.settings import Settings
from gateway.tally import Tally
from gateway.upkeep import Upkeep
from gateway.watchdog import Manager, Watchdog
from gateway.web.desk.live import Live
from gateway.web_service import WebService

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
CLAIM_SECONDS = 1.0
PRODUCE_SECONDS = 1.0
EVENT_SECONDS = 0.5
SCHEDULE_SECONDS = 2.0
PAUSE_SECONDS = 2.0
WATCH_SECONDS = 5.0
WEBHOOK_SECONDS = 1.0
COUNT_SECONDS = 5.0
PUT_BACK_SECONDS = 0.25
FLUSH_SECONDS = 5.0
TIDY_SECONDS = 60.0
RETENTION_SECONDS = 3600.0


class Daemon(MultiService):
    """The running daemon: binds, batches, the outbox's clock, and the control door."""

    def __init__(self, settings: Settings, file: Path, reactor: Any, version: str) -> None:
        """Open everything that can fail before anything is started.

        Raises ``ConfigError``, ``SchemaError``, ``DatabaseUnavailable`` or ``NodeTaken``.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        ground = open_ground(settings, file, reactor, version)
        self._ground, self._workers = ground, ground.workers
        self._tally = Tally([line.number for line in settings.lines])
        self._upkeep = Upkeep(ground.database, ground.node, ground.desk, ground.now_ms)
        self._router = make_router(ground, self._settle, self._tally.submitted_to)
        self._peers = self._make_peers()
        self._peers.join()
        self._upkeep.recover()
        self._inbound = self._make_inbound()
        self._network = make_network(
            ground, self._inbound, self._router, self._tally.submitted_to, self._panel_is_up
        )
        self._claims = Claims(
            ground.desk.node, self._router, self._inbound, self._workers.transact, ground.now_ms
        )
        self._pushes = make_pushes(ground, self._inbound)
        self._production, self._scheduler = make_own_messages(ground, self._inbound, self._claim)
        self._pauses = make_pauses(ground, self._network)
        self._webhooks = make_webhooks(ground, self._inbound, self._scheduler, self._pauses)
        self._vitals = make_vitals(
            ground,
            self._network,
            self._inbound,
            scheduler=self._scheduler,
            pauses=self._pauses,
            peers=self._peers,
            webhooks=self._webhooks,
        )
        self._monitor = make_monitor(
            ground, self._vitals, self._inbound, self._production, self._tally
        )
        self._watch = make_watch(ground, self._vitals, self._router)
        self._pulse = make_pulse(ground, self._vitals, self._inbound, self._watch)
        self._live = Live(self._pulse.feel, reactor)
        self._payments = make_payments(ground, self._paid)
        self._web = self._make_web()
        self._retention = Retention(
            settings.retention.keep, self._workers.transact, reactor, self._may_put_away
        )
        self._watchdog = Watchdog(Manager(os.environ), self._workers.in_writer, reactor)
        self._rounds = Rounds(reactor)
        self._tidying = Tidying(ground, self._upkeep, self._inbound, self._claim)
        self.failure: Exception | None = None
        """Why it has ended by itself."""

    def _make_peers(self) -> Peers:
        ground = self._ground
        me = Me(ground.node.number, ground.started_at, ground.version, socket.gethostname())
        return Peers(
            me,
            ground.database,
            ground.node,
            ground.desk,
            self._router.senders,
            threads=Threads(self._workers.in_beats, self._workers.in_writer),
            clock=self._reactor,
            lease=ground.settings.daemon.lease,
            binds_up=lambda: self._network.names_up,
            on_more=self._claim,
            on_taken=self._end,
        )

    def _make_inbound(self) -> Inbound:
        settings = self._ground.settings
        blocked = blocked_states(self._ground.file, settings.panels)
        return Inbound(
            self._ground.database,
            self._ground.desk,
            self._router,
            profiles={line.number: line.profile for line in settings.texted_lines},
            clock=self._reactor,
            in_thread=self._workers.in_writer,
            recover=self._upkeep.recover_again,
            smsc_of={bind.name: bind.smsc for bind in settings.binds}
            | {panel.name: panel.name for panel in settings.panels},
            blocked_errors={bind.name: bind.blocked_errors for bind in settings.binds}
            | {**blocked},
            max_waiting=settings.daemon.max_waiting,
            on_bound=self._peers.beat,
            on_queued=self._claim,
            on_settled=lambda: self._claims.refill(),  # noqa: PLW0108 - they are made later
            on_happened=lambda: self._scheduler.happened(),  # noqa: PLW0108
            is_claiming=lambda: self._claims.is_claiming,
            on_batch=self._tally.batch,
            precedence=self._workers.precedence,
        )

    def _make_web(self) -> WebService | None:
        means = make_means(
            self._ground,
            on_queued=self._claim,
            pulse=self._pulse,
            live=self._live,
            on_switched=self._pauses.tick,
        )
        return make_web(self._ground, self._network, means, self._payments, self._monitor)

    def _settle(self, bind: str, sent: Sequence[Sent]) -> None:
        # The inbound side is made after the senders that report to it.
        self._inbound.settle(bind, sent)

    def _panel_is_up(self) -> None:
        self._claim()
        self._peers.beat()

    def _claim(self) -> None:
        # The claims are made after the inbound side, which they ask about the database.
        self._claims.claim()

    def _paid(self) -> None:
        self._claim()
        self._scheduler.happened()

    def _may_put_away(self) -> bool:
        """One of several daemons does it: the one that keeps the schedules."""
        return self._scheduler.status.leads and not self._inbound.database_error

    def startService(self) -> None:
        """Start threads, clocks, the control door and the binds."""
        self._workers.start()
        door, orders = self._ground.settings.daemon.control, self._orders()
        control = ControlServer(self._reactor, door, orders.by_name)
        control.setServiceParent(self)  # type: ignore[no-untyped-call]
        for service in (self._payments, self._web, self._monitor):
            if service:
                service.setServiceParent(self)  # type: ignore[no-untyped-call]
        super().startService()  # type: ignore[no-untyped-call]
        self._rounds.every(BEAT_SECONDS, self._peers.beat)
        self._rounds.every(CLAIM_SECONDS, self._claim)
        self._rounds.every(PRODUCE_SECONDS, self._production.tick)
        self._rounds.every(EVENT_SECONDS, self._scheduler.look_for_events)
        self._rounds.every(SCHEDULE_SECONDS, self._scheduler.tick)
        self._rounds.every(FLUSH_SECONDS, self._inbound.flush)
        self._rounds.every(TIDY_SECONDS, self._tidying.tick)
        self._rounds.every(RETENTION_SECONDS, self._retention.tick)
        self._rounds.every(PAUSE_SECONDS, self._pauses.tick)
        self._rounds.every(WATCH_SECONDS, self._watch.tick)
        self._rounds.every(WEBHOOK_SECONDS, self._webhooks.tick)
        self._rounds.every(COUNT_SECONDS, self._pulse.store)
        if self._ground.database.is_sqlite:
            self._rounds.every(PUT_BACK_SECONDS, putting_back(self._ground))
        self._pauses.start()
        self._scheduler.tick()
        self._watchdog.startService()
        log.info("daemon.started", version=self._ground.version, node=self._ground.desk.node)

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Take nothing more, settle what is under way, unbind, and let the database go."""
        log.info("daemon.stopping")
        self._watchdog.stopService()
        self._rounds.stop()
        self._pauses.stop()
        self._live.stop()
        for panel in self._network.panels:
            # What it has handed over is stored first: it may not hand it over again.
            yield panel.stopService()
        self._inbound.stop()
        own = (self._retention, self._production, self._scheduler, self._webhooks, self._watch)
        for each in own:
            yield each.stop()
        deadline = self._reactor.seconds() + self._ground.settings.daemon.stop_timeout
        while self._reactor.seconds() < deadline and not (
            self._inbound.is_idle and self._network.is_settled
        ):
            yield deferLater(self._reactor, 0.02)
        for page in self._network.doors:
            page.door.close()
        for bind in self._network.binds:
            yield bind.stopService()
        while self._reactor.seconds() < deadline and not self._inbound.is_idle:
            yield deferLater(self._reactor, 0.02)
        yield super().stopService()  # type: ignore[no-untyped-call]
        for sender in self._router.senders.values():
            sender.stop()
        yield self._peers.stop()
        yield self._pulse.store()
        left = yield self._workers.in_reader(self._upkeep.left)
        self._workers.stop()
        self._scheduler.release()
        self._ground.node.release()
        self._ground.database.close()
        log.info("daemon.stopped", **left)

    def _orders(self) -> Orders:
        return Orders(
            vitals=self._vitals,
            pauses=self._pauses,
            scheduler=self._scheduler,
            production=self._production,
            pushes=self._pushes,
            payments=self._payments,
            watch=self._watch,
            webhooks=self._webhooks,
            claim=self._claim,
            new_id=self._ground.desk.ids.one,
            now_ms=self._ground.now_ms,
            reactor=self._reactor,
        )

    def _end(self) -> None:
        """Another daemon goes by our number: a new process gets one of its own."""
        self.failure = NodeTaken(f"another daemon took node {self._ground.node.number} meanwhile")
        self._reactor.stop()


def run(settings: Settings, file: Path, version: str) -> None:
    """Run the daemon until it is told to stop; for the main thread of a process.

    Raises what ``Daemon`` raises, before anything has started.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installs itself when imported

    loop: Any = reactor
    daemon = Daemon(settings, file, loop, version)
    # The thread of the database and the reactor's take turns: shorter ones, so that
    # neither waits five milliseconds for the other in the middle of a batch.
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    failures: list[Exception] = []

    def start() -> None:
        try:
            daemon.startService()
        except Exception as error:  # noqa: BLE001 - raised again below, outside the reactor
            failures.append(error)
            loop.stop()

    loop.callWhenRunning(start)
    loop.addSystemEventTrigger("before", "shutdown", daemon.stopService)
    loop.run()
    if daemon.failure is not None:
        failures.append(daemon.failure)
    if failures:
        raise failures[0]
