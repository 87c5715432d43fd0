"""A session on a Twisted transport, for either end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.protocol import Protocol, connectionDone

from gateway.smpp.session import Session
from gateway.smpp.states import Ended, SessionSettings, State

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from gateway.smpp.states import Batch, Event
    from gateway.smpp.typing_views import Clock, DelayedCall, Transport


def in_words(failure: Failure) -> str:
    """Return why a connection ended, for an operator to read."""
    error = failure.value
    if isinstance(error, VerificationError):
        return "the certificate is not for this name"
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        # pyOpenSSL's errors are lists of (library, function, reason).
        return f"TLS: {error.args[0][0][-1]}"
    return str(failure.getErrorMessage())


class SessionProtocol(Protocol):
    """Reads, writes and keeps time for a ``Session``; one write per call.

    A subclass says what happens with what came: ``on_event`` and ``on_messages``.
    """

    transport: Transport | None  # type: ignore[assignment]

    def __init__(self, settings: SessionSettings, clock: Clock) -> None:
        self.clock: Final = clock
        self.session = Session(settings, clock.seconds())
        self.end_reason = ""
        self._alarm: DelayedCall | None = None
        self._alarm_at = 0.0
        self._abort: DelayedCall | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return self.session.state is not State.CLOSED

    def on_event(self, event: Event) -> None:
        """A change of the session's state."""

    def on_messages(self, batch: Batch) -> None:
        """Messages that came, or answers to messages of ours."""

    def connectionMade(self) -> None:
        """Start the clock."""
        self._arm()

    def dataReceived(self, data: bytes) -> None:
        """Give all that was read to the session at once."""
        self.handle(self.session.receive(data, self.clock.seconds()))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Answer for all that is still open, as not known."""
        for call in (self._alarm, self._abort):
            if call is not None and call.active():
                call.cancel()
        self._alarm = self._abort = None
        self.connected = 0  # Twisted leaves it as it was
        self.end_reason = self.end_reason or f"connection lost: {in_words(reason)}"
        batch = self.session.close()
        if batch.answers:
            self.on_messages(batch)

    def handle(self, batch: Batch) -> None:
        """Write, then tell. What opens the session is told before its messages."""
        if batch.reply:
            self.write(batch.reply)
        endings = []
        for event in batch.events:
            if isinstance(event, Ended):
                endings.append(event)
            else:
                self.on_event(event)
        if batch.requests or batch.answers:
            self.on_messages(batch)
        for ending in endings:
            self._ended(ending)
        self._arm()

    def write(self, data: bytes) -> None:
        """Write to the network, if it is there."""
        if data and self.transport is not None:
            self.transport.write(data)

    def _ended(self, event: Ended) -> None:
        self.end_reason = event.reason
        self.on_event(event)
        self.close()

    def close(self) -> None:
        """Close the connection once what was written is out, and soon in any case."""
        if self.transport is None:
            return
        self.transport.loseConnection()
        if self._abort is None and self.connected:
            patience = self.session.settings.unbind_timeout
            self._abort = self.clock.callLater(patience, self.abort)

    def abort(self) -> None:
        """Close the connection at once."""
        if self.transport is not None:
            self.transport.abortConnection()

    def arm(self) -> None:
        """Look again when the session has to be woken."""
        self._arm()

    def _arm(self) -> None:
        deadline = self.session.next_deadline
        alarm = self._alarm
        if deadline is None:
            return
        if alarm is not None and alarm.active():
            # One that goes off too early costs less than moving it for every message.
            if self._alarm_at <= deadline:
                return
            alarm.cancel()
        self._alarm_at = deadline
        delay = max(0.0, deadline - self.clock.seconds())
        self._alarm = self.clock.callLater(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.handle(self.session.tick(self.clock.seconds()))
