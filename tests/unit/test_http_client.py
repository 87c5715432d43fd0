"""Answers of others that do not end: they are hung up on, whoever asked and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
import treq
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol

from gateway.http_client import read_body
from gateway.signed_posts import NotTaken, Poster

reactor: Any = _reactor
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


class Talker(Protocol):
    """Answers 200 and some bytes of very many."""

    def __init__(self, somebody: Somebody) -> None:
        self._somebody = somebody

    def dataReceived(self, data: bytes) -> None:
        """Somebody asks."""
        transport: Any = self.transport
        transport.write(HEAD + b"x" * self._somebody.says)

    def connectionLost(self, reason: object = None) -> None:
        """It was hung up on."""
        self._somebody.ended.callback(None)


class Somebody:
    """Who is asked."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.says = 1
        factory = Factory.forProtocol(lambda: Talker(self))
        factory.noisy = False
        self._port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{self._port.getHost().port}/"

    def stop(self) -> None:
        """Close the port."""
        self._port.stopListening()


@pytest.fixture
def somebody() -> Iterator[Somebody]:
    """Who never ends."""
    made = Somebody()
    yield made
    made.stop()


@pytest_twisted.ensureDeferred
async def test_a_body_is_listened_to_no_longer_than_somebody_waits(somebody: Somebody) -> None:
    """One that comes in drops, without ever coming to an end."""
    response = await treq.get(somebody.url, unbuffered=True, persistent=False)
    came: Deferred[bytes] = Deferred()
    reading = read_body(response, came.callback)
    assert await came == b"x"
    reading.cancel()
    with pytest.raises(CancelledError):
        await reading
    await somebody.ended


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_floods_is_hung_up_on(somebody: Somebody) -> None:
    """And has not taken what was posted."""
    somebody.says = 4 * 1024 * 1024
    poster = Poster(reactor, 30.0, lambda: 0)
    with pytest.raises(NotTaken, match="more than 1048576 bytes"):
        await poster.post(somebody.url, b"{}", "secret")
    await somebody.ended


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_does_not_end_is_told_of_in_words(somebody: Somebody) -> None:
    """It has answered 200, but not whole."""
    poster = Poster(reactor, 1.0, lambda: 0)
    with pytest.raises(NotTaken, match=r"127\.0\.0\.1:\d+: no whole answer within 1 seconds"):
        await poster.post(somebody.url, b"{}", "secret")
    await somebody.ended
