"""One account at an SMSC, held bound for as long as the service runs.

Twisted's ``ClientService`` counts an attempt as good once TCP is up; an SMSC that
takes the connection and refuses the bind would be called at full speed for ever. So
the loop here is its own: an attempt is good when a bind was held for a while.
"""

from __future__ import annotations

from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Any, cast

import structlog
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from gateway.smpp.constants import describe
from gateway.smpp.esme import EsmeProtocol
from gateway.smpp.protocol import in_words
from gateway.smpp.settings import BindSettings, BindState, BindStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from gateway.messages import BindListener
    from gateway.smpp.typing_views import ClientEndpoint, DelayedCall

_log = structlog.get_logger()
_COUNTERS = ("received", "stray_responses", "malformed", "timeouts")
_UNREADABLE = ("unreadable_receipts", "unreadable_ussd")


def endpoint_for(settings: BindSettings, reactor: Any) -> ClientEndpoint:
    """Return where to connect; with ``tls`` the SMSC's certificate is verified.

    Raises ``OSError`` when ``tls_ca_file`` cannot be read.
    """
    host: Any = HostnameEndpoint(reactor, settings.host, settings.port, settings.connect_timeout)
    if not settings.tls:
        return cast("ClientEndpoint", host)
    trust = None
    if settings.tls_ca_file:
        authority = Certificate.loadPEM(Path(settings.tls_ca_file).read_bytes())
        trust = trustRootFromCertificates([authority])
    options = optionsForClientTLS(settings.tls_hostname or settings.host, trustRoot=trust)
    return cast("ClientEndpoint", wrapClientTLS(options, host))


