"""A bank for tests and the demo: an HTTP server that speaks Zarinpal's shapes.

It has its own page with two buttons, keeps its payments in memory alone (after a restart it
knows none of them), and can be told to misbehave as banks do. Served by the daemon under
``/bank`` only where the settings say ``demo``: whoever can reach it can pay without money.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from twisted.web.http import Request as HttpRequest
from twisted.web.resource import NoResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from gateway.web.pages import Pages


class Fault(StrEnum):
    """How it may misbehave when it is asked something."""

    TIMEOUT = "timeout"
    """It never answers, and does nothing."""
    ERROR = "error"
    """It answers 500, and does nothing."""
    WRONG_AMOUNT = "wrong_amount"
    """It remembers another amount than it was told."""
    LOST_ANSWER = "lost_answer"
    """It does what it was asked, and the connection breaks before the answer."""
    GARBAGE = "garbage"
    """It answers something that is not JSON."""


@dataclass
class Paid:
    """One payment."""

    authority: str
    amount: int
    callback: str
    status: str = "IN_BANK"
    reference: int = 0


class SimulatedBank(Resource):
    """The server: mount it, or give it to a ``Site``."""

    def __init__(self, pages: Pages, first: int = 1) -> None:
        """``first`` numbers its payments: it must grow from one run to the next."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.payments: dict[str, Paid] = {}
        self.faults: dict[str, Fault] = {}
        """What it is asked (``request``, ``verify``, ``inquiry``, ``pay``) → how it misbehaves."""
        self.asked: Counter[str] = Counter()
        self._numbers = itertools.count(first)
        self._pages = pages

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802 - Twisted's
        """Find what is asked for by the whole path: it has two kinds of addresses."""
        rest: list[bytes] = [path, *(request.postpath or ())]
        request.postpath = []
        match [part.decode("utf-8", "replace") for part in rest]:
            case ["pg", "v4", "payment", what] if what.endswith(".json"):
                return _Call(self, what.removesuffix(".json"))
            case ["pg", "StartPay", authority] if authority in self.payments:
                return _Counter(self, self.payments[authority])
        return NoResource()

    def answer(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What it says to a call, in Zarinpal's words."""
        match what:
            case "request":
                return self._request(body)
            case "verify":
                return self._verify(body)
            case "inquiry":
                paid = self.payments.get(str(body.get("authority")))
                return _data(100, status=paid.status) if paid else _error(-54)
        return _error(-9)

    def _request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        amount = body.get("amount")
        if not isinstance(amount, int) or amount <= 0 or not body.get("callback_url"):
            return _error(-9)
        authority = f"A{next(self._numbers):035}"
        wrong = self.faults.get("request") is Fault.WRONG_AMOUNT
        self.payments[authority] = Paid(
            authority, amount + 1000 if wrong else amount, str(body["callback_url"])
        )
        return _data(100, authority=authority, fee_type="Merchant", fee=0)

    def _verify(self, body: Mapping[str, Any]) -> dict[str, Any]:
        paid = self.payments.get(str(body.get("authority")))
        if paid is None:
            return _error(-54)
        if paid.status not in ("PAID", "VERIFIED"):
            return _error(-51)
        if paid.amount != body.get("amount"):
            return _error(-50)
        again = paid.status == "VERIFIED"
        paid.status = "VERIFIED"
        return _data(101 if again else 100, ref_id=paid.reference, card_pan="502229******5995")

    def pay(self, authority: str, *, ok: bool = True) -> str:
        """Press one of the page's buttons; returns where the payer is sent."""
        paid = self.payments[authority]
        if paid.status == "IN_BANK":
            paid.status = "PAID" if ok else "FAILED"
            paid.reference = int(authority[1:]) if ok else 0
        ok = paid.status in ("PAID", "VERIFIED")
        mark = "&" if "?" in paid.callback else "?"
        query = urlencode({"Authority": authority, "Status": "OK" if ok else "NOK"})
        return f"{paid.callback}{mark}{query}"

    def page(self, paid: Paid) -> bytes:
        """Its own page."""
        return self._pages.render("bank.html", amount=paid.amount)


class _Call(Resource):
    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(self, bank: SimulatedBank, what: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._bank = bank
        self._what = what

    def render_POST(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's
        self._bank.asked[self._what] += 1
        fault = self._bank.faults.get(self._what)
        if fault is Fault.TIMEOUT:
            request.notifyFinish().addErrback(lambda _failure: None)
            return NOT_DONE_YET
        if fault is Fault.ERROR:
            request.setResponseCode(500)
            return b"<html>Internal Server Error</html>"
        if fault is Fault.GARBAGE:
            return b"<html>OK</html>"
        try:
            body = _call_of(_body(request))
        except ValueError as error:
            request.setResponseCode(400)
            request.setHeader(b"content-type", b"text/plain; charset=utf-8")
            return f"{error}\n".encode()
        answer = self._bank.answer(self._what, body)
        if fault is Fault.LOST_ANSWER:
            transport: Any = request.transport
            transport.abortConnection()
            return NOT_DONE_YET
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(answer).encode()


class _Counter(Resource):
    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(self, bank: SimulatedBank, paid: Paid) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._bank = bank
        self._paid = paid

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        return self._bank.page(self._paid)

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's
        ok = b"cancel" not in request.args
        request.setResponseCode(303)
        request.setHeader(b"location", self._bank.pay(self._paid.authority, ok=ok).encode())
        return b""


def _body(request: HttpRequest) -> bytes:
    content: Any = request.content
    body: bytes = content.read()
    return body


def _call_of(body: bytes) -> Mapping[str, Any]:
    """What a call says. Raises ``ValueError`` in words for who wrote it."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ValueError(  # noqa: TRY004 - the caller's mistake, not a type of ours
            'the body is no JSON object, such as {"amount": 1000, "callback_url": "https://…"}'
        )
    return said


def _data(code: int, **values: Any) -> dict[str, Any]:
    return {"data": {"code": code, "message": "Success", **values}, "errors": []}


def _error(code: int) -> dict[str, Any]:
    return {"data": [], "errors": {"code": code, "message": "Error", "validations": []}}
