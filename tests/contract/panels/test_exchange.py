"""Requests that end badly: what never left is told from what may have been carried out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.ssl import PrivateCertificate
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from gateway.panels.exchange import Asked, Exchange
from gateway.panels.port import NotSent, Unclear
from tests.contract.smpp.test_tls import pem as pem  # noqa: PLC0414 - a fixture

# Twisted's own TLS still hands pyOpenSSL's certificates around.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")
reactor: Any = _reactor


class Answers(Resource):
    """Answers in one way."""

    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(self, how: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.how = how
        self.seen = 0

    def render(self, request: Any) -> Any:
        """As it was told to."""
        self.seen += 1
        match self.how:
            case "huge":
                return b"[" + b"0," * 3_000_000 + b"0]"
            case "silent":
                request.notifyFinish().addErrback(lambda _: None)
                return NOT_DONE_YET
            case "cut":
                request.setHeader(b"content-length", b"100")
                request.write(b"{")
                request.transport.loseConnection()
                request.notifyFinish().addErrback(lambda _: None)
                return NOT_DONE_YET
        return b"{}"


async def ask(url: str, seconds: float = 5) -> Any:
    """One request."""
    exchange = Exchange(reactor, reactor, seconds=seconds, connect_seconds=0.5, persistent=False)
    return await exchange.ask(Asked("POST", url, {}, None, {}, b"{}"))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("huge", "more than"),
        ("silent", "no answer within 0.3 s"),
        ("cut", "connection broke|no answer"),
    ],
)
async def test_what_may_have_been_carried_out(how: str, said: str) -> None:
    """Without saying where: a key may stand in the address."""
    site = Site(Answers(how), reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    with pytest.raises(Unclear, match=said) as caught:
        await ask(
            f"http://127.0.0.1:{port.getHost().port}/v1/SECRET/x", 0.3 if how == "silent" else 5
        )
    assert "SECRET" not in str(caught.value)
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_what_never_left(pem: Path) -> None:
    """Nobody listens there, there is no such place, or its certificate is not its own."""
    resource = Answers("well")
    options = PrivateCertificate.loadPEM(pem.read_bytes()).options()
    port = reactor.listenSSL(0, Site(resource, reactor=reactor), options, interface="127.0.0.1")
    number = port.getHost().port
    with pytest.raises(NotSent, match="TLS"):
        await ask(f"https://127.0.0.1:{number}/v1/SECRET/x")
    assert resource.seen == 0
    await port.stopListening()
    for url in (f"http://127.0.0.1:{number}/SECRET", "http://no-such-panel.invalid/SECRET"):
        with pytest.raises(NotSent) as caught:
            await ask(url)
        assert "SECRET" not in str(caught.value)
