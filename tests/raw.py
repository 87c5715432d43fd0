"""A client without manners: it sends bytes as they are, which no library would."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

reactor: Any = _reactor


class _Client(Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.closed: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Any = None) -> None:
        self.closed.callback(self.got)


async def raw(address: str, sent: bytes) -> bytes:
    """Send bytes to ``http://127.0.0.1:PORT``; what came until the server closed."""
    client = _Client()
    port = int(address.rpartition(":")[2])
    await connectProtocol(HostnameEndpoint(reactor, "127.0.0.1", port), client)
    transport: Any = client.transport
    transport.write(sent)
    return await client.closed.addTimeout(60, reactor)