class SmppBind(Service):
    """Connects, binds, and does so again whenever the connection ends.

    ``reactor`` gives time and, unless an ``endpoint`` is given, connections;
    ``jitter`` returns numbers from 0 to 1 that spread the attempts of many binds.
    """

    def __init__(
        self,
        settings: BindSettings,
        listener: BindListener,
        reactor: Any,
        *,
        endpoint: ClientEndpoint | None = None,
        jitter: Callable[[], float] = random,
    ) -> None:
        self.setName(settings.name)  # type: ignore[no-untyped-call]
        self.settings = settings
        self.state = BindState.STOPPED
        self._listener = listener
        self._reactor = reactor
        self._endpoint = endpoint or endpoint_for(settings, reactor)
        self._jitter = jitter
        self._since: float = reactor.seconds()
        self._down_since: float | None = self._since
        self._last_traffic: float | None = None
        self._last_error = ""
        self._reconnects = 0
        self._failures = 0
        self._totals = dict.fromkeys(
            (*_COUNTERS, "submitted", "unreadable_receipts", "unreadable_ussd"), 0
        )
        self._protocol: EsmeProtocol | None = None
        self._attempt: Deferred[Any] | None = None
        self._retry: DelayedCall | None = None
        self._stopped: list[Deferred[None]] = []
        self._waiters: list[Deferred[EsmeProtocol]] = []

    # --- what can be asked ---------------------------------------------------------

    @property
    def connection(self) -> EsmeProtocol | None:
        """The bound connection, None while there is none."""
        return self._protocol if self.state is BindState.BOUND else None

    def when_bound(self) -> Deferred[EsmeProtocol]:
        """Return a Deferred of the bound connection, at once if there is one."""
        if self.connection is not None:
            return succeed(self.connection)
        waiter: Deferred[EsmeProtocol] = Deferred()
        self._waiters.append(waiter)
        return waiter

    def status(self) -> BindStatus:
        """Return where the bind stands and what it has seen since the start."""
        totals = dict(self._totals)
        last_traffic, in_flight = self._last_traffic, 0
        if self._protocol is not None:
            _add(totals, self._protocol)
            in_flight = self._protocol.session.outgoing.in_flight
            if self._protocol.was_bound:
                last_traffic = self._protocol.session.last_received
        return BindStatus(
            name=self.settings.name,
            state=self.state,
            since=self._since,
            last_traffic=last_traffic,
            in_flight=in_flight,
            window=self.settings.window,
            reconnects=self._reconnects,
            last_error=self._last_error,
            next_attempt=self._retry.getTime() if self._retry is not None else None,
            down_since=self._down_since,
            **totals,
        )

    # --- starting and stopping -----------------------------------------------------

    def startService(self) -> None:
        """Begin to connect."""
        if self.running:
            return
        super().startService()  # type: ignore[no-untyped-call]
        self._failures = 0
        if self._down_since is not None:
            self._down_since = self._reactor.seconds()
        if self.state is BindState.STOPPED:
            self._connect()

    def stopService(self) -> Deferred[None]:
        """Unbind; the Deferred fires once the connection is closed.

        That takes at most twice ``unbind_timeout``, however the SMSC behaves.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._attempt is not None:
            self._attempt.cancel()
        if self._protocol is None:
            self._enter(BindState.STOPPED)
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        self._enter(BindState.UNBINDING)
        self._protocol.unbind()
        return stopped

    # --- the loop ------------------------------------------------------------------

    def _enter(self, state: BindState) -> None:
        if state is not self.state:
            self.state = state
            self._since = self._reactor.seconds()
            if state is BindState.BOUND:
                self._down_since = None
            elif self._down_since is None:
                self._down_since = self._since

    def _connect(self) -> None:
        self._retry = None
        self._enter(BindState.CONNECTING)
        factory = Factory.forProtocol(self._make_protocol)
        factory.noisy = False
        self._attempt = self._endpoint.connect(factory)
        self._attempt.addCallbacks(self._connected, self._not_connected)

    def _make_protocol(self) -> EsmeProtocol:
        return EsmeProtocol(self.settings, self._listener, self, self._reactor)

    def _connected(self, _protocol: Any) -> None:
        self._attempt = None

    def _not_connected(self, failure: Failure) -> None:
        self._attempt = None
        if failure.check(CancelledError) and not self.running:
            return
        self._failed(f"cannot connect: {in_words(failure)}")

    def _failed(self, reason: str) -> None:
        """Say why, and try again later or stop."""
        self._last_error = reason
        if not self.running:
            self._enter(BindState.STOPPED)
            return
        self._failures += 1
        delay = self._delay()
        self._enter(BindState.WAITING)
        _log.warning(
            "smpp.bind_waiting", bind=self.settings.name, reason=reason, seconds=round(delay, 1)
        )
        self._retry = self._reactor.callLater(delay, self._connect)

    def _delay(self) -> float:
        settings = self.settings
        doublings = min(self._failures - 1, 30)
        delay: float = min(settings.backoff_longest, settings.backoff_first * 2**doublings)
        return delay * (0.75 + 0.25 * self._jitter())

    # --- what the protocol tells ---------------------------------------------------

    def on_connected(self, protocol: EsmeProtocol) -> None:
        """There is a connection and the bind was asked for."""
        self._protocol = protocol
        self._enter(BindState.BINDING)

    def on_bound(self, protocol: EsmeProtocol) -> None:
        """The SMSC took the bind."""
        self._enter(BindState.BOUND)
        _log.info(
            "smpp.bound",
            bind=self.settings.name,
            mode=self.settings.mode.value,
            connection=protocol.id,
        )
        self._listener.bound(self.settings.name, protocol)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(protocol)

    def on_refused(self, protocol: EsmeProtocol, status: int) -> None:
        """The SMSC refused the bind; it is asked again later, for an operator may mend it."""
        _log.error(
            "smpp.bind_refused",
            bind=self.settings.name,
            connection=protocol.id,
            reason=describe(status),
        )

    def on_lost(self, protocol: EsmeProtocol, reason: str) -> None:
        """The connection has ended."""
        _add(self._totals, protocol)
        self._protocol = None
        if protocol.was_bound:
            self._last_traffic = protocol.session.last_received
            self._reconnects += self.running
            held = self._reactor.seconds() - self._since
            if self.state is BindState.BOUND and held >= self.settings.backoff_longest:
                self._failures = 0
            _log.warning("smpp.bind_lost", bind=self.settings.name, reason=reason)
        self._failed(reason)
        stopped, self._stopped = self._stopped, []
        for waiter in stopped:
            waiter.callback(None)


def _add(totals: dict[str, int], protocol: EsmeProtocol) -> None:
    for counter in _COUNTERS:
        totals[counter] += getattr(protocol.session.counters, counter)
    totals["submitted"] += protocol.session.outgoing.written
    for counter in _UNREADABLE:
        totals[counter] += getattr(protocol, counter)
