"""Our end of a bind: a ``messages.Connection`` on a Twisted transport."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

import structlog
from twisted.internet.protocol import connectionDone

from gateway.messages import Delivery, SendResult, SendStatus
from gateway.smpp import constants as c
from gateway.smpp.content import Reader, Writer
from gateway.smpp.pdus import Unencodable
from gateway.smpp.protocol import SessionProtocol
from gateway.smpp.settings import Mode
from gateway.smpp.states import BindRefused, Bound, SessionSettings, State
from gateway.smpp.ussd import UssdWriter, is_ussd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.python.failure import Failure

    from gateway.messages import BindListener, OutboundSms, Screen, Temporary
    from gateway.smpp.pdus import ShortMessage
    from gateway.smpp.settings import BindSettings
    from gateway.smpp.states import Batch, Event
    from gateway.smpp.typing_views import Clock

_log = structlog.get_logger()
_connections = count(1)


class Owner(Protocol):
    """Who holds an ``EsmeProtocol``."""

    def on_connected(self, protocol: EsmeProtocol) -> None:
        """There is a connection and the bind was asked for."""

    def on_bound(self, protocol: EsmeProtocol) -> None:
        """The SMSC took the bind; the owner tells the listener."""

    def on_refused(self, protocol: EsmeProtocol, status: int) -> None:
        """The SMSC refused the bind; ``on_lost`` follows."""

    def on_lost(self, protocol: EsmeProtocol, reason: str) -> None:
        """The connection has ended."""


def session_settings(settings: BindSettings) -> SessionSettings:
    """Return what a session has to know of a bind's settings."""
    return SessionSettings(
        window=settings.window,
        bind_timeout=settings.bind_timeout,
        response_timeout=settings.response_timeout,
        enquire_link=settings.enquire_link,
        enquire_link_missed=settings.enquire_link_missed,
        unbind_timeout=settings.unbind_timeout,
    )


def _screen_token(number: int) -> int:
    """A screen's id as a token of the session and back: below 0, where no text's is."""
    return ~number


