"""The HTTP server: limits on size, time and number, and headers, whatever page is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.server import Request, Site

MOST_BODY: Final = 16 * 1024
"""How many bytes may be sent to what says nothing else."""
IDLE_SECONDS: Final = 15
LIFE_SECONDS: Final = 60.0
"""A connection lasts no longer, however slowly it sends or reads."""
MOST_CONNECTIONS: Final = 500
TOO_LARGE: Final = (
    b"text/plain; charset=utf-8",
    "آنچه فرستاده شد از اندازهٔ مجاز بزرگ‌تر است.\nWhat was sent is larger than allowed.\n".encode(),
)
"""A media type, and what is said before it is known who asks, and in which language."""
NOWHERE: Final = b"/-"
"""What is asked for in the place of a path that is no text."""


class LimitedRequest(Request):
    """A request whose body is small, and whose answer does not say what we are made of."""

    _refused = False
    _most = MOST_BODY

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's
        """Refuse a body that says it is too long before any of it is read."""
        # The address stands in the request only when all of it has come.
        channel: Any = self.channel
        self._most = channel.site.most_body(channel._path)  # noqa: SLF001
        if length is not None and length > self._most:
            self._refuse()
            length = 0
        super().gotLength(length)  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's
        """Refuse a body that turns out to be too long."""
        assert self.content is not None  # noqa: S101 - made by gotLength
        if not self._refused and self.content.tell() + len(data) > self._most:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Work on what is complete and was not refused."""
        if not self._refused:
            if not _is_text(path):
                path = NOWHERE
            super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        self._refused = True
        channel: Any = self.channel
        kind, words = channel.site.too_large(channel._path)  # noqa: SLF001
        transport: Any = self.transport
        transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
            b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(words), words)
        )
        transport.loseConnection()

    def write(self, data: bytes) -> None:
        """Send, without the name and version of the server."""
        if not self.startedWriting:
            self.responseHeaders.removeHeader(b"server")
        super().write(data)  # type: ignore[no-untyped-call]


def _is_text(path: bytes) -> bool:
    try:
        unquote_to_bytes(path.partition(b"?")[0]).decode()
    except UnicodeDecodeError:
        return False
    return True


class _ShortLived(ProtocolWrapper):
    """A connection that ends when its time is over."""

    _ending: Any = None

    def connectionMade(self) -> None:
        self._ending = self.factory.reactor.callLater(LIFE_SECONDS, self.abort)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def renew(self) -> None:
        self._ending.reset(LIFE_SECONDS)

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


class _Quiet(Site):
    """A link is a key: no log has it, nor whose address opened it."""

    most_body: Callable[[bytes], int]
    too_large: Callable[[bytes], tuple[bytes, bytes]]

    def log(self, request: Any) -> None:
        """Write no line for a request."""


def make_site(
    root: Any,
    reactor: Any,
    most_body: Callable[[bytes], int] | None = None,
    too_large: Callable[[bytes], tuple[bytes, bytes]] | None = None,
) -> Any:
    """The factory to listen with; ``root`` is a resource.

    ``most_body`` says how many bytes may be sent to an address, where that is not ``MOST_BODY``;
    ``too_large`` what is answered to more, as ``TOO_LARGE`` is.
    """
    site = _Quiet(root, requestFactory=LimitedRequest, timeout=IDLE_SECONDS, reactor=reactor)  # type: ignore[no-untyped-call]
    site.displayTracebacks = False
    site.most_body = most_body or (lambda _address: MOST_BODY)
    site.too_large = too_large or (lambda _address: TOO_LARGE)
    site.noisy = False
    connections = _Connections(site)  # type: ignore[no-untyped-call]
    connections.reactor = reactor
    return connections


def live_on(request: Any) -> None:
    """Let the connection of a peer that has shown who it is last for another life."""
    connection = request.channel.transport
    if isinstance(connection, _ShortLived):
        connection.renew()


def address_of(request: Any, *, behind_proxy: bool) -> str:
    """Who asks. Behind a proxy that is the last address that the proxy itself added."""
    if behind_proxy:
        said: bytes = request.getHeader(b"x-forwarded-for") or b""
        last = said.decode("latin-1").rpartition(",")[2].strip()
        if last:
            return last[:64]
    peer = request.getClientAddress()
    return peer.host if isinstance(peer, IPv4Address | IPv6Address) else "local"
