"""Three panels on loopback that answer as their documents say, and misbehave when asked to.

None of them recognises a message that is sent twice: whoever sends one twice is found out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar
from urllib.parse import parse_qs

from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

reactor: Any = _reactor
KEY = "k3y-of-the-panel"
USER, DOMAIN, PASSWORD = "water", "lorestan", "s3cret"
THEIR_LINE = "10004346"


class Fault(Enum):
    """What goes wrong with one request to send."""

    LOST = "taken, and the connection is cut before the answer"
    SILENT = "taken, and never answered"
    GARBAGE = "taken, and answered with what nobody can read"
    CRASH = "not taken: an error page of a web server"
    SHORT = "taken, but the last message and its item are left out"
    BUSY = "refused for now"
    THROTTLED = "refused: too much"
    NO_CREDIT = "refused: the account is empty"
    ACCOUNT = "refused: the key is not good"


@dataclass
class Kept:
    """A message that the panel took."""

    id: int
    mobile: str
    line: str
    text: str
    local_id: str
    state: str = "pending"


class FakePanel(Resource):
    """What the three have in common."""

    isLeaf = True  # noqa: N815 - Twisted's
    codes: ClassVar[dict[str, int]]
    """Of faults and of states."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.faults: deque[Fault] = deque()
        self.kept: list[Kept] = []
        self.sizes: list[int] = []
        """How many messages each request to send had."""
        self.blocked: set[str] = set()
        self.wrong: set[str] = set()
        """Mobiles for which a whole request is refused."""
        self.texts: list[dict[str, Any]] = []
        """What came, and has not been handed over."""
        self.handed_over: list[dict[str, Any]] = []
        self.loses_texts = 0
        """So many answers with texts are cut off on their way."""
        self.credit = 1000.0
        self.asked: list[str] = []
        """What every request was for."""
        self.is_down = False
        self.port: Any = None

    # --- what a test does -------------------------------------------------------------

    def listen(self, port: int = 0) -> str:
        """Begin; returns the address."""
        site = Site(self, reactor=reactor)
        site.noisy = False
        self.port = reactor.listenTCP(port, site, interface="127.0.0.1")
        return f"http://127.0.0.1:{self.port.getHost().port}"

    @property
    def taken(self) -> list[tuple[str, str]]:
        """(mobile without its zero, text) of all that went out."""
        return [(each.mobile[-10:], each.text) for each in self.kept]

    def settle(self, place: int, state: str) -> None:
        """Say what became of a message: ``delivered``, ``failed``, ``blocked``."""
        self.kept[place].state = state

    def receive(self, mobile: str, words: str, at: int) -> dict[str, Any]:
        """Somebody texts; as the panel would write it."""
        raise NotImplementedError

    # --- answering --------------------------------------------------------------------

    def render(self, request: Any) -> Any:
        """Answer, or misbehave."""
        what, about = self.read(request, request.content.read())
        self.asked.append(what)
        if self.is_down:
            return _cut(request)
        if what == "texts" and self.loses_texts:
            self.loses_texts -= 1
            self.answer(what, about)
            return _cut(request)
        if what == "send":
            return self.send(request, about)
        return _json(request, self.answer(what, about))

    def send(self, request: Any, about: Any) -> Any:
        """What goes out, and what goes wrong with it."""
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.CRASH:
            request.setResponseCode(502)
            return b"<html><h1>502 Bad Gateway</h1></html>"
        if fault and fault.name.lower() in self.codes:
            return self.refuse(request, self.codes[fault.name.lower()])
        if self.wrong & {each["mobile"][-10:] for each in about}:
            return self.refuse(request, self.codes["wrong"])
        answer = _json(request, self.answer("send", about[:-1] if fault is Fault.SHORT else about))
        if fault is Fault.LOST:
            return _cut(request)
        if fault is Fault.SILENT:
            request.notifyFinish().addErrback(lambda _: None)
            return NOT_DONE_YET
        return b"\xff<html>" if fault is Fault.GARBAGE else answer

    def answer(self, what: str, about: Any) -> Any:
        """What a request is answered."""
        if what == "send":
            self.sizes.append(len(about))
        return getattr(self, f"on_{what}")(about)

    def keep(self, one: dict[str, Any]) -> Kept | None:
        """Take a message, or not: its mobile is blocked."""
        if one["mobile"][-10:] in self.blocked:
            return None
        kept = Kept(len(self.kept) + 5001, one["mobile"], one["line"], one["text"], one["local_id"])
        self.kept.append(kept)
        return kept

    def by_id(self, key: str) -> Kept | None:
        """The message of that id."""
        return next((each for each in self.kept if str(each.id) == key), None)

    def by_local_id(self, key: str) -> Kept | None:
        """The message that we call so."""
        return next((each for each in self.kept if each.local_id == key), None)

    def hand_over(self) -> list[dict[str, Any]]:
        """Texts, each once."""
        texts, self.texts = self.texts, []
        self.handed_over += texts
        return texts

    def read(self, request: Any, body: bytes) -> tuple[str, Any]:
        """What a request is for; raises ``AssertionError`` for one that is not as documented."""
        raise NotImplementedError

    def refuse(self, request: Any, code: int) -> bytes:
        """The whole request."""
        raise NotImplementedError