class EsmeProtocol(SessionProtocol):
    """Our end of a bind: a ``messages.Connection`` on a transport."""

    def __init__(
        self, settings: BindSettings, listener: BindListener, owner: Owner, clock: Clock
    ) -> None:
        super().__init__(session_settings(settings), clock)
        self.id = next(_connections)
        self.unreadable_receipts = 0
        self.unreadable_ussd = 0
        self.was_bound = False
        self._settings = settings
        self._listener = listener
        self._owner = owner
        self._reader = Reader(settings)
        self._writer = Writer(settings)
        self._screens = UssdWriter(settings, settings.ussd) if settings.ussd else None

    @property
    def acknowledged(self) -> int:
        """How many deliveries have been answered, well or ill."""
        return self.session.outgoing.acknowledged

    @property
    def confirmed(self) -> int:
        """How many of those answers the SMSC has surely read."""
        return self.session.outgoing.confirmed

    # --- what a Connection does ----------------------------------------------------

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Answer deliveries with ESME_ROK, in one write; does nothing once closed."""
        if sequences and self.is_open:
            self.write(self.session.acknowledge(sequences))

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Answer deliveries with a temporary error, in one write."""
        if sequences and self.is_open:
            self.write(self.session.refuse(sequences, why.value))

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Write submit_sm for each, in one write, as far as the window goes.

        The rest is written as responses come. What cannot be taken comes back before
        this returns: ``PERMANENT`` for what no submit_sm can carry, ``UNSENT`` when the
        session is not bound to send or has more waiting than it takes.
        """
        room = self.session.outgoing.room if self._can_send else 0
        items: list[tuple[int, bytes]] = []
        back: list[SendResult] = []
        body = self._writer.body
        for message in messages:
            if len(items) >= room:
                back.append(SendResult(message.id, SendStatus.UNSENT, "", 0))
                continue
            try:
                items.append((message.id, body(message)))
            except Unencodable as error:
                back.append(SendResult(message.id, SendStatus.PERMANENT, "", error.status))
        if items:
            self.write(self.session.send(c.SUBMIT_SM, items, self.clock.seconds()))
            self.arm()
        if back:
            self._listener.sent(self._settings.name, self, back)

    def show(self, screens: Sequence[Screen]) -> None:
        """Write screens of USSD sessions, before whatever waits in the window.

        What cannot be taken comes back before this returns, as with ``submit``; on a bind
        without a USSD dialect every screen is ``PERMANENT``.
        """
        writer = self._screens
        room = self.session.outgoing.urgent_room if self._can_send else 0
        items: list[tuple[int, bytes]] = []
        back: list[SendResult] = []
        for screen in screens:
            if writer is None:
                back.append(SendResult(screen.id, SendStatus.PERMANENT, "", 0))
                continue
            if len(items) >= room:
                back.append(SendResult(screen.id, SendStatus.UNSENT, "", 0))
                continue
            try:
                items.append((_screen_token(screen.id), writer.body(screen)))
            except Unencodable as error:
                back.append(SendResult(screen.id, SendStatus.PERMANENT, "", error.status))
        if items:
            self.write(self.session.send_first(c.SUBMIT_SM, items, self.clock.seconds()))
            self.arm()
        if back:
            self._listener.shown(self._settings.name, self, back)

    @property
    def _can_send(self) -> bool:
        return self.session.state is State.BOUND and self.session.mode is not Mode.RECEIVER

    def pause_reading(self) -> None:
        """Stop taking bytes from the network until ``resume_reading``."""
        if self.is_open and self.transport is not None:
            self.session.pause()
            self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """Take bytes again."""
        if self.is_open and self.transport is not None:
            self.session.resume(self.clock.seconds())
            self.transport.resumeProducing()
            self.arm()

    def unbind(self) -> None:
        """Ask the SMSC to end the session; without an answer it ends soon all the same."""
        if self.session.state is not State.BOUND:
            self.close()
            return
        self.write(self.session.unbind(self.clock.seconds()))
        if self.transport is not None:
            self.transport.resumeProducing()  # the response has to be read
        self.arm()

    # --- what comes ----------------------------------------------------------------

    def connectionMade(self) -> None:
        """Ask to be bound."""
        super().connectionMade()
        settings = self._settings
        fields: dict[str, int | str | bytes] = {
            "system_id": settings.system_id,
            "password": settings.password,
            "system_type": settings.system_type,
            "addr_ton": settings.address_ton,
            "addr_npi": settings.address_npi,
            "address_range": settings.address_range,
        }
        self.write(self.session.bind(settings.mode, fields))
        self._owner.on_connected(self)

    def on_event(self, event: Event) -> None:
        """Tell the owner."""
        if isinstance(event, Bound):
            self.was_bound = True
            self._owner.on_bound(self)
        elif isinstance(event, BindRefused):
            self._owner.on_refused(self, event.status)

    def on_messages(self, batch: Batch) -> None:
        """Results first: a receipt in the same read is then for a message that is known."""
        name = self._settings.name
        if batch.answers:
            result = self._reader.result
            texts = [result(answer) for answer in batch.answers if answer.token >= 0]
            screens = [
                result(answer._replace(token=_screen_token(answer.token)))
                for answer in batch.answers
                if answer.token < 0
            ]
            if screens:
                self._listener.shown(name, self, screens)
            if texts:
                self._listener.sent(name, self, texts)
        if batch.requests:
            deliveries = self._deliveries(batch)
            if deliveries:
                self._listener.arrived(name, self, deliveries)

    def _deliveries(self, batch: Batch) -> list[Delivery]:
        read = self._reader.read
        deliveries = []
        unreadable = []
        for message in batch.requests:
            content = read(message)
            if content is None:
                unreadable.append(message)
            else:
                deliveries.append(Delivery(message.sequence, content))
        if unreadable:
            self._answer_unreadable(unreadable)
        return deliveries

    def _answer_unreadable(self, unreadable: Sequence[ShortMessage]) -> None:
        # Refusing would only bring them again; nobody but the log can use them.
        self.write(self.session.answer_unseen([message.sequence for message in unreadable]))
        ussd = sum(self._screens is not None and is_ussd(message) for message in unreadable)
        receipts = len(unreadable) - ussd
        self.unreadable_ussd += ussd
        self.unreadable_receipts += receipts
        if ussd:
            _log.warning("smpp.ussd_unreadable", bind=self._settings.name, count=ussd)
        if receipts:
            _log.warning("smpp.receipt_unreadable", bind=self._settings.name, count=receipts)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Results of all that was in flight, then the loss itself."""
        super().connectionLost(reason)
        if self.was_bound:
            self._listener.lost(self._settings.name, self, self.end_reason)
        self._owner.on_lost(self, self.end_reason)
