"""Doors over real HTTP on loopback: who is let in, what is refused, and what is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest_twisted
import treq
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.web.http_headers import Headers
from twisted.web.pages import notFound

from gateway.messages import Connection, Delivery, Screen, ScreenKind, SendResult, UssdInput
from gateway.settings.doors import UssdDoor
from gateway.ussd.http.page import DoorPage
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.waiting import until

reactor: Any = _reactor
SECRET = "ks8dKq02mZxv71aB"
FORM = {"sessionId": "s1", "serviceCode": "*1522#", "phoneNumber": "+989161234567", "text": "2"}


class Daemon:
    """Answers each input at once with what was typed, unless it is told to wait."""

    def __init__(self) -> None:
        self.heard: list[UssdInput] = []
        self.on_arrival: Callable[[Connection, Delivery], None] = self.answer

    def answer(self, connection: Connection, delivery: Delivery) -> None:
        """Echo."""
        content = delivery.content
        assert isinstance(content, UssdInput)
        self.heard.append(content)
        connection.acknowledge([delivery.sequence])
        text = f"سلام {content.text}"
        connection.show([Screen(9, ScreenKind.ASK, content.session, content.mobile, "", text)])

    def bound(self, bind: str, connection: Connection) -> None:
        """Fine."""

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Fine."""

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Not used."""

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Fine."""

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Act."""
        for one in deliveries:
            self.on_arrival(connection, one)


class World:
    """A site with the doors that a test opens."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.pages: dict[str, DoorPage] = {}
        self.root = Root(notFound(), doors={})
        self.port = reactor.listenTCP(0, make_site(self.root, reactor), interface="127.0.0.1")

    def open(self, *, behind_proxy: bool = False, **values: Any) -> DoorPage:
        """One more door."""
        name = f"door{len(self.pages)}"
        given = {"name": name, "dialect": "africastalking", "path": f"/ussd/{name}"} | values
        settings = UssdDoor.model_validate(given)
        page = DoorPage(settings, self.daemon, reactor, behind_proxy=behind_proxy)
        page.door.open()
        self.pages[settings.path] = page
        self.root._doors = Root(notFound(), doors=self.pages)._doors
        return page

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port.getHost().port}"

    async def ask(self, path: str, method: str = "POST", **options: Any) -> tuple[int, str]:
        """The status and body of an answer."""
        options = {"data": FORM} | options
        response: Any = await treq.request(
            method, self.url + path, persistent=False, reactor=reactor, **options
        )
        return response.code, (await response.content()).decode()


@pytest_twisted.async_yield_fixture
async def world() -> AsyncIterator[World]:
    """A site, closed after the test."""
    made = World()
    yield made
    for page in made.pages.values():
        page.door.close()
    await made.port.stopListening()


@pytest_twisted.ensureDeferred
async def test_an_answer_comes_with_its_type(world: Any) -> None:
    """Of each dialect."""
    world.open()
    assert await world.ask("/ussd/door0") == (200, "CON سلام 2")
    world.open(dialect="hubtel")
    status, body = await world.ask(
        "/ussd/door1",
        data=None,
        json={"Type": "Response", "Mobile": "98916", "SessionId": "s", "ServiceCode": "1522",
              "Message": "3"},
    )  # fmt: skip
    assert (status, '"Type": "Response"' in body) == (200, True)
    world.open(dialect="restcomm")
    dialog = b'<dialog localId="7"><unstructuredSSRequest_Response string="4"/></dialog>'
    headers = {"content-type": "text/xml; charset=utf-8"}
    status, body = await world.ask("/ussd/door2", data=dialog, headers=headers)
    assert (status, "سلام 4" in body) == (200, True)
    assert [one.text for one in world.daemon.heard] == ["2", "3", "4"]


