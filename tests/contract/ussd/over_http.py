"""Networks over real HTTP: a USSD gateway of each dialect, and a door on loopback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import treq
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.pages import notFound

from core.dialogues.joined import untangled
from core.dialogues.types import Event, Input
from gateway.messages import BindListener, Connection, Delivery, SendResult, UssdEvent, UssdInput
from gateway.settings.doors import LONGEST_DEADLINE, HttpDialect, UssdDoor
from gateway.ussd.http.page import DoorPage
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.contract.ussd.drivers import CODE, Menu, Seen

reactor: Any = _reactor
SECRET = "ks8dKq02mZxv71aB"
_sessions = count(1)


class Side(Protocol):
    """A gateway's side of one session: what it posts, and what it reads of an answer."""

    kind: str
    """The content type that it posts."""

    def dialled(self, mobile: str, dialled: str) -> str:
        """A dial."""

    def typed(self, typed: str) -> str:
        """An answer to the last screen."""

    def ended(self, *, by_time: bool) -> str:
        """The subscriber, or the time, has ended it."""

    def seen(self, body: bytes) -> Seen:
        """What an answer shows."""


@dataclass
class AfricasTalkingSide:
    """A form; everything that was typed, joined."""

    kind = "application/x-www-form-urlencoded"
    fields: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    def dialled(self, mobile: str, dialled: str) -> str:
        """What follows the service code is as if it had been typed."""
        rest = dialled.removeprefix(CODE.removesuffix("#")).removesuffix("#").removeprefix("*")
        self.parts = [rest] if rest else []
        session = f"ATUid_{next(_sessions)}"
        self.fields = {"sessionId": session, "serviceCode": CODE, "phoneNumber": f"+{mobile}"}
        return self._form(text="*".join(self.parts))

    def typed(self, typed: str) -> str:
        """One more."""
        self.parts.append(typed)
        return self._form(text="*".join(self.parts))

    def ended(self, *, by_time: bool) -> str:
        """It reports both alike."""
        del by_time
        return self._form(status="Incomplete", durationInMillis="1200", hopsCount="1")

    def _form(self, **fields: str) -> str:
        return urlencode(self.fields | {"networkCode": "43211"} | fields)

    def seen(self, body: bytes) -> Seen:
        """A word before the text says whether it goes on."""
        word, _, text = body.decode().partition(" ")
        assert word in ("CON", "END")
        return Seen(text, asks=word == "CON")


@dataclass
class HubtelSide:
    """JSON; each input by itself."""

    kind = "application/json"
    fields: dict[str, Any] = field(default_factory=dict)

    def dialled(self, mobile: str, dialled: str) -> str:
        """The whole string, and the code without its signs."""
        self.fields = {
            "Mobile": mobile,
            "SessionId": f"{next(_sessions):032x}",
            "ServiceCode": CODE.strip("*#"),
            "Operator": "mtn",
            "Sequence": 0,
        }
        return self._next("Initiation", dialled)

    def typed(self, typed: str) -> str:
        """The next of the session."""
        return self._next("Response", typed)

    def ended(self, *, by_time: bool) -> str:
        """Told apart."""
        return self._next("Timeout" if by_time else "Release", "")

    def _next(self, kind: str, message: str) -> str:
        self.fields |= {"Type": kind, "Message": message, "Sequence": self.fields["Sequence"] + 1}
        return json.dumps(self.fields)

    def seen(self, body: bytes) -> Seen:
        """Response or Release; the state is handed back."""
        answer = json.loads(body)
        assert answer["SessionId"] == self.fields["SessionId"]
        self.fields["ClientState"] = answer["ClientState"]
        return Seen(answer["Message"], asks={"Response": True, "Release": False}[answer["Type"]])


@dataclass
class RestCommSide:
    """XML; the mobile only in the first request, and the first invoke id in the last answer."""

    kind = "text/xml"
    local: int = 0
    invoke: int = 0
    first: str = ""
    handed_back: str = ""

    def dialled(self, mobile: str, dialled: str) -> str:
        """A MAP dialogue begins."""
        self.local, self.invoke, self.handed_back = next(_sessions), 0, ""
        self.first = str(self.local % 7)
        message = "processUnstructuredSSRequest_Request"
        return self._dialog(
            f'<{message} invokeId="{self.first}" dataCodingScheme="15" string={quoteattr(dialled)}>'
            f'<msisdn nai="international_number" npi="ISDN" number="{mobile}"/></{message}>'
        )

    def typed(self, typed: str) -> str:
        """It goes on."""
        self.invoke += 1
        message = f'invokeId="{self.invoke}" dataCodingScheme="72" string={quoteattr(typed)}'
        return self._dialog(f"<unstructuredSSRequest_Response {message}/>")

    def ended(self, *, by_time: bool) -> str:
        """By an attribute."""
        aborted = 'mapUserAbortChoice="isUserSpecificReason"'
        return self._dialog("<errComponents/>", 'dialogTimedOut="true"' if by_time else aborted)

    def _dialog(self, content: str, attributes: str = "") -> str:
        ids = f'localId="{self.local}" remoteId="{self.local + 1}"'
        returned = f'userObject="{self.handed_back}"' if self.handed_back else ""
        return (
            '<?xml version="1.0" encoding="UTF-8" ?>\n'
            f"<dialog {ids} {returned} {attributes}>{content}</dialog>"
        )

    def seen(self, body: bytes) -> Seen:
        """The last message answers the first."""
        dialog = ET.fromstring(body)  # noqa: S314 - our own
        self.handed_back = dialog.get("userObject", "")
        messages = list(dialog)
        assert dialog.get("mapMessagesSize") == str(len(messages))
        if not messages:
            return Seen("", asks=False)
        (message,) = messages
        asks = message.tag == "unstructuredSSRequest_Request"
        if not asks:
            assert message.tag == "processUnstructuredSSRequest_Response"
            assert message.get("invokeId") == self.first
            assert dialog.get("prearrangedEnd") == "false"
        return Seen(message.get("string", ""), asks=asks)


