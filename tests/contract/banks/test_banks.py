"""What every provider must do, against the simulated bank and against the documented answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_twisted

from gateway.banks.port import BankRefused, BankSilent, Says, ToPay
from gateway.banks.simulated import Fault
from gateway.banks.zarinpal import Zarinpal

WHAT = ToPay(1, 200_000, "قبض", "https://pay.example.ir/p/x/return", "989131234567")
FAULTS = (Fault.TIMEOUT, Fault.ERROR, Fault.GARBAGE, Fault.LOST_ANSWER)


@pytest_twisted.ensureDeferred
async def test_a_payment_is_announced_and_its_page_has_an_address(
    bank: Zarinpal, address: str
) -> None:
    """Each has a token of its own."""
    first, second = await bank.start(WHAT), await bank.start(WHAT)
    assert first != second
    assert bank.address(first) == f"{address}/pg/StartPay/{first}"


@pytest_twisted.ensureDeferred
async def test_what_is_paid_is_verified_and_verified_again(bank: Zarinpal, server: Any) -> None:
    """The second time it says "already" (101), with the same reference: paid all the same."""
    token = await bank.start(WHAT)
    returned = dict(parse_qsl(urlsplit(server.pay(token)).query))
    assert bank.token_of(returned) == token
    first = await bank.verify(token, 200_000)
    again = await bank.verify(token, 200_000)
    assert (first.says, first.code, again.says, again.code) == (Says.PAID, "100", Says.PAID, "101")
    assert first.reference == again.reference != ""
    assert (await bank.inquire(token)).says is Says.PAID


@pytest_twisted.ensureDeferred
async def test_who_is_still_there_has_not_paid_and_may_yet(bank: Zarinpal) -> None:
    """To verify is no answer by itself: the inquiry tells that it is not over."""
    token = await bank.start(WHAT)
    assert (await bank.verify(token, 200_000)).says is Says.NOT_PAID
    assert (await bank.inquire(token)).says is Says.WAITING


@pytest_twisted.ensureDeferred
async def test_who_cancels_has_not_paid(bank: Zarinpal, server: Any) -> None:
    """Both questions say so."""
    token = await bank.start(WHAT)
    server.pay(token, ok=False)
    assert (await bank.verify(token, 200_000)).says is Says.NOT_PAID
    assert (await bank.inquire(token)).says is Says.NOT_PAID


@pytest_twisted.ensureDeferred
async def test_another_amount_is_not_paid(bank: Zarinpal, server: Any) -> None:
    """Whatever was collected, it is not what was ordered."""
    server.faults["request"] = Fault.WRONG_AMOUNT
    token = await bank.start(WHAT)
    server.pay(token)
    verdict = await bank.verify(token, 200_000)
    assert (verdict.says, verdict.code) == (Says.NOT_PAID, "-50")


@pytest_twisted.ensureDeferred
async def test_a_token_that_there_is_not_is_not_paid(bank: Zarinpal) -> None:
    """Invented by somebody, or forgotten by the bank."""
    assert (await bank.verify("A" + "9" * 35, 200_000)).says is Says.NOT_PAID
    with pytest.raises(BankRefused):
        await bank.inquire("A" + "9" * 35)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", ["request", "verify", "inquiry"])
@pytest_twisted.ensureDeferred
async def test_without_a_usable_answer_nothing_is_known(
    bank: Zarinpal, server: Any, what: str, fault: Fault
) -> None:
    """No answer in time, an error, a page instead of JSON, a connection that breaks."""
    token = await bank.start(WHAT)
    server.pay(token)
    server.faults[what] = fault
    asking: dict[str, Any] = {
        "request": lambda: bank.start(WHAT),
        "verify": lambda: bank.verify(token, 200_000),
        "inquiry": lambda: bank.inquire(token),
    }
    with pytest.raises(BankSilent):
        await asking[what]()
    server.faults.clear()
    # It may have done what it was asked: asking again settles it.
    assert (await bank.verify(token, 200_000)).says is Says.PAID


@pytest_twisted.ensureDeferred
async def test_nobody_listens(bank: Zarinpal) -> None:
    """A provider that is down is silent, not an unknown exception."""
    nobody = Zarinpal("x", "m", bank._post, "http://127.0.0.1:1")
    with pytest.raises(BankSilent):
        await nobody.start(WHAT)


class Canned:
    """Answers given by hand."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = (status, body)

    async def __call__(self, _url: str, _body: Any) -> tuple[int, bytes]:
        """Give it."""
        return self.answer


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"data":{"code":"100"}}', b'{"data":{"code":100}}', b'{"errors":{}}', b"null"],
)
@pytest_twisted.ensureDeferred
async def test_half_an_answer_is_none(body: bytes) -> None:
    """JSON of another shape, or a success without its receipt."""
    bank = Zarinpal("x", "m", Canned(200, body))
    with pytest.raises(BankSilent):
        await bank.verify("A1", 1000)
    with pytest.raises(BankSilent):
        await bank.start(WHAT)


@pytest_twisted.ensureDeferred
async def test_a_refusal_of_us_says_nothing_of_the_payment() -> None:
    """A suspended merchant (-15) must not make a paid order a failed one."""
    body = b'{"data":[],"errors":{"code":-15,"message":"Terminal user is suspend"}}'
    bank = Zarinpal("x", "m", Canned(200, body))
    with pytest.raises(BankSilent):
        await bank.verify("A1", 1000)
    with pytest.raises(BankRefused, match="-15"):
        await bank.start(WHAT)


@pytest_twisted.ensureDeferred
async def test_an_answer_without_end_is_cut_off(
    server: Any, bank: Zarinpal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody fills our memory."""
    server.page = lambda _paid: b"x" * 200_000
    server.render_GET = lambda _request: b"x" * 200_000
    big = await bank.start(WHAT)

    post: Any = bank._post
    # The page is long: fetch it in the place of an answer.
    client = post._client._client
    request = client.request
    monkeypatch.setattr(
        client, "request", lambda _method, url, **_rest: request("GET", url, unbuffered=True)
    )
    with pytest.raises(BankSilent, match="more than"):
        await post(bank.address(big), {})
