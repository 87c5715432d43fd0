"""The composition root: settings → a daemon that runs.

Everything is made here and handed to what needs it; nothing else knows how the parts are
put together.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Collection, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool

from core.batch import Desk
from core.database import Database
from core.ids import IdMaker
from core.inbox import Part
from core.leader import Leadership
from core.making import Maker
from core.minutes import Writer
from core.node import Node, NodeTaken
from core.nodes import Me
from core.outbox import Sent
from core.production import Press
from core.schema import SchemaError, is_current
from core.secrecy import Keys
from core.services import BIND, DOOR, PANEL, paused_now, service_name
from core.templates.in_use import TemplatesInUse
from gateway.alerts.book import Book
from gateway.alerts.mail import EmailWay
from gateway.alerts.telling import Way
from gateway.alerts.texts import SmsWay
from gateway.alerts.watch import Watch
from gateway.alerts.webhook import WebhookWay
from gateway.claims import Claims
from gateway.control import ControlServer
from gateway.daemon.orders import Orders
from gateway.daemon.rounds import Rounds, Tidying
from gateway.daemon.workers import Workers
from gateway.inbound import Inbound
from gateway.minds import load_profiles, minds_of
from gateway.minutes import Minutes
from gateway.monitor import Monitor, Watched
from gateway.outbound import Router, Sender, SenderSettings
from gateway.panels.making import DaemonSide, blocked_states, make_panel, push_page
from gateway.panels.service import PanelService
from gateway.pauses import BindSwitch, DoorSwitch, PanelSwitch, Pauses, Switch
from gateway.payment_service import Collaborators, PaymentService, with_payments
from gateway.peers import Peers, Threads
from gateway.production import Doors, Production, sources_of
from gateway.profiles import Profile
from gateway.pulse import Pulse
from gateway.pushes import Pushes
from gateway.retention import Retention
from gateway.scheduler import Scheduler
from gateway.settings import Settings
from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindState
from gateway.smpp.text import Alphabet, decode
from gateway.tally import Tally
from gateway.templates.wordings import Wordings
from gateway.upkeep import Upkeep
from gateway.ussd.http.page import DoorPage
from gateway.ussd.talker import talkers_of
from gateway.vitals import Parts, Vitals
from gateway.watchdog import Manager, Watchdog
from gateway.web.desk.frame import Frame
from gateway.web.desk.live import Live
from gateway.web.desk.means import Means
from gateway.web.desk.registry import PAGES
from gateway.web.root import Root
from gateway.web_service import WebService

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
CLAIM_SECONDS = 1.0
PRODUCE_SECONDS = 1.0
EVENT_SECONDS = 0.5
SCHEDULE_SECONDS = 2.0
PAUSE_SECONDS = 2.0
WATCH_SECONDS = 5.0
COUNT_SECONDS = 5.0
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
        self._settings = settings
        self._reactor = reactor
        self._version = version
        started_at = self._now()
        self._binds = {bind.name: bind for bind in settings.binds}
        self._tally = Tally([line.number for line in settings.lines])
        profiles = load_profiles(file, settings)
        self._database = Database(settings.database_url)
        if not is_current(self._database):
            raise SchemaError(
                f"the tables of {self._database.name} are of an older version; run `peyk init`"
            )
        self._node = Node(self._database)
        self._workers = Workers(self._database, reactor)
        self._desk = self._make_desk(with_payments(profiles, settings))
        self._upkeep = Upkeep(self._database, self._node, self._desk, self._now)
        self._router = self._make_router()
        self._peers = self._make_peers(started_at)
        self._peers.join()
        self._upkeep.recover()
        self._inbound = self._make_inbound(blocked_states(file, settings.panels))
        self._panels = self._make_panels(file)
        self._smpp = [SmppBind(bind.for_smpp(), self._inbound, reactor) for bind in settings.binds]
        self._claims = Claims(
            self._desk.node, self._router, self._inbound, self._workers.transact, self._now
        )
        self._doors = self._make_doors()
        self._pushes = self._make_pushes()
        self._production, self._scheduler = self._make_own_messages(profiles)
        self._pauses = self._make_pauses()
        parts = Parts(
            self._database,
            self._workers.in_reader,
            self._inbound,
            self._desk.sessions,
            self._router,
            self._smpp,
            self._doors,
            self._scheduler,
            lambda: self._pauses.paused,
            self._peers,
            self._panels,
            clock=reactor,
        )
        self._vitals = Vitals(settings, version, started_at, parts, self._now)
        self._monitor = self._make_monitor()
        self._watch = self._make_watch()
        self._pulse = self._make_pulse(started_at)
        self._live = Live(self._pulse.feel, reactor)
        self._payments = self._make_payments()
        self._web = self._make_web(file, profiles)
        self._retention = Retention(
            settings.retention.keep, self._workers.transact, reactor, self._may_put_away
        )
        self._watchdog = Watchdog(Manager(os.environ), self._workers.in_writer, reactor)
        self._rounds = Rounds(reactor)
        self._tidying = Tidying(
            self._upkeep,
            self._inbound,
            self._workers,
            now_ms=self._now,
            on_queued=self._claim,
        )
        self.failure: Exception | None = None
        """Why it has ended by itself."""

    def _now(self) -> int:
        return int(self._reactor.seconds() * 1000)

    # --- making ---------------------------------------------------------------------

    def _make_desk(self, profiles: Mapping[str, Profile]) -> Desk:
        def join(bind: str, parts: Sequence[Part]) -> str:
            payload = b"".join(part.payload for part in parts)
            alphabet = self._binds[bind].alphabet if bind in self._binds else Alphabet.GSM7
            return decode(payload, parts[0].data_coding, alphabet)

        self._minds = minds_of(self._settings, profiles)
        self._talkers = talkers_of(self._settings, profiles)
        return Desk(
            node=self._node.number,
            ids=IdMaker(self._node.number, self._now),
            keys=Keys(self._settings.daemon.key_bytes),
            minds=self._minds,
            join=join,
            talkers=self._talkers,
            limits=self._settings.ussd.limits(),
        )

    def _make_router(self) -> Router:
        senders = {
            bind.name: Sender(
                SenderSettings(
                    bind.name,
                    bind.smsc,
                    bind.window,
                    bind.rate,
                    bind.receipts,
                    bind.blocked_codes,
                    shared=not self._database.is_sqlite,
                ),
                self._reactor,
                self._settle,
                self._tally.submitted_to,
            )
            for bind in self._settings.binds
            if bind.sends
        }
        return Router(senders, {line.number: line.binds for line in self._settings.texted_lines})

    def _make_peers(self, started_at: int) -> Peers:
        me = Me(self._node.number, started_at, self._version, socket.gethostname())
        return Peers(
            me,
            self._database,
            self._node,
            self._desk,
            self._router.senders,
            threads=Threads(self._workers.in_beats, self._workers.in_writer),
            clock=self._reactor,
            lease=self._settings.daemon.lease,
            binds_up=self._binds_up,
            on_more=self._claim,
            on_taken=self._end,
        )

    def _binds_up(self) -> set[str]:
        senders = self._router.senders
        panels = {panel.settings.name for panel in self._panels if panel.sender.is_up}
        return panels | {
            status.name
            for status in (bind.status() for bind in self._smpp)
            if (
                senders[status.name].is_up
                if status.name in senders
                else status.state is BindState.BOUND
            )
        }

    def _settle(self, bind: str, sent: Sequence[Sent]) -> None:
        # The inbound side is made after the senders that report to it.
        self._inbound.settle(bind, sent)

    def _make_inbound(self, blocked_states: Mapping[str, Collection[str]]) -> Inbound:
        binds = self._settings.binds
        return Inbound(
            self._database,
            self._desk,
            self._router,
            profiles={line.number: line.profile for line in self._settings.texted_lines},
            clock=self._reactor,
            in_thread=self._workers.in_writer,
            recover=self._upkeep.recover_again,
            smsc_of={bind.name: bind.smsc for bind in binds}
            | {panel.name: panel.name for panel in self._settings.panels},
            blocked_errors={bind.name: bind.blocked_errors for bind in binds} | {**blocked_states},
            max_waiting=self._settings.daemon.max_waiting,
            on_bound=self._peers.beat,
            on_queued=self._claim,
            on_settled=lambda: self._claims.refill(),  # noqa: PLW0108 - they are made later
            on_happened=lambda: self._scheduler.happened(),  # noqa: PLW0108
            is_claiming=lambda: self._claims.is_claiming,
            on_batch=self._tally.batch,
        )

    def _make_panels(self, file: Path) -> list[PanelService]:
        daemon = DaemonSide(
            self._inbound,
            self._reactor,
            self._reactor,
            self._workers.read,
            self._workers.transact,
            self._desk.keys.fingerprint,
            self._now,
            self._settle,
            self._panel_is_up,
            self._tally.submitted_to,
        )
        lines = self._settings.texted_lines
        shared = not self._database.is_sqlite
        panels = [
            make_panel(file, each, lines, daemon, shared=shared) for each in self._settings.panels
        ]
        for panel in panels:
            self._router.add(panel.sender)
        return panels

    def _panel_is_up(self) -> None:
        self._claim()
        self._peers.beat()

    def _claim(self) -> None:
        # The claims are made after the inbound side, which they ask about the database.
        self._claims.claim()

    def _make_pulse(self, started_at: int) -> Pulse:
        writer = Writer(self._node.number, started_at)
        return Pulse(
            self._vitals,
            Minutes(writer, self._inbound.counters, self._now),
            Doors(self._database, self._workers.in_reader, self._workers.in_writer),
            oldest_waiting=self._settings.alerts.oldest_waiting,
            now_ms=self._now,
        )

    def _make_monitor(self) -> Monitor | None:
        """Health and metrics over HTTP, where the settings have them."""
        if self._settings.monitoring is None:
            return None
        watched = Watched(
            self._vitals,
            self._inbound,
            self._production,
            self._tally,
            self._database,
            self._workers.read,
        )
        return Monitor(self._settings.monitoring, self._settings.web, watched, self._reactor)

    def _make_payments(self) -> PaymentService | None:
        if self._settings.web is None:
            return None

        with_whom = Collaborators(
            self._workers.transact,
            self._workers.read,
            self._desk.ids,
            self._minds,
            self._now,
            self._paid,
        )
        return PaymentService(self._settings, with_whom, self._reactor)

    def _make_web(self, file: Path, profiles: Mapping[str, Profile]) -> WebService | None:
        """The server, and everything that it serves."""
        web, payments = self._settings.web, self._payments
        if web is None or payments is None:
            return None
        mounted, most_body = payments.mounted, None
        if self._settings.desk.enabled:
            frame = Frame(self._make_means(profiles), PAGES)
            mounted["desk"], most_body = frame.resource, frame.most_body
        if self._monitor and self._settings.monitoring and self._settings.monitoring.is_on_web:
            mounted |= self._monitor.pages
        doors: dict[str, Any] = {page.settings.path: page for page in self._doors}
        for panel in self._panels:
            page = push_page(file, panel, behind_proxy=web.behind_proxy)
            if page:
                doors[panel.settings.push_path or ""] = page
        begin = "/desk/" if self._settings.desk.enabled else ""
        root = Root(payments.pages, mounted=mounted, doors=doors, begin=begin)
        return WebService(web, root, self._reactor, most_body)

    def _make_means(self, profiles: Mapping[str, Profile]) -> Means:
        return Means(
            settings=self._settings,
            transact=self._workers.transact,
            read=self._workers.read,
            database=self._database,
            in_report=self._workers.in_report,
            in_thread=self._workers.in_reader,
            ids=self._desk.ids,
            keys=self._desk.keys,
            minds=self._minds,
            profiles=profiles,
            now_ms=self._now,
            on_queued=self._claim,
            pulse=self._pulse,
            live=self._live,
            on_switched=self._pauses.tick,
            lifetime=self._settings.desk.lifetime,
            talkers=self._talkers,
        )

    def _paid(self) -> None:
        self._claim()
        self._scheduler.happened()

    def _make_own_messages(self, profiles: Mapping[str, Profile]) -> tuple[Production, Scheduler]:
        """What the utility sends by itself: of rows in bulk, of events, and when it is time."""
        doors = Doors(self._database, self._workers.in_reader, self._workers.in_writer)
        maker = Maker(self._desk.ids, Wordings(self._minds))
        production = Production(
            self._desk.node,
            doors,
            maker,
            sources_of(self._settings, profiles.values()),
            now_ms=self._now,
            on_queued=self._claim,
        )
        scheduler = Scheduler(
            doors,
            Leadership(self._database),
            Press(maker, TemplatesInUse()),
            now_ms=self._now,
            on_queued=self._claim,
            on_begun=production.tick,
            is_away=lambda: self._inbound.database_error,
        )
        return production, scheduler

    def _make_pushes(self) -> Pushes:
        ussd = [bind.name for bind in self._settings.binds if bind.ussd and bind.sends]
        binds_of = {
            line.number: [name for name in line.binds if name in ussd]
            for line in self._settings.dialled_lines
        }
        return Pushes(
            self._database, self._desk, self._inbound, self._workers.in_writer, binds_of, self._now
        )

    def _make_doors(self) -> list[DoorPage]:
        web = self._settings.web
        return [
            DoorPage(
                door, self._inbound, self._reactor, behind_proxy=bool(web and web.behind_proxy)
            )
            for door in self._settings.ussd_doors
        ]

    def _make_pauses(self) -> Pauses:
        """What people pause: of this daemon, its binds and its USSD doors."""
        switches: dict[str, Switch] = {}
        for bind in self._smpp:
            name = bind.settings.name
            sender = self._router.senders.get(name)
            own = sender if isinstance(sender, Sender) else None
            switches[service_name(BIND, name)] = BindSwitch(bind, own, self._reactor)
        for panel in self._panels:
            switches[service_name(PANEL, panel.settings.name)] = PanelSwitch(panel)
        for page in self._doors:
            switches[service_name(DOOR, page.settings.name)] = DoorSwitch(page.door)
        doors = Doors(self._database, self._workers.in_reader, self._workers.in_writer)
        return Pauses(doors, switches, self._database.read("services", paused_now))

    def _make_watch(self) -> Watch:
        """Who tells the administrator of trouble."""
        settings = self._settings.alerts
        ways: list[Way] = []
        if settings.mobiles and settings.line:
            binds = next(
                each.binds for each in self._settings.lines if each.number == settings.line
            )
            every = self._router.senders.items()
            senders = {name: each for name, each in every if isinstance(each, Sender)}
            cut = self._minds[settings.line].parts
            ways.append(SmsWay(settings, senders, binds, cut, self._desk.ids.take))
        if settings.email:
            in_thread = partial(deferToThreadPool, self._reactor, self._reactor.getThreadPool())
            ways.append(EmailWay(settings.email, in_thread))
        if settings.webhook:
            ways.append(WebhookWay(settings.webhook, self._reactor, self._now))
        return Watch(
            settings,
            self._vitals.snapshot,
            Doors(self._database, self._workers.in_reader, self._workers.in_writer),
            Book(self._desk.node, self._desk.ids.one, settings.calm),
            ways=ways,
            clock=self._reactor,
        )

    # --- running --------------------------------------------------------------------

    def startService(self) -> None:
        """Start threads, clocks, the control door and the binds."""
        self._workers.start()
        control = ControlServer(
            self._reactor,
            self._settings.daemon.control,
            self._orders().by_name,
        )
        control.setServiceParent(self)  # type: ignore[no-untyped-call]
        if self._payments:
            self._payments.setServiceParent(self)  # type: ignore[no-untyped-call]
        if self._web:
            self._web.setServiceParent(self)  # type: ignore[no-untyped-call]
        if self._monitor:
            self._monitor.setServiceParent(self)  # type: ignore[no-untyped-call]
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
        self._rounds.every(COUNT_SECONDS, self._pulse.store)
        self._pauses.start()
        self._scheduler.tick()
        self._watchdog.startService()
        log.info("daemon.started", version=self._version, node=self._desk.node)

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Take nothing more, settle what is under way, unbind, and let the database go."""
        log.info("daemon.stopping")
        self._watchdog.stopService()
        self._rounds.stop()
        self._pauses.stop()
        self._live.stop()
        for panel in self._panels:
            # What it has handed over is stored first: it may not hand it over again.
            yield panel.stopService()
        self._inbound.stop()
        yield self._retention.stop()
        yield self._production.stop()
        yield self._scheduler.stop()
        yield self._watch.stop()
        deadline = self._reactor.seconds() + self._settings.daemon.stop_timeout
        while self._reactor.seconds() < deadline and not self._is_settled():
            yield deferLater(self._reactor, 0.02)
        for page in self._doors:
            page.door.close()
        for bind in self._smpp:
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
        self._node.release()
        self._database.close()
        log.info("daemon.stopped", **left)

    def _is_settled(self) -> bool:
        senders = self._router.senders.values()
        return self._inbound.is_idle and not any(s.status().in_flight for s in senders)

    def _orders(self) -> Orders:
        return Orders(
            vitals=self._vitals,
            pauses=self._pauses,
            scheduler=self._scheduler,
            production=self._production,
            pushes=self._pushes,
            payments=self._payments,
            watch=self._watch,
            claim=self._claim,
            new_id=self._desk.ids.one,
            now_ms=self._now,
            reactor=self._reactor,
        )

    def _may_put_away(self) -> bool:
        """One of several daemons does it: the one that keeps the schedules."""
        return self._scheduler.status.leads and not self._inbound.database_error

    def _end(self) -> None:
        """Another daemon goes by our number: a new process gets one of its own."""
        self.failure = NodeTaken(f"another daemon took node {self._node.number} meanwhile")
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