class FakeKavenegar(FakePanel):
    """``return`` and ``entries``; errors are HTTP statuses as well."""

    codes: ClassVar = {
        "busy": 409, "throttled": 451, "no_credit": 418, "account": 403, "wrong": 411,
        "pending": 4, "delivered": 10, "failed": 11, "blocked": 14,
    }  # fmt: skip

    def read(self, request: Any, body: bytes) -> tuple[str, Any]:
        """Forms and queries."""
        start, _, rest = request.path.decode().partition(f"/{KEY}/")
        assert start == "/v1", "the key stands in the path"
        query = request.uri.partition(b"?")[2].decode()
        given = {
            k: v[0] for written in (query, body.decode()) for k, v in parse_qs(written).items()
        }
        match rest:
            case "sms/sendarray.json":
                assert request.method == b"POST"
                lists = [
                    json.loads(given[name])
                    for name in ("receptor", "sender", "message", "localmessageids")
                ]
                return "send", [
                    {"mobile": mobile, "line": line, "text": text, "local_id": str(local)}
                    for mobile, line, text, local in zip(*lists, strict=True)
                ]
            case "sms/status.json":
                return "states", given["messageid"].split(",")
            case "sms/statuslocalmessageid.json":
                return "local", given["localid"].split(",")
            case "sms/receive.json":
                assert given["linenumber"] == THEIR_LINE
                return ("texts" if given["isread"] == "0" else "again"), None
            case "account/info.json":
                return "credit", None
        raise AssertionError(rest)

    def refuse(self, request: Any, code: int) -> bytes:
        """With its code."""
        request.setResponseCode(code)
        return _json(request, {"return": {"status": code, "message": "خطا"}, "entries": None})

    @staticmethod
    def _good(entries: Any) -> Any:
        return {"return": {"status": 200, "message": "تایید شد"}, "entries": entries}

    def on_send(self, about: list[dict[str, Any]]) -> Any:
        """Blocked ones get an entry whose status says so."""
        entries = []
        for one in about:
            kept = self.keep(one)
            entries.append(
                {
                    "messageid": kept.id if kept else 0, "message": one["text"],
                    "status": 1 if kept else 14, "statustext": "", "sender": one["line"],
                    "receptor": one["mobile"], "date": 1_790_000_000, "cost": 120,
                }
            )  # fmt: skip
        return self._good(entries)

    def on_states(self, ids: list[str]) -> Any:
        """100 for what it does not know."""
        found = [(key, self.by_id(key)) for key in ids]
        return self._good(
            [
                {"messageid": int(key), "status": self.codes[each.state] if each else 100}
                for key, each in found
            ]
        )

    def on_local(self, ids: list[str]) -> Any:
        """Likewise, by our ids."""
        found = [(key, self.by_local_id(key)) for key in ids]
        return self._good(
            [
                {"messageid": each.id if each else 0, "localid": key,
                 "status": self.codes[each.state] if each else 100}
                for key, each in found
            ]
        )  # fmt: skip

    def on_texts(self, _about: None) -> Any:
        """Those that are new."""
        return self._good(self.hand_over())

    def on_again(self, _about: None) -> Any:
        """Those that are not."""
        return self._good(self.handed_over)

    def on_credit(self, _about: None) -> Any:
        """In rial."""
        return self._good({"remaincredit": int(self.credit), "expiredate": 0, "type": "Master"})

    def receive(self, mobile: str, words: str, at: int) -> dict[str, Any]:
        """A new one."""
        text = {
            "messageid": 900 + len(self.texts) + len(self.handed_over), "message": words,
            "sender": mobile, "receptor": THEIR_LINE, "date": at,
        }  # fmt: skip
        self.texts.append(text)
        return text


