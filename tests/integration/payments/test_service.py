"""The part of the daemon that serves payments, as its settings describe it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import treq
from twisted.application.service import MultiService
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread

from core.calls import Outcome
from core.database import Database
from core.ids import IdMaker
from core.operations import REGISTRY
from core.payments import ledger
from core.payments.states import OrderState
from gateway.minds import LineMind
from gateway.payment_service import Collaborators, PaymentService, with_payments
from gateway.profiles import load_profile
from gateway.settings import Settings
from gateway.settings.payments import CannotServe
from gateway.smpp.text import Alphabet
from gateway.web.root import Root
from gateway.web_service import WebService
from tests.conftest import Clock

reactor: Any = _reactor
LINK = "abcdefghijkmn"
LINE = "100034122"
PROFILES = Path(__file__).parents[3] / "config" / "profiles"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: what differs is tested beside this."""
    return sqlite_database


def settings_for(port: int) -> Settings:
    """A demo on this port."""
    address = f"127.0.0.1:{port}"
    return Settings.model_validate(
        {
            "daemon": {"key": "k" * 32},
            "web": {"listen": address, "url": f"http://{address}", "demo": True},
            "payments": [{"name": "demo-bank", "provider": "simulated", "dial": "*1522#"}],
        }
    )


def make_service(world: Any, settings: Settings) -> PaymentService:
    """The service with Kerman's profile and the world's database."""
    profiles = {"kerman-water": load_profile(PROFILES / "kerman-water", REGISTRY)}
    profile = with_payments(profiles, settings)["kerman-water"]

    def transact(name: str, function: Any, *arguments: Any) -> Any:
        return deferToThread(world.database.transact, name, function, *arguments)

    minds = {LINE: LineMind(profile, Alphabet.GSM7, 8)}
    ids = IdMaker(1, world.now_ms)
    with_whom = Collaborators(transact, transact, ids, minds, world.now_ms, world._tell)
    return PaymentService(settings, with_whom, reactor)


def serve(payments: PaymentService, settings: Settings) -> MultiService:
    """The server with nothing but what payments need, and the payments."""
    both = MultiService()
    assert settings.web is not None
    root = Root(payments.pages, mounted=payments.mounted, doors={})
    for each in (WebService(settings.web, root, reactor), payments):
        each.setServiceParent(both)  # type: ignore[no-untyped-call]
    return both


@pytest_twisted.async_yield_fixture
async def served(world: Any, now_ms: Clock) -> AsyncIterator[str]:
    """The service, running; where."""
    probe = reactor.listenTCP(0, _nothing(), interface="127.0.0.1")
    settings = settings_for(probe.getHost().port)
    await probe.stopListening()
    service = serve(make_service(world, settings), settings)
    service.startService()
    assert settings.web is not None
    yield settings.web.url
    await service.stopService()


def _nothing() -> Any:
    from twisted.internet.protocol import Factory  # noqa: PLC0415

    return Factory()


async def fetch(method: str, url: str) -> Any:
    """One exchange, redirects not followed."""
    return await treq.request(method, url, allow_redirects=False, persistent=False)


@pytest_twisted.ensureDeferred
async def test_the_demo_pays_through_the_daemon_itself(world: Any, served: str) -> None:
    """Page, bank and callback on one port; the receipt is in the profile's own words."""
    page = await fetch("GET", f"{served}/p/{LINK}")
    assert "آب و فاضلاب شهری استان کرمان" in (await page.text())
    leaving = await (await fetch("POST", f"{served}/p/{LINK}")).text()
    address = leaving.partition("url=")[2].partition('"')[0]
    assert address.startswith(f"{served}/bank/pg/StartPay/")
    assert "آزمایشی" in await (await fetch("GET", address)).text()
    back = await fetch("POST", address)
    await fetch("GET", back.headers.getRawHeaders("location")[0])
    order = world.database.read("order", ledger.by_link, LINK)
    assert order.state is OrderState.BOOKED
    assert order.provider == "demo-bank"
    assert world.told == 1


@pytest_twisted.ensureDeferred
async def test_a_port_that_is_taken_is_said_in_words(world: Any, served: str) -> None:
    """With the address that was to be had."""
    port = int(served.rpartition(":")[2])
    with pytest.raises(CannotServe, match=f"127.0.0.1:{port}"):
        serve(make_service(world, settings_for(port)), settings_for(port)).startService()


@pytest_twisted.ensureDeferred
async def test_everything_in_doubt_is_asked_about_on_demand(world: Any) -> None:
    """``peyk payment reconcile`` waits for no pause."""
    service = make_service(world, settings_for(8080))
    service.cashier._banks = world.cashier._banks
    authority = await world.go_to_bank()
    world.bank.pay(authority)
    assert await service.reconcile_now() == {"asked": 1, "in_doubt": 0}
    assert world.order().state is OrderState.BOOKED


def test_a_receipt_of_a_line_that_is_gone_has_no_words(world: Any) -> None:
    """The payment is booked all the same."""
    service = make_service(world, settings_for(8080))
    assert service._words("999", Outcome("payment", "booked", {})) == ()
