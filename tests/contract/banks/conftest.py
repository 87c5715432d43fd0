"""Two servers that a provider's code must get on with, and what a test does to both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from gateway.banks import zarinpal
from gateway.banks.simulated import Fault, SimulatedBank
from gateway.banks.zarinpal import HttpPost, Zarinpal
from gateway.web.pages import Pages

reactor: Any = _reactor
MERCHANT = "1344b5d4-0048-11e8-94db-005056a205be"


class Server(Protocol):
    """A bank as a test drives it."""

    faults: dict[str, Fault]

    def pay(self, authority: str, *, ok: bool = True) -> str:
        """Press a button on the bank's page; where the payer is sent then."""


class Documented(Resource):
    """Answers word for word as Zarinpal's documentation prints them."""

    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.faults: dict[str, Fault] = {}
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self._states: dict[str, tuple[str, int, str]] = {}

    def pay(self, authority: str, *, ok: bool = True) -> str:
        """Press a button."""
        _state, amount, callback = self._states[authority]
        self._states[authority] = ("PAID" if ok else "FAILED", amount, callback)
        return f"{callback}?Authority={authority}&Status={'OK' if ok else 'NOK'}"

    def render_POST(self, request: Any) -> bytes | int:  # noqa: N802 - Twisted's
        """Answer, or misbehave."""
        what = request.path.rpartition(b"/")[2].decode().removesuffix(".json")
        body = json.loads(request.content.read())
        self.seen.append((what, body))
        match self.faults.get(what):
            case Fault.TIMEOUT:
                request.notifyFinish().addErrback(lambda _: None)
                return NOT_DONE_YET
            case Fault.ERROR:
                request.setResponseCode(502)
                return b"<html><h1>502 Bad Gateway</h1></html>"
            case Fault.GARBAGE:
                return b"\xff\xfe not json"
            case Fault.LOST_ANSWER:
                self._answer(what, body)
                request.transport.abortConnection()
                return NOT_DONE_YET
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(self._answer(what, body)).encode()

    def _answer(self, what: str, body: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911 - a table
        if body.get("merchant_id") != MERCHANT:
            message = "Terminal is not valid, please check merchant_id or ip address."
            return _refusal(-10, message)
        if what == "request":
            authority = f"A0000000000000000000000000000{len(self.seen):07}"
            amount = body["amount"] + (1 if self.faults.get(what) is Fault.WRONG_AMOUNT else 0)
            self._states[authority] = ("IN_BANK", amount, body["callback_url"])
            data = {"authority": authority, "fee_type": "Merchant", "fee": 100}
            return {"data": {"code": 100, "message": "Success", **data}, "errors": []}
        if body["authority"] not in self._states:
            return _refusal(-54, "Invalid authority.")
        state, amount, callback = self._states[body["authority"]]
        if what == "inquiry":
            return {"data": {"status": state, "code": 100, "message": "Success"}, "errors": []}
        if state not in ("PAID", "VERIFIED"):
            return _refusal(-51, "Session is not valid, session is not active paid try.")
        if amount != body["amount"]:
            return _refusal(-50, "Session is not valid, amounts values is not the same.")
        self._states[body["authority"]] = ("VERIFIED", amount, callback)
        code, message = (100, "Paid") if state == "PAID" else (101, "Verified")
        card = {"card_hash": "1EBE3EBEBE35C7EC", "card_pan": "502229******5995"}
        data = {"code": code, "message": message, **card, "ref_id": 201}
        return {"data": {**data, "fee_type": "Merchant", "fee": 0}, "errors": []}


def _refusal(code: int, message: str) -> dict[str, Any]:
    return {"data": [], "errors": {"code": code, "message": message, "validations": []}}


@pytest.fixture(params=("simulated", "documented"))
def server(request: pytest.FixtureRequest) -> Server:
    """The bank's side."""
    made: Server = SimulatedBank(Pages()) if request.param == "simulated" else Documented()
    return made


@pytest_twisted.async_yield_fixture
async def address(server: Any) -> AsyncIterator[str]:
    """Where it listens."""
    port = reactor.listenTCP(0, Site(server), interface="127.0.0.1")
    yield f"http://127.0.0.1:{port.getHost().port}"
    await port.stopListening()


@pytest.fixture
def bank(address: str, monkeypatch: pytest.MonkeyPatch) -> Zarinpal:
    """Our side, which waits a short while only."""
    monkeypatch.setattr(zarinpal, "ANSWER_SECONDS", 0.3)
    return Zarinpal("shaparak", MERCHANT, HttpPost(reactor), address)
