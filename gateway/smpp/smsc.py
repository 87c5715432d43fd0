"""A simulated operator: a real SMPP 3.4 server with subscribers' handsets behind it.

What a real SMSC does and a fixture does not: it keeps every text until an ESME has
answered for it, and delivers it again, the same bytes, on the next connection or after
a while. Each text to an ESME is in exactly one place: waiting in its line's queue,
on the wire (``_flying``), or put aside until its next attempt (a delayed call).
"""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory

from gateway.smpp import constants as c
from gateway.smpp.handsets import (
    Faults,
    Message,
    MobileText,
    SmscSettings,
    Submit,
    Totals,
    receipt_body,
    text_bodies,
)
from gateway.smpp.settings import Mode
from gateway.smpp.smsc_network import ANY_LINE, MobileNetwork
from gateway.smpp.smsc_session import SmscSession
from gateway.smpp.smsc_ussd import UssdNetwork
from gateway.smpp.states import (
    NEVER_WRITTEN,
    BindRequested,
    Role,
    SessionSettings,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.smpp.pdus import ShortMessage
    from gateway.smpp.states import Answer
    from gateway.smpp.typing_views import DelayedCall

_log = structlog.get_logger()
_UNLIMITED: Final = 1 << 30
_CHUNK: Final = 1000
_TEMPORARY: Final = frozenset({c.RSYSERR, c.RMSGQFUL, c.RTHROTTLED, c.RX_T_APPN, c.RINVBNDSTS})


class Bound(NamedTuple):
    """One connection that is bound, as ``SimulatedSmsc.bound`` tells it."""

    connection: int
    system_id: str
    mode: Mode
    in_flight: int


class SimulatedSmsc:
    """One operator. ``clock`` is the reactor, or a ``Clock`` in tests.

    ``on_message(message)`` is called for every whole message that reaches a mobile, and
    ``on_submit(submit)`` for every submit_sm; both may be set at any time.
    """

    def __init__(self, settings: SmscSettings | None = None, clock: Any = None) -> None:
        if clock is None:
            from twisted.internet import reactor as clock  # noqa: PLC0415 - installs one
        self.settings = settings or SmscSettings()
        self.clock = clock
        self.faults = Faults()
        self.totals = Totals()
        self.on_message: Callable[[Message], None] | None = None
        self.on_submit: Callable[[Submit], None] | None = None
        self.texts: deque[MobileText] = deque(maxlen=self.settings.record)
        self.submits: deque[Submit] = deque(maxlen=self.settings.record)
        self.messages: deque[Message] = deque(maxlen=self.settings.record)
        self._sessions: list[SmscSession] = []
        self._queues: dict[str, deque[MobileText]] = {}
        self._flying: dict[int, MobileText] = {}
        self._later: set[DelayedCall] = set()
        self.ussd = UssdNetwork(
            self.settings.ussd, clock, self._deliver_ussd, timeout=self.settings.ussd_timeout
        )
        self._network = MobileNetwork(
            self.settings,
            self.faults,
            self.totals,
            submitted=self._submitted,
            reached=self._reached,
            ussd=self.ussd,
        )
        self._watchers: dict[tuple[str, str], list[Callable[[Message], None]]] = {}
        self._ids = count(1)
        self._connections = count(1)
        self._references = count(1)
        self._ports: list[Any] = []
        self._closing: list[Deferred[None]] = []

    # --- the network ---------------------------------------------------------------

    def factory(self) -> Factory:
        """Return a factory of connections, for any server endpoint."""
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _address: self.connection()  # type: ignore[assignment, method-assign]
        return factory

    def connection(self) -> SmscSession:
        """Return the operator's end of a new connection."""
        settings = self.settings
        session = SmscSession(
            self,
            SessionSettings(
                role=Role.SMSC,
                window=settings.window or _UNLIMITED,
                bind_timeout=settings.bind_timeout,
                response_timeout=settings.response_timeout,
                enquire_link=settings.enquire_link,
            ),
            next(self._connections),
        )
        self._sessions.append(session)
        return session

    def listen(self, endpoint: Any = None, *, port: int = 0) -> Deferred[int]:
        """Listen on an endpoint, or on a loopback TCP port (0: any); return the port."""
        endpoint = endpoint or TCP4ServerEndpoint(self.clock, port, interface="127.0.0.1")
        listening: Deferred[Any] = endpoint.listen(self.factory())

        def started(listener: Any) -> int:
            self._ports.append(listener)
            return int(getattr(listener.getHost(), "port", 0))

        return listening.addCallback(started)

    def stop_listening(self) -> Deferred[Any]:
        """Take no more connections; those that are stay."""
        ports, self._ports = self._ports, []
        stopping = [port.stopListening() for port in ports]
        return gatherResults([found for found in stopping if found is not None])

    def disconnect(self) -> None:
        """Cut every connection at once."""
        for session in list(self._sessions):
            session.abort()

    def stop(self) -> Deferred[Any]:
        """Stop listening and cut every connection; fires once all of that is done."""
        for call in list(self._later):
            call.cancel()
        self._later.clear()
        self.ussd.stop()
        done: list[Deferred[Any]] = [self.stop_listening()]
        if any(session.connected for session in self._sessions):
            closed: Deferred[None] = Deferred()
            self._closing.append(closed)
            done.append(closed)
            self.disconnect()
        return gatherResults(done)

    # --- what can be asked ---------------------------------------------------------

    @property
    def bound(self) -> list[Bound]:
        """The connections that are bound."""
        return [
            Bound(
                found.number, found.system_id, found.session.mode, found.session.outgoing.in_flight
            )
            for found in self._sessions
            if found.session.state is State.BOUND
        ]

    @property
    def waiting(self) -> int:
        """How many texts and receipts no ESME has answered for yet."""
        return sum(map(len, self._queues.values())) + len(self._flying) + len(self._later)

    def serves(self, session: SmscSession, line: str) -> bool:
        """Whether a connection's account holds a line."""
        lines = self.settings.lines.get(session.system_id)
        return lines is None or line in lines

    def has_esme(self, line: str) -> bool:
        """Whether a text to that line would be delivered now."""
        return any(found.receives and self.serves(found, line) for found in self._sessions)

    # --- from mobiles --------------------------------------------------------------

    def send_text(self, mobile: str, line: str, message: str) -> list[MobileText]:
        """Send a text from a mobile to a line; return what was queued, a part each.

        It is kept until an ESME for the line is bound. Raises ``Unencodable`` for an
        address that is none and ``TooLongError`` for a text that is too long.
        """
        bodies = text_bodies(self.settings, mobile, line, message, next(self._references))
        made = [MobileText(next(self._ids), mobile, line, body) for body in bodies]
        self.totals.texts += 1
        self.send_bodies(made)
        return made

    def send_bodies(self, texts: Sequence[MobileText]) -> None:
        """Queue PDUs that are made already; those of one line stay in their order."""
        for made in texts:
            self.texts.append(made)
            self._queue(made.line).append(made)
        self.pump()

    def _deliver_ussd(self, mobile: str, code: str, body: bytes) -> None:
        self.send_bodies([MobileText(next(self._ids), mobile, code, body)])

    def next_id(self) -> int:
        """Return an id for a ``MobileText`` of one's own making."""
        return next(self._ids)

    def _queue(self, line: str) -> deque[MobileText]:
        queue = self._queues.get(line)
        if queue is None:
            queue = self._queues[line] = deque()
        return queue

    def pump(self) -> None:
        """Deliver what waits, as far as the windows go."""
        for session in self._sessions:
            if session.receives:
                self._pump(session)

    def _pump(self, session: SmscSession) -> None:
        for line, queue in self._queues.items():
            if not queue or not self.serves(session, line):
                continue
            room = min(session.session.outgoing.free_window, len(queue), _CHUNK)
            if room <= 0:
                continue
            going = [queue.popleft() for _ in range(room)]
            for mobile_text in going:
                self._flying[mobile_text.id] = mobile_text
                if mobile_text.attempts:
                    self.totals.redelivered += 1
                mobile_text.attempts += 1
                mobile_text.connections.append(session.number)
            self.totals.delivered += len(going)
            session.send(going)

    def on_answers(self, session: SmscSession, answers: Sequence[Answer]) -> None:
        """Forget what was taken, keep what was not."""
        again: list[MobileText] = []
        for answer in answers:
            mobile_text = self._flying.pop(answer.token)
            status = answer.status
            if status == c.ROK:
                mobile_text.status = status
                self.totals.acknowledged += 1
            elif status in _TEMPORARY:
                mobile_text.status = status
                self.totals.refused_for_now += 1
                self._put_aside(mobile_text)
            elif status >= 0:
                mobile_text.status = status
                self.totals.refused += 1
            elif session.connected and status != NEVER_WRITTEN:
                self._put_aside(mobile_text)
            else:
                again.append(mobile_text)
        for mobile_text in reversed(again):
            self._queue(mobile_text.line).appendleft(mobile_text)
        self._count(session, len(answers))
        self.pump()

    def _put_aside(self, mobile_text: MobileText) -> None:
        self._call_later(self.settings.redeliver_after, self._redeliver, mobile_text)

    def _redeliver(self, mobile_text: MobileText) -> None:
        self._queue(mobile_text.line).append(mobile_text)
        self.pump()

    def _call_later(self, delay: float, function: Callable[..., None], *arguments: Any) -> None:
        def run() -> None:
            self._later.discard(call)
            function(*arguments)

        call: DelayedCall = self.clock.callLater(delay, run)
        self._later.add(call)

    # --- to mobiles ----------------------------------------------------------------

    def on_submits(self, session: SmscSession, messages: Sequence[ShortMessage]) -> None:
        """Answer every submit_sm of one read in one write, then see to the receipts."""
        taken = self._network.take(session.number, messages, self.clock.seconds())
        if self.faults.delay:
            self._call_later(self.faults.delay, self._answer, session, taken.answers)
        else:
            self._answer(session, taken.answers)
        if taken.receipts:
            self._call_later(self.settings.receipt_delay, self._send_receipts, taken.receipts)
        self._count(session, len(messages))

    def _answer(self, session: SmscSession, answers: Sequence[tuple[int, int, str]]) -> None:
        if answers and session.is_open:
            session.write(session.session.answer(answers))

    def _submitted(self, submit: Submit) -> None:
        self.submits.append(submit)
        if self.on_submit is not None:
            self.on_submit(submit)

    def _reached(self, message: Message) -> None:
        self.messages.append(message)
        if self.on_message is not None:
            self.on_message(message)
        if self._watchers:
            for line in (message.line, ANY_LINE):
                for watcher in self._watchers.get((message.mobile, line), [])[:]:
                    watcher(message)

    def watch(self, mobile: str, line: str, watcher: Callable[[Message], None]) -> None:
        """Tell ``watcher`` of every whole message from ``line`` (or ``ANY_LINE``) to ``mobile``."""
        self._watchers.setdefault((mobile, line), []).append(watcher)

    def unwatch(self, mobile: str, line: str, watcher: Callable[[Message], None]) -> None:
        """Tell it no more."""
        watchers = self._watchers.get((mobile, line), [])
        if watcher in watchers:
            watchers.remove(watcher)
        if not watchers:
            self._watchers.pop((mobile, line), None)

    def _send_receipts(self, receipts: Sequence[tuple[Submit, str]]) -> None:
        now = self.clock.seconds()
        self.totals.receipts += len(receipts)
        made = []
        for submit, receipt_id in receipts:
            body = receipt_body(self.settings, submit, receipt_id, now)
            made.append(MobileText(next(self._ids), submit.mobile, submit.line, body, receipt=True))
        self.send_bodies(made)

    # --- binds ---------------------------------------------------------------------

    def on_bind_requested(self, session: SmscSession, event: BindRequested) -> None:
        """Take a bind with the right account, refuse every other."""
        status = self._bind_status(event)
        if status:
            self.totals.binds_refused += 1
            session.write(session.session.reject(status))
            session.close()
            return
        self.totals.binds += 1
        session.system_id = event.system_id
        session.write(session.session.accept("peyk-smsc"))
        _log.info("smsc.bound", connection=session.number, mode=event.mode.value)
        self.pump()

    def _bind_status(self, event: BindRequested) -> int:
        if self.faults.refuse_binds > 0:
            self.faults.refuse_binds -= 1
            return c.RBINDFAIL
        if self.settings.system_id and event.system_id != self.settings.system_id:
            return c.RINVSYSID
        if self.settings.password and event.password != self.settings.password:
            return c.RINVPASWD
        return c.ROK

    def on_ended(self, session: SmscSession, reason: str) -> None:
        """A session ended in an orderly way; its connection follows."""
        _log.info("smsc.ended", connection=session.number, reason=reason)

    def on_lost(self, session: SmscSession) -> None:
        """A connection is gone."""
        self.totals.connections_lost += 1
        if session in self._sessions:
            self._sessions.remove(session)
        if not self._sessions:
            closing, self._closing = self._closing, []
            for waiter in closing:
                waiter.callback(None)
        self.pump()

    def _count(self, session: SmscSession, messages: int) -> None:
        if self.faults.close_after is None or not session.connected:
            return
        self.faults.close_after -= messages
        if self.faults.close_after <= 0:
            self.faults.close_after = None
            session.abort()
