"""A bind on a transport in memory and a clock that is moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.bind import SmppBind
from gateway.smpp.pdus import Pdu, ShortMessage
from gateway.smpp.settings import BindSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.messages import Connection, Delivery, SendResult
    from gateway.smpp.esme import EsmeProtocol


class Transport:
    """A transport in memory that counts writes and remembers what it was told."""

    def __init__(self) -> None:
        self.writes = 0
        self.written = b""
        self.disconnecting = False
        self.aborted = False
        self.producerState = "producing"

    def write(self, data: bytes) -> None:
        """Count and keep."""
        self.writes += 1
        self.written += data

    def loseConnection(self) -> None:
        """Remember."""
        self.disconnecting = True

    def abortConnection(self) -> None:  # noqa: N802
        """Remember."""
        self.aborted = True

    def pauseProducing(self) -> None:
        """Remember."""
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        """Remember."""
        self.producerState = "producing"

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data, self.written, self.writes = self.written, b"", 0
        return data


class Listener:
    """A ``BindListener`` that remembers every call in its order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def bound(self, bind: str, connection: Connection) -> None:
        """Remember."""
        self.calls.append(("bound", connection))

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Remember."""
        self.calls.append(("arrived", list(deliveries)))

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember."""
        self.calls.append(("sent", list(results)))

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember."""
        self.calls.append(("shown", list(results)))

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Remember."""
        self.calls.append(("lost", reason))

    def take(self) -> list[tuple[str, Any]]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls


class Wire:
    """An endpoint whose connections are made, refused and cut by the test."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.attempts: list[tuple[Any, Deferred[Any]]] = []
        self.transport = Transport()
        self.protocol: EsmeProtocol

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        """Remember the attempt."""
        attempt: Deferred[Any] = Deferred()
        self.attempts.append((protocolFactory, attempt))
        return attempt

    def open(self) -> None:
        """Make the last connection that was asked for."""
        factory, attempt = self.attempts[-1]
        self.transport = Transport()
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]
        attempt.callback(self.protocol)

    def refuse(self) -> None:
        """Refuse the last connection that was asked for."""
        self.attempts[-1][1].errback(Failure(ConnectError(string="refused")))

    def cut(self) -> None:
        """End the connection."""
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def answer_bind(self, status: int = 0) -> None:
        """Answer the bind that was asked for."""
        (asked,) = pdus(self.transport.take())
        fields = {} if status else {"system_id": "smsc"}
        self.send(Pdu(asked.command | c.RESPONSE, status, asked.sequence, fields))

    def send(self, *made: Pdu | ShortMessage) -> None:
        """Send PDUs to the bind, in one read."""
        self.protocol.dataReceived(b"".join(map(codec.encode, made)))


def pdus(data: bytes) -> list[Pdu | ShortMessage]:
    """Read all PDUs in what was written."""
    found, at = [], 0
    while at < len(data):
        end = at + codec.read_header(data, at)[0]
        found.append(codec.decode(data, at, end))
        at = end
    return found


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


@pytest.fixture
def listener() -> Listener:
    """A listener that remembers."""
    return Listener()


@pytest.fixture
def wire(clock: Clock) -> Wire:
    """An endpoint in the test's hands."""
    return Wire(clock)


@pytest.fixture
def bind(clock: Clock, listener: Listener, wire: Wire) -> SmppBind:
    """A bind on that endpoint, not started."""
    settings = BindSettings(
        name="mci",
        host="smsc",
        system_id="peyk",
        password="secret",
        window=2,
        backoff_first=1,
        backoff_longest=8,
        enquire_link=30,
        response_timeout=10,
        unbind_timeout=3,
    )
    return SmppBind(settings, listener, clock, endpoint=wire, jitter=lambda: 1.0)


@pytest.fixture
def bound(bind: SmppBind, wire: Wire) -> SmppBind:
    """The bind, bound."""
    bind.startService()
    wire.open()
    wire.answer_bind()
    return bind