@pytest_twisted.ensureDeferred
async def test_who_is_let_in(world: Any) -> None:
    """By the secret in the path or the header, by the address, or by both."""
    wrong = SECRET[:-1] + "X"

    async def codes(path: str) -> list[int]:
        asked = [
            (path, {}),
            (f"{path}/", {}),
            (f"{path}/{SECRET}", {}),
            (f"{path}/{wrong}", {}),
            (path, {"authorization": f"Bearer {SECRET}"}),
            (path, {"authorization": f"bearer {wrong}"}),
            (path, {"authorization": SECRET}),
            (f"{path}/{wrong}", {"authorization": f"Bearer {SECRET}"}),
        ]
        return [(await world.ask(each, headers=headers))[0] for each, headers in asked]

    world.open(path="/ussd/secret", secret=SECRET)
    by_secret = [403, 403, 200, 403, 200, 403, 403, 403]
    assert await codes("/ussd/secret") == by_secret
    world.open(path="/ussd/both", secret=SECRET, allow=["127.0.0.0/8"])
    assert await codes("/ussd/both") == by_secret
    world.open(path="/ussd/elsewhere", secret=SECRET, allow=["10.1.0.0/16", "2001:db8::/32"])
    assert await codes("/ussd/elsewhere") == [403] * 8
    near = world.open(path="/ussd/near", allow=["127.0.0.1"])
    assert await codes("/ussd/near") == [200, 200, 403, 403, 200, 200, 200, 403]
    assert near.door.counters["forbidden"] == 3


@pytest_twisted.ensureDeferred
async def test_behind_a_proxy_its_last_address_counts(world: Any) -> None:
    """What a client writes before it does not."""
    world.open(behind_proxy=True, allow=["10.1.0.0/16"])
    for said, code in (
        ("10.1.2.3", 200),
        ("1.2.3.4, 10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("10.1.2.3, 1.2.3.4", 403),
        ("nonsense", 403),
    ):
        found, _ = await world.ask("/ussd/door0", headers={"x-forwarded-for": said})
        assert (said, found) == (said, code)
    assert (await world.ask("/ussd/door0"))[0] == 403


@pytest_twisted.ensureDeferred
async def test_what_is_no_request_is_told_why(world: Any) -> None:
    """And an unknown path is not there, whatever stands behind it."""
    page = world.open()
    assert await world.ask("/ussd/door0", "GET", data=None) == (405, "post to this door\n")
    assert (await world.ask("/ussd/door0", data=b"{}"))[0] == 415
    assert (await world.ask("/ussd/door0", data={"text": ""})) == (400, "sessionId is missing\n")
    assert (await world.ask("/ussd/door0", data=FORM | {"text": "1" * 20_000}))[0] == 413
    assert (await world.ask("/ussd/door9"))[0] == 404
    assert (await world.ask("/ussd/door0/a/b"))[0] == 404
    assert page.door.counters == {"rejected": 3}
    assert world.daemon.heard == []


@pytest_twisted.ensureDeferred
async def test_headers_that_are_no_text_are_wrong_and_nothing_worse(world: Any) -> None:
    """Whatever bytes a client sends for its type, its secret or its address."""
    world.open(secret=SECRET)
    world.open(behind_proxy=True, allow=["10.1.0.0/16"])
    world.open()
    for path, name, code in (
        ("door0", b"authorization", 403),
        ("door1", b"x-forwarded-for", 403),
        ("door2", b"content-type", 415),
    ):
        headers = Headers({name: [b"bearer \xff\xfe"]})
        found, _ = await world.ask(f"/ussd/{path}", data=b"text=", headers=headers)
        assert (path, found) == (path, code)


class Client(Protocol):
    """One that goes away when it likes."""


@pytest_twisted.ensureDeferred
async def test_who_goes_away_is_not_answered(world: Any) -> None:
    """Nothing is made up about the session; the screen finds nobody."""
    page = world.open()
    came: Deferred[Delivery] = Deferred()
    world.daemon.on_arrival = lambda _connection, delivery: came.callback(delivery)
    body = b"sessionId=s1&serviceCode=1522&phoneNumber=98916&text=2"
    head = b"POST /ussd/door0 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    client: Any = Client()
    port = world.port.getHost().port
    await connectProtocol(HostnameEndpoint(reactor, "127.0.0.1", port), client)
    client.transport.write(head + kind + body)
    await came.addTimeout(60, reactor)
    client.transport.abortConnection()
    await until(lambda: not page.door.waiting, "it is noticed")
    assert page.door.counters == {"requests": 1, "gone": 1}