SIDES: dict[HttpDialect, type[Side]] = {
    HttpDialect.AFRICASTALKING: AfricasTalkingSide,
    HttpDialect.HUBTEL: HubtelSide,
    HttpDialect.RESTCOMM: RestCommSide,
}


class Gateway(Protocol):
    """Who posts for handsets."""

    @property
    def dialect(self) -> HttpDialect:
        """How it writes."""

    async def post(self, kind: str, body: str) -> bytes:
        """Post to a door; what it answers."""


class HttpPhone:
    """A handset behind a gateway."""

    def __init__(self, network: Gateway, mobile: str) -> None:
        self._network = network
        self._mobile = mobile
        self._side = SIDES[network.dialect]()
        self.has_session = False
        """Whether it is in a session."""

    async def dial(self, dialled: str) -> Seen:
        """Dial; return the first screen."""
        self._side = SIDES[self._network.dialect]()
        return await self._ask(self._side.dialled(self._mobile, dialled))

    async def type(self, typed: str) -> Seen:
        """Answer the screen that is shown; return the next one."""
        return await self._ask(self._side.typed(typed))

    async def abort(self) -> None:
        """Hang up."""
        await self._end(by_time=False)

    async def time_out(self) -> None:
        """Leave the screen alone."""
        await self._end(by_time=True)

    async def _end(self, *, by_time: bool) -> None:
        assert self.has_session
        seen = await self._ask(self._side.ended(by_time=by_time))
        assert seen == Seen("", asks=False)

    async def _ask(self, body: str) -> Seen:
        seen = self._side.seen(await self._network.post(self._side.kind, body))
        self.has_session = seen.asks
        return seen


class HttpNetwork:
    """A gateway that speaks one dialect, and a door that does."""

    tells_the_end = True

    def __init__(self, ours: BindListener, dialect: HttpDialect) -> None:
        ours = Untangler(ours) if isinstance(ours, Menu) else ours
        self.dialect = dialect
        path = f"/ussd/{dialect}"
        said = {"name": "hub", "dialect": dialect, "path": path, "secret": SECRET}
        settings = UssdDoor.model_validate(said | {"deadline": LONGEST_DEADLINE})
        self.page = DoorPage(settings, ours, reactor, behind_proxy=False)
        self._site = make_site(Root(notFound(), doors={path: self.page}), reactor)
        self._port: Any = None
        self._posting: Deferred[Any] | None = None
        self._is_lost = False

    async def start(self) -> None:
        """Listen."""
        self._port = reactor.listenTCP(0, self._site, interface="127.0.0.1")
        self.page.door.open()

    async def stop(self) -> None:
        """Close."""
        self.page.door.close()
        await self._port.stopListening()

    def phone(self, mobile: str) -> HttpPhone:
        """A handset."""
        return HttpPhone(self, mobile)

    async def post(self, kind: str, body: str) -> bytes:
        """Post to the door, again when the answer was lost; what it answers."""
        host = f"http://127.0.0.1:{self._port.getHost().port}"
        url = f"{host}{self.page.settings.path}/{SECRET}"
        while True:
            self._posting = treq.post(
                url, data=body.encode(), headers=Headers({"content-type": [kind]}), persistent=False
            )
            try:
                response: Any = await self._posting
                assert response.code == 200
                return bytes(await response.content())
            except (CancelledError, ResponseNeverReceived):
                if not self._is_lost:
                    raise
                self._is_lost = False

    async def lose_answer(self) -> None:
        """Hang up, and post the same again."""
        assert self._posting is not None
        self._is_lost = True
        self._posting.cancel()


class Untangler:
    """Hands a menu what is new in each input, as the core does for a session's row."""

    def __init__(self, menu: Menu) -> None:
        self._menu = menu
        self._turns: dict[str, str] = {}
        self._known: dict[tuple[str, str], UssdInput] = {}

    def bound(self, bind: str, connection: Connection) -> None:
        """Pass on."""
        self._menu.bound(bind, connection)

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Pass on."""
        self._menu.lost(bind, connection, reason)

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Pass on."""
        self._menu.sent(bind, connection, results)

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Pass on."""
        self._menu.shown(bind, connection, results)

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Untangle, and pass on; a repetition as it was before."""
        for sequence, content in deliveries:
            assert isinstance(content, UssdInput)
            key = (content.session, content.turn)
            if key not in self._known or not content.turn:
                self._known[key] = self._clear(content)
            self._menu.arrived(bind, connection, [Delivery(sequence, self._known[key])])

    def _clear(self, heard: UssdInput) -> UssdInput:
        before = self._turns.get(heard.session)
        if heard.turn:
            self._turns[heard.session] = heard.turn
        clear = untangled(
            Input(
                0, 0, "hub", 0, heard.session, CODE, heard.mobile, Event(heard.event.value),
                heard.text, heard.turn, 0, heard.joined,
            ),
            before,
        )  # fmt: skip
        return heard._replace(event=UssdEvent(clear.event.value), text=clear.text, joined=False)
