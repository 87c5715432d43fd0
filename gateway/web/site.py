"""The HTTP server: limits on size, time and number, and headers, whatever page is asked for."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

MOST_BODY: Final = 16 * 1024
IDLE_SECONDS: Final = 15
LIFE_SECONDS: Final = 60.0
"""A connection lasts no longer, however slowly it sends or reads."""
MOST_CONNECTIONS: Final = 500


class LimitedRequest(Request):
    """A request whose body is small, and whose answer does not say what we are made of."""

    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's
        """Refuse a body that says it is too long before any of it is read."""
        if length is not None and length > MOST_BODY:
            self._refuse()
            length = 0
        super().gotLength(length)  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's
        """Refuse a body that turns out to be too long."""
        assert self.content is not None  # noqa: S101 - made by gotLength
        if not self._refused and self.content.tell() + len(data) > MOST_BODY:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Work on what is complete and was not refused."""
        if not self._refused:
            super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        self._refused = True
        transport: Any = self.transport
        transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        transport.loseConnection()

    def write(self, data: bytes) -> None:
        """Send, without the name and version of the server."""
        if not self.startedWriting:
            self.responseHeaders.removeHeader(b"server")
        super().write(data)  # type: ignore[no-untyped-call]


class _ShortLived(ProtocolWrapper):
    """A connection that ends when its time is over."""

    _ending: Any = None

    def connectionMade(self) -> None:
        self._ending = self.factory.reactor.callLater(LIFE_SECONDS, self.abort)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]
        if self._ending.active():
            self._ending.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _Connections(WrappingFactory[_ShortLived]):
    protocol = _ShortLived
    noisy = False
    reactor: Any

    def buildProtocol(self, addr: Any) -> Any:
        """Wrap a connection, or drop it when there are too many."""
        if len(self.protocols) >= MOST_CONNECTIONS:
            return None
        return super().buildProtocol(addr)


def make_site(root: IResource, reactor: Any) -> Any:
    """The factory to listen with."""
    site = Site(root, requestFactory=LimitedRequest, timeout=IDLE_SECONDS, reactor=reactor)
    site.displayTracebacks = False
    site.noisy = False
    connections = _Connections(site)  # type: ignore[no-untyped-call]
    connections.reactor = reactor
    return connections


def address_of(request: Any, *, behind_proxy: bool) -> str:
    """Who asks. Behind a proxy that is the last address that the proxy itself added."""
    if behind_proxy:
        said = request.getHeader("x-forwarded-for") or ""
        last = said.rpartition(",")[2].strip()
        if last:
            return last[:64]
    peer = request.getClientAddress()
    return peer.host if isinstance(peer, IPv4Address | IPv6Address) else "local"
