"""Those who are told of alerts, on this machine: a mail server and an address to post to."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import ServerFactory
from twisted.mail import smtp
from twisted.mail.imap4 import LOGINCredentials, PLAINCredentials
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from zope.interface import implementer  # type: ignore[import-untyped]

reactor: Any = _reactor


class MailServer:
    """Takes mail on a port of its own, with or without a password."""

    def __init__(self, password: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self.refuses: set[str] = set()
        """Addresses that it takes nothing for."""
        self._password = password
        self._port = reactor.listenTCP(0, self._factory(), interface="127.0.0.1")
        self.port: int = self._port.getHost().port

    def stop(self) -> Deferred[Any]:
        """Close the port."""
        stopped: Deferred[Any] = self._port.stopListening()
        return stopped

    def _factory(self) -> ServerFactory:
        server = self

        class Factory(ServerFactory):
            noisy = False

            def buildProtocol(self, _address: object) -> smtp.ESMTP:
                protocol = server.make_protocol()
                protocol.factory = self
                return protocol

        return Factory()

    def make_protocol(self) -> smtp.ESMTP:
        """One connection of somebody who has mail."""
        if not self._password:
            protocol = smtp.ESMTP()
            protocol.delivery = _Delivery(self)
            return protocol
        protocol = smtp.ESMTP({b"LOGIN": LOGINCredentials, b"PLAIN": PLAINCredentials})
        users = InMemoryUsernamePasswordDatabaseDontUse(peyk=self._password.encode())
        realm: Any = _Realm(self)
        portal: Any = Portal(realm, [users])  # type: ignore[list-item]
        protocol.portal = portal
        return protocol


@implementer(smtp.IMessage)
class _Message:
    """A mail on its way in."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self._lines.append(line)

    def eomReceived(self) -> Deferred[None]:  # noqa: N802 - Twisted's
        text = b"\r\n".join(self._lines)
        self._server.mails.append(email.message_from_bytes(text, policy=email.policy.default))
        return succeed(None)

    def connectionLost(self) -> None:
        self._lines.clear()


@implementer(smtp.IMessageDelivery)
class _Delivery:
    """Whom mail is taken for."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def receivedHeader(self, *_about: object) -> bytes:  # noqa: N802 - Twisted's
        return b""

    def validateFrom(self, _helo: object, origin: smtp.Address) -> smtp.Address:  # noqa: N802
        return origin

    def validateTo(self, user: smtp.User) -> Any:  # noqa: N802
        if str(user.dest) in self._server.refuses:
            raise smtp.SMTPBadRcpt(user)
        return lambda: _Message(self._server)


class _Realm:
    """Everybody with the password."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def requestAvatar(self, _who: object, _mind: object, *_kinds: object) -> Any:  # noqa: N802
        return smtp.IMessageDelivery, _Delivery(self._server), lambda: None


class Posted:
    """What was posted to a ``Address``."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body


class Address(Resource):
    """An address on this machine that keeps what is posted to it."""

    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.posted: list[Posted] = []
        self.codes: list[int] = []
        """What it answers, one after the other; then 200."""
        self._port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{self._port.getHost().port}/alerts"

    def stop(self) -> Deferred[Any]:
        """Close the port."""
        stopped: Deferred[Any] = self._port.stopListening()
        return stopped

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's
        """Keep it, and answer."""
        code = self.codes.pop(0) if self.codes else 200
        request.setResponseCode(code)
        request.setHeader("Connection", "close")
        assert request.content is not None
        headers = {
            name.decode().lower(): values[0].decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        if code < 300:
            self.posted.append(Posted(headers, request.content.read()))
        return b"thank you"
