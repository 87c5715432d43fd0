"""The simulated operator's end of one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.protocol import connectionDone

from gateway.smpp import constants as c
from gateway.smpp.protocol import SessionProtocol
from gateway.smpp.settings import Mode
from gateway.smpp.states import BindRequested, Ended, Event, SessionSettings, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.python.failure import Failure

    from gateway.smpp.handsets import Faults, MobileText
    from gateway.smpp.pdus import ShortMessage
    from gateway.smpp.states import Answer, Batch
    from gateway.smpp.typing_views import Clock


class Operator(Protocol):
    """Who holds the connections."""

    clock: Clock
    faults: Faults

    def on_bind_requested(self, session: SmscSession, event: BindRequested) -> None:
        """An ESME asks to be bound."""

    def on_submits(self, session: SmscSession, messages: Sequence[ShortMessage]) -> None:
        """All submit_sm of one read."""

    def on_answers(self, session: SmscSession, answers: Sequence[Answer]) -> None:
        """What became of deliver_sm."""

    def on_ended(self, session: SmscSession, reason: str) -> None:
        """The session ended; its connection follows."""

    def on_lost(self, session: SmscSession) -> None:
        """The connection is gone."""


class SmscSession(SessionProtocol):
    """The operator's end of one connection."""

    def __init__(self, smsc: Operator, settings: SessionSettings, number: int) -> None:
        super().__init__(settings, smsc.clock)
        self.number = number
        self.system_id = ""
        self._smsc = smsc

    @property
    def receives(self) -> bool:
        """Whether texts can be delivered here."""
        return self.session.state is State.BOUND and self.session.mode is not Mode.TRANSMITTER

    def dataReceived(self, data: bytes) -> None:
        """Give what was read to the session, unless the operator plays dead."""
        if not self._smsc.faults.silent:
            super().dataReceived(data)

    def on_event(self, event: Event) -> None:
        """Take or refuse a bind."""
        if isinstance(event, BindRequested):
            self._smsc.on_bind_requested(self, event)
        elif isinstance(event, Ended):
            self._smsc.on_ended(self, event.reason)

    def on_messages(self, batch: Batch) -> None:
        """Submits first, so that their responses and new texts go out in order."""
        if batch.requests:
            self._smsc.on_submits(self, batch.requests)
        if batch.answers:
            self._smsc.on_answers(self, batch.answers)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Whatever was on the wire goes back to its queue."""
        super().connectionLost(reason)
        self._smsc.on_lost(self)

    def send(self, texts: Sequence[MobileText]) -> None:
        """Write deliver_sm for each, in one write."""
        items = [(mobile_text.id, mobile_text.body) for mobile_text in texts]
        self.write(self.session.send(c.DELIVER_SM, items, self.clock.seconds()))
        self.arm()
