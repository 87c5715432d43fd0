"""The composition root: settings → a daemon that runs.

Everything is made here and handed to what needs it; nothing else knows how the parts are
put together.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from core.batch import Desk, Done
from core.database import Database, DatabaseUnavailable
from core.ids import IdMaker
from core.inbox import Part
from core.node import Node
from core.operations import REGISTRY
from core.outbox import Outgoing, Sent
from core.recovery import InHand, recover_after_outage, recover_after_start, tidy
from core.schema import SchemaError, is_current
from core.secrecy import Keys
from core.sending import Depths, claim_for_each, depths
from gateway.configuration import ConfigError
from gateway.control import ControlError, ControlServer
from gateway.health import BindHealth, DatabaseHealth, QueueHealth, Snapshot, assess, to_json
from gateway.inbound import Inbound
from gateway.minds import LineMind
from gateway.outbound import Router, Sender, SenderSettings
from gateway.payment_service import Collaborators, PaymentService, with_payments
from gateway.profiles import Profile, load_profile
from gateway.settings import Bind, Line, Settings
from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindState, LongMessages
from gateway.smpp.text import Alphabet, decode

log = structlog.get_logger(__name__)
R = TypeVar("R")

CLAIM_SECONDS = 1.0
FLUSH_SECONDS = 5.0
TIDY_SECONDS = 60.0


def load_profiles(file: Path, settings: Settings) -> dict[str, Profile]:
    """Every profile that a line uses, by name. Raises ``ConfigError``."""
    names = {line.profile for line in settings.lines}
    if not names:
        raise ConfigError(file, "lines", "there is no line to answer on", "add one under [[lines]]")
    return {name: load_profile(settings.profile_folder(name), REGISTRY) for name in sorted(names)}


def mind_of(line: Line, profile: Profile, binds: Mapping[str, Bind]) -> LineMind:
    """A line's profile, with replies cut so that they fit whichever of its binds takes them."""
    own = [binds[name] for name in line.binds if binds[name].sends]
    alphabets = {Alphabet.UCS2 if bind.always_ucs2 else bind.alphabet for bind in own}
    ways = {bind.long_messages for bind in own}
    return LineMind(
        profile,
        alphabets.pop() if len(alphabets) == 1 else Alphabet.UCS2,
        8 if ways == {LongMessages.UDH8} else 16,
        whole=ways == {LongMessages.PAYLOAD},
    )


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
        self._started_at = self._now()
        self._binds = {bind.name: bind for bind in settings.binds}
        profiles = load_profiles(file, settings)
        self._database = Database(settings.database_url)
        if not is_current(self._database):
            raise SchemaError(
                f"the tables of {self._database.name} are of an older version; run `peyk init`"
            )
        self._node = Node(self._database)
        self._desk = self._make_desk(with_payments(profiles, settings))
        self._recover()
        self._writer = ThreadPool(1, 1, "database")
        self._readers = ThreadPool(0, 2, "reads")
        self._router = self._make_router()
        self._inbound = self._make_inbound()
        self._smpp = [SmppBind(bind.for_smpp(), self._inbound, reactor) for bind in settings.binds]
        self._payments = self._make_payments()
        self._loops: list[LoopingCall] = []
        self._is_claiming = False
        self._claim_again = False

    def _now(self) -> int:
        return int(self._reactor.seconds() * 1000)

    # --- making ---------------------------------------------------------------------

    def _make_desk(self, profiles: Mapping[str, Profile]) -> Desk:
        minds = {
            line.number: mind_of(line, profiles[line.profile], self._binds)
            for line in self._settings.lines
        }

        def join(bind: str, parts: Sequence[Part]) -> str:
            payload = b"".join(part.payload for part in parts)
            alphabet = self._binds[bind].alphabet if bind in self._binds else Alphabet.GSM7
            return decode(payload, parts[0].data_coding, alphabet)

        self._minds = minds
        return Desk(
            node=self._node.number,
            ids=IdMaker(self._node.number, self._now),
            keys=Keys(self._settings.daemon.key_bytes),
            minds=minds,
            join=join,
        )

    def _make_router(self) -> Router:
        senders = {
            bind.name: Sender(
                SenderSettings(bind.name, bind.smsc, bind.window, bind.rate, bind.receipts),
                self._reactor,
                self._settle,
            )
            for bind in self._settings.binds
            if bind.sends
        }
        return Router(senders, {line.number: line.binds for line in self._settings.lines})

    def _settle(self, bind: str, sent: Sequence[Sent]) -> None:
        # The inbound side is made after the senders that report to it.
        self._inbound.settle(bind, sent)

    def _make_inbound(self) -> Inbound:
        return Inbound(
            self._database,
            self._desk,
            self._router,
            profiles={line.number: line.profile for line in self._settings.lines},
            clock=self._reactor,
            in_thread=self._in_thread,
            recover=self._recover_again,
            smsc_of={bind.name: bind.smsc for bind in self._settings.binds},
            max_waiting=self._settings.daemon.max_waiting,
            on_queued=self._claim,
            is_claiming=lambda: self._is_claiming,
        )

    def _make_payments(self) -> PaymentService | None:
        if self._settings.web is None:
            return None

        def transact(name: str, function: Callable[..., R], *arguments: Any) -> Deferred[R]:
            return self._in_thread(self._database.transact, name, function, *arguments)

        def read(name: str, function: Callable[..., R], *arguments: Any) -> Deferred[R]:
            run = self._database.read
            return deferToThreadPool(self._reactor, self._readers, run, name, function, *arguments)

        with_whom = Collaborators(
            transact, read, self._desk.ids, self._minds, self._now, self._claim
        )
        return PaymentService(self._settings, with_whom, self._reactor)

    def _recover(self) -> None:
        suspects, messages = self._database.transact(
            "recover", recover_after_start, self._desk, self._now()
        )
        if suspects or messages:
            log.warning("daemon.recovered", suspects=suspects, unsettled_messages=messages)

    def _recover_again(self, in_hand: InHand, now: int) -> None:
        """After an outage: the node's lock may have gone with the database's connection."""
        self._node.hold()
        self._database.transact("recover", recover_after_outage, self._desk.node, in_hand, now)

    # --- running --------------------------------------------------------------------

    def _in_thread(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run on the one thread that writes to the database."""
        return deferToThreadPool(self._reactor, self._writer, function, *args)

    def startService(self) -> None:
        """Start threads, clocks, the control door and the binds."""
        self._writer.start()
        self._readers.start()
        control = ControlServer(
            self._reactor,
            self._settings.daemon.control,
            {
                "health": self._health,
                "wake": self._wake,
                "stop": self._stop,
                "reconcile_payments": self._reconcile_payments,
            },
        )
        control.setServiceParent(self)  # type: ignore[no-untyped-call]
        if self._payments:
            self._payments.setServiceParent(self)  # type: ignore[no-untyped-call]
        super().startService()  # type: ignore[no-untyped-call]
        self._every(CLAIM_SECONDS, self._claim)
        self._every(FLUSH_SECONDS, self._inbound.flush)
        self._every(TIDY_SECONDS, self._tidy)
        for bind in self._smpp:
            bind.startService()
        log.info("daemon.started", version=self._version, node=self._desk.node)

    def _every(self, seconds: float, function: Callable[[], object]) -> None:
        loop = LoopingCall(function)
        loop.clock = self._reactor
        loop.start(seconds, now=False).addErrback(_log_failure, "daemon.loop_failed")
        self._loops.append(loop)

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Take nothing more, settle what is under way, unbind, and let the database go."""
        log.info("daemon.stopping")
        for loop in self._loops:
            loop.stop()
        self._inbound.stop()
        deadline = self._reactor.seconds() + self._settings.daemon.stop_timeout
        while self._reactor.seconds() < deadline and not self._is_settled():
            yield deferLater(self._reactor, 0.02)
        for bind in self._smpp:
            yield bind.stopService()
        while self._reactor.seconds() < deadline and not self._inbound.is_idle:
            yield deferLater(self._reactor, 0.02)
        yield super().stopService()  # type: ignore[no-untyped-call]
        for sender in self._router.senders.values():
            sender.stop()
        left = yield deferToThreadPool(self._reactor, self._readers, self._left)
        self._writer.stop()
        self._readers.stop()
        self._node.release()
        self._database.close()
        log.info("daemon.stopped", **left)

    def _left(self) -> dict[str, Any]:
        """What the next start will go on with, for the last line of the log."""
        try:
            found = self._database.read("left", depths, self._now())
        except DatabaseUnavailable as error:
            return {"left": "not known", "error": str(error)}
        return {"left_to_send": found.waiting, "left_uncertain": found.sending}

    def _is_settled(self) -> bool:
        senders = self._router.senders.values()
        return self._inbound.is_idle and not any(s.status().in_flight for s in senders)

    # --- the outbox's clock -----------------------------------------------------------

    def _claim(self) -> None:
        """Fetch due messages for every bind that is up and has room."""
        if self._is_claiming:
            self._claim_again = True
            return
        if self._inbound.database_error or self._inbound.is_stopping:
            return
        wanted = [
            (bind, lines, self._router.senders[bind].room)
            for bind, lines in self._router.lines_of().items()
        ]
        wanted = [one for one in wanted if one[2]]
        if not wanted:
            return
        self._is_claiming, self._claim_again = True, False
        done = self._in_thread(
            self._database.transact, "claim", claim_for_each, self._desk.node, wanted, self._now()
        )
        done.addCallbacks(self._claimed, self._claim_failed)
        done.addErrback(_log_failure, "outbox.claim_failed")
        done.addBoth(self._claiming_ended)

    def _claim_failed(self, failure: Failure) -> None:
        # The commit may have taken effect; then nobody else knows of the rows.
        failure.trap(DatabaseUnavailable)
        self._inbound.unavailable(failure)

    def _claimed(self, found: Sequence[tuple[str, list[Outgoing]]]) -> None:
        for bind, rows in found:
            sender = self._router.senders[bind]
            sender.hand_over(rows)
            sender.pump()

    def _claiming_ended(self, _result: object) -> None:
        self._is_claiming = False
        if self._claim_again:
            self._claim()

    def _tidy(self) -> None:
        if self._inbound.database_error:
            return
        done: Deferred[Done] = self._in_thread(self._tidy_up, self._now())
        done.addCallbacks(self._tidied, _log_unavailable)
        done.addErrback(_log_failure, "database.tidy_failed")

    def _tidy_up(self, now: int) -> Done:
        # A server that was restarted while nothing happened has forgotten whose node it is.
        self._node.hold()
        return self._database.transact("tidy", tidy, self._desk, now)

    def _tidied(self, done: Done) -> None:
        if done.queued:
            self._claim()

    # --- the control door -------------------------------------------------------------

    def _wake(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        self._claim()
        return {}

    def _stop(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        self._reactor.callLater(0.05, self._reactor.stop)
        return {}

    def _reconcile_payments(self, _arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        if self._payments is None:
            raise ControlError("this daemon takes no payments: its settings have no [web] table")
        return self._payments.reconcile_now()

    def _health(self, _arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        done = deferToThreadPool(self._reactor, self._readers, self._look_at_database, self._now())
        return done.addBoth(self._assess)

    def _look_at_database(self, now: int) -> tuple[Depths, bool]:
        return self._database.read("health", depths, now), is_current(self._database)

    def _assess(self, seen: tuple[Depths, bool] | Failure) -> Mapping[str, Any]:
        error = self._inbound.database_error
        if isinstance(seen, Failure):
            error, seen = seen.getErrorMessage(), (Depths(0, 0, None), True)
        found, schema_current = seen
        now = self._now()
        oldest = (now - found.oldest_due_at) / 1000 if found.oldest_due_at else None
        snapshot = Snapshot(
            version=self._version,
            now=now,
            started_at=self._started_at,
            lines=tuple(line.number for line in self._settings.lines),
            binds=tuple(self._bind_health(bind) for bind in self._smpp),
            queues=QueueHealth(
                arrivals=self._inbound.waiting,
                reading_paused=self._inbound.is_paused,
                waiting=found.waiting,
                sending=found.sending,
                oldest_waiting_seconds=oldest,
            ),
            database=DatabaseHealth(
                name=self._database.name,
                reachable=not error,
                schema_current=schema_current,
                last_error=error,
            ),
        )
        return to_json(assess(snapshot, self._settings.alerts.oldest_waiting))

    def _bind_health(self, bind: SmppBind) -> BindHealth:
        status = bind.status()
        settings = self._binds[status.name]
        sender = self._router.senders.get(status.name)
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
            last_traffic=_ms(status.last_traffic),
            reconnects=status.reconnects,
            last_error=status.last_error,
            next_attempt=_ms(status.next_attempt),
        )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _log_failure(failure: Failure, event: str) -> None:
    log.critical(event, failure=failure.getTraceback())


def _log_unavailable(failure: Failure) -> None:
    failure.trap(DatabaseUnavailable)
    log.error("database.unavailable", error=failure.getErrorMessage())


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
    if failures:
        raise failures[0]
