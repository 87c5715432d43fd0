"""Zarinpal's payment gateway, version 4 (request → StartPay → verify; DOMAIN 9).

An answer has ``data`` or ``errors``, and an empty list in the place of the other. 100 is
success, 101 what was verified before; both are paid. Amounts are asked in rial.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import structlog

from gateway.banks.port import BankRefused, BankSilent, Says, ToPay, Verdict
from gateway.http_client import LimitedClient, NoUsableAnswer

log = structlog.get_logger(__name__)

ADDRESS: Final = "https://payment.zarinpal.com"
SANDBOX: Final = "https://sandbox.zarinpal.com"

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024

_PAID: Final = frozenset({100, 101})
_NOT_PAID: Final = frozenset({-50, -51, -53, -54, -55})
"""Errors of verify that are about the payment itself: another amount, not paid, not ours,
no such token, not found. Any other is about us or about them, and settles nothing."""
_STANDINGS: Final = {
    "PAID": Says.PAID,
    "VERIFIED": Says.PAID,
    "IN_BANK": Says.WAITING,
    "FAILED": Says.NOT_PAID,
    "REVERSED": Says.REVERSED,
}

Post = Callable[[str, Mapping[str, Any]], Awaitable[tuple[int, bytes]]]
"""Address, body → status, body. Raises ``BankSilent``."""


class Zarinpal:
    """One merchant's account. Implements ``gateway.banks.port.Bank``."""

    def __init__(self, name: str, merchant_id: str, post: Post, address: str = ADDRESS) -> None:
        self._name = name
        self._merchant_id = merchant_id
        self._post = post
        self._address = address.rstrip("/")

    @property
    def name(self) -> str:
        """The account's name."""
        return self._name

    async def start(self, what: ToPay) -> str:
        """``request.json``: returns the authority."""
        about = {"order_id": str(what.order_id)}
        if what.mobile:
            about["mobile"] = "0" + what.mobile.removeprefix("98")
        data = await self._ask(
            "request.json",
            amount=what.amount,
            currency="IRR",
            description=what.description,
            callback_url=what.callback,
            metadata=about,
        )
        token = data.get("authority")
        if not isinstance(token, str) or not token:
            raise BankSilent("the answer to request.json has no authority")
        return token

    def address(self, token: str) -> str:
        """StartPay."""
        return f"{self._address}/pg/StartPay/{quote(token, safe='')}"

    def token_of(self, returned: Mapping[str, str]) -> str:
        """``Authority``; ``Status`` beside it is the browser's word and not looked at."""
        return returned.get("Authority", "")

    async def verify(self, token: str, amount: int) -> Verdict:
        """``verify.json``, with the amount that we stored."""
        try:
            data = await self._ask("verify.json", amount=amount, authority=token)
        except BankRefused as error:
            if int(error.code) in _NOT_PAID:
                return Verdict(Says.NOT_PAID, code=error.code)
            raise BankSilent(str(error)) from error
        reference = str(data.get("ref_id") or "")
        if not reference:
            raise BankSilent("the answer to verify.json has no ref_id")
        return Verdict(Says.PAID, reference, str(data["code"]))

    async def inquire(self, token: str) -> Verdict:
        """``inquiry.json``."""
        data = await self._ask("inquiry.json", authority=token)
        status = str(data.get("status", ""))
        return Verdict(_STANDINGS.get(status, Says.WAITING), code=status)

    async def _ask(self, what: str, **values: Any) -> dict[str, Any]:
        """The ``data`` of a success."""
        url = f"{self._address}/pg/v4/payment/{what}"
        status, body = await self._post(url, {"merchant_id": self._merchant_id, **values})
        answer = _decoded(body, status)
        data, errors = answer.get("data"), answer.get("errors")
        if isinstance(data, dict) and data.get("code") in _PAID:
            return data
        for said in (errors, data):
            if isinstance(said, dict) and isinstance(said.get("code"), int):
                raise BankRefused(str(said["code"]), str(said.get("message", ""))[:200])
        raise BankSilent(f"an answer without a code, HTTP {status}")


def _decoded(body: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, UnicodeDecodeError):
        answer = None
    if not isinstance(answer, dict):
        raise BankSilent(f"an answer that is not JSON, HTTP {status}")
    return answer


class HttpPost:
    """POST of JSON."""

    def __init__(self, reactor: Any) -> None:
        self._client = LimitedClient(
            reactor,
            reactor,
            connect_seconds=CONNECT_SECONDS,
            seconds=ANSWER_SECONDS,
            most_bytes=MOST_BYTES,
        )

    async def __call__(self, url: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send ``body``; returns status and body. Raises ``BankSilent``."""
        headers = {"Accept": "application/json"}
        try:
            return await self._client.ask("POST", url, headers, json=dict(body))
        except NoUsableAnswer as error:
            raise BankSilent(str(error)) from None
        except Exception as error:
            # Whatever broke, and where: it may have taken effect over there.
            raise BankSilent(f"no connection: {type(error).__name__}") from error