class FakeSmsIr(FakePanel):
    """``status`` and ``data``; errors are HTTP 400, 401, 429 or 500."""

    codes: ClassVar = {
        "busy": 0, "throttled": 20, "no_credit": 102, "account": 10, "wrong": 104,
        "pending": 3, "delivered": 1, "failed": 2, "blocked": 7,
    }  # fmt: skip

    def read(self, request: Any, body: bytes) -> tuple[str, Any]:
        """JSON, and a header."""
        assert request.getHeader(b"x-api-key") == KEY.encode()
        path = request.path.decode()
        if path == "/v1/send/likeToLike":
            given = json.loads(body)
            assert given["lineNumber"] == int(THEIR_LINE)
            pairs = zip(given["mobiles"], given["messageTexts"], strict=True)
            return "send", [
                {"mobile": mobile, "line": THEIR_LINE, "text": text, "local_id": ""}
                for mobile, text in pairs
            ]
        if path.startswith("/v1/send/"):
            return "states", path.rpartition("/")[2]
        named = {"/v1/receive/latest": "texts", "/v1/receive/live": "again", "/v1/credit": "credit"}
        return named[path], None

    def refuse(self, request: Any, code: int) -> bytes:
        """With its code."""
        request.setResponseCode({0: 500, 20: 429, 10: 401}.get(code, 400))
        return _json(request, {"status": code, "message": "خطا", "data": None})

    @staticmethod
    def _good(data: Any) -> Any:
        return {"status": 1, "message": "موفق", "data": data}

    def on_send(self, about: list[dict[str, Any]]) -> Any:
        """0 in the place of the id of a blocked one."""
        kept = [self.keep(one) for one in about]
        return self._good(
            {
                "packId": "2b99e63c",
                "messageIds": [each.id if each else 0 for each in kept],
                "cost": 1.0,
            }
        )

    def on_states(self, key: str) -> Any:
        """One at a time."""
        kept = self.by_id(key)
        assert kept
        return self._good(
            {
                "messageId": kept.id, "mobile": int(kept.mobile), "messageText": kept.text,
                "lineNumber": int(kept.line), "cost": 1.0, "sendDateTime": 1_790_000_000,
                "deliveryState": self.codes[kept.state],
                "deliveryDateTime": None if kept.state == "pending" else 1_790_000_100,
            }
        )  # fmt: skip

    def on_texts(self, _about: None) -> Any:
        """Each once."""
        return self._good(self.hand_over())

    def on_again(self, _about: None) -> Any:
        """All of the day."""
        return self._good(self.handed_over + self.texts)

    def on_credit(self, _about: None) -> Any:
        """In messages."""
        return self._good(self.credit)

    def receive(self, mobile: str, words: str, at: int) -> dict[str, Any]:
        """A new one."""
        text = {
            "messageText": words, "number": int(THEIR_LINE), "mobile": int(mobile),
            "receivedDateTime": at,
        }  # fmt: skip
        self.texts.append(text)
        return text


class FakeMagfa(FakePanel):
    """``status`` and lists, always HTTP 200."""

    codes: ClassVar = {
        "busy": 23, "throttled": 15, "no_credit": 14, "account": 18, "wrong": 1,
        "pending": 8, "delivered": 1, "failed": 2, "blocked": 16,
    }  # fmt: skip

    def read(self, request: Any, body: bytes) -> tuple[str, Any]:
        """JSON, and HTTP Basic."""
        token = b64encode(f"{USER}/{DOMAIN}:{PASSWORD}".encode())
        assert request.getHeader(b"authorization") == b"Basic " + token
        _, _, rest = request.path.decode().partition("/api/http/sms/v2/")
        what, _, about = rest.partition("/")
        if what == "send":
            given = json.loads(body)
            lists = [given[name] for name in ("recipients", "senders", "messages", "uids")]
            return "send", [
                {"mobile": mobile, "line": line, "text": text, "local_id": str(uid)}
                for mobile, line, text, uid in zip(*lists, strict=True)
            ]
        named = {"statuses": "states", "mid": "local", "messages": "texts", "balance": "credit"}
        return named[what], about

    def refuse(self, request: Any, code: int) -> bytes:
        """With its code."""
        return _json(request, {"status": code, "messages": []})

    def on_send(self, about: list[dict[str, Any]]) -> Any:
        """27 for a blocked one; in another order than they came."""
        messages: list[dict[str, Any]] = []
        for one in about:
            kept = self.keep(one)
            said: dict[str, Any] = {"userId": int(one["local_id"]), "recipient": one["mobile"]}
            messages.insert(0, said | ({"status": 0, "id": kept.id} if kept else {"status": 27}))
        return {"status": 0, "messages": messages}

    def on_states(self, about: str) -> Any:
        """-1 for what it does not know."""
        found = [(key, self.by_id(key)) for key in about.split(",")]
        return {
            "status": 0,
            "dlrs": [
                {"mid": int(key), "status": self.codes[each.state] if each else -1,
                 "date": "2026-09-21 17:43:20"}
                for key, each in found
            ],
        }  # fmt: skip

    def on_local(self, about: str) -> Any:
        """-1 likewise."""
        kept = self.by_local_id(about)
        return {"status": 0, "mid": kept.id if kept else -1}

    def on_texts(self, _about: str) -> Any:
        """Each once."""
        return {"status": 0, "messages": self.hand_over()}

    def on_credit(self, _about: str) -> Any:
        """In rial."""
        return {"status": 0, "balance": self.credit}

    def receive(self, mobile: str, words: str, at: int) -> dict[str, Any]:
        """A new one."""
        text = {
            "body": words, "senderNumber": mobile, "recipientNumber": f"98{THEIR_LINE}",
            "date": f"2026-09-21 17:43:{at % 60:02}",
        }  # fmt: skip
        self.texts.append(text)
        return text


def _cut(request: Any) -> int:
    request.notifyFinish().addErrback(lambda _: None)
    request.transport.abortConnection()
    return NOT_DONE_YET


def _json(request: Any, answer: Any) -> bytes:
    request.setHeader(b"content-type", b"application/json; charset=utf-8")
    return json.dumps(answer, ensure_ascii=False).encode()


FAKES = {"kavenegar": FakeKavenegar, "smsir": FakeSmsIr, "magfa": FakeMagfa}
