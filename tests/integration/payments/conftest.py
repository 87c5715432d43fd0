"""The pay page, the cashier and the simulated bank over HTTP on loopback, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import pytest
import pytest_twisted
import treq
from sqlalchemy import Connection, insert, select
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread

from core.calls import Outcome
from core.database import Database
from core.ids import IdMaker
from core.payments import ledger
from core.payments.ledger import Clerk, Order
from core.tables import bills, orders, subscribers
from gateway.banks import zarinpal
from gateway.banks.simulated import SimulatedBank
from gateway.banks.zarinpal import HttpPost, Zarinpal
from gateway.cashier import Books, Cashier
from gateway.web.pages import Pages
from gateway.web.pay import PayPages
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.conftest import NOW_MS, Clock
from tests.pages import Tags

reactor: Any = _reactor
LINK = "abcdefghijkmn"
MOBILE = "989130000001"


class Page(Tags):
    """What a browser would make of an answer."""

    def __init__(self, response: Any, body: bytes) -> None:
        super().__init__(response, body)
        self.texts: dict[str, str] = {}
        self._id = ""
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        super().handle_starttag(tag, attrs)
        self._id = dict(attrs).get("id") or ""

    def handle_data(self, data: str) -> None:
        """Note the text of what has an id."""
        if self._id and data.strip():
            self.texts[self._id] = data.strip()
            self._id = ""

    @property
    def onward(self) -> str:
        """Where it leads by itself and by hand: to the provider."""
        tags = dict(self.tags[::-1])  # the first of each
        refreshes = [attrs["content"] for tag, attrs in self.tags if "http-equiv" in attrs]
        address = str(tags["a"]["href"])
        assert refreshes == [f"0; url={address}"]
        return address


class World:
    """Everything that a payment needs, and hands to move it."""

    def __init__(self, database: Database, now_ms: Clock) -> None:
        self.database = database
        self.now_ms = now_ms
        self.bank = SimulatedBank(Pages())
        self.told = 0
        self.url = ""

    def open(self) -> Any:
        """Listen; returns the port."""
        clerk = Clerk(IdMaker(0, self.now_ms), self._words)
        self.cashier = Cashier(
            {}, {"kerman-water": "demo"}, Books(self._transact, self._read), clerk, self.now_ms,
            on_told=self._tell,
        )  # fmt: skip
        pages = PayPages(
            self.cashier, Pages(), {"kerman-water": "آب کرمان"}, "http://x", self.now_ms
        )
        self.pages = pages
        site = make_site(Root(pages.resource, mounted={"bank": self.bank}, doors={}), reactor)
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{port.getHost().port}"
        pages._base = self.url
        provider = Zarinpal("demo", "m", HttpPost(reactor), f"{self.url}/bank")
        self.cashier._banks = {"demo": provider}
        return port

    def _transact(self, name: str, function: Any, *arguments: Any) -> Any:
        return deferToThread(self.database.transact, name, function, *arguments)

    def _read(self, name: str, function: Any, *arguments: Any) -> Any:
        return deferToThread(self.database.read, name, function, *arguments)

    def _words(self, _line: str, outcome: Outcome) -> list[str]:
        return [f"{outcome.kind} {outcome.facts['amount']}"]

    def _tell(self) -> None:
        self.told += 1

    async def get(self, path: str, **options: Any) -> Page:
        """Open an address."""
        return await self._fetch("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Page:
        """Press a button."""
        return await self._fetch("POST", path, **options)

    async def _fetch(self, method: str, path: str, **options: Any) -> Page:
        response: Any = await treq.request(
            method, urljoin(self.url, path), allow_redirects=False, persistent=False, **options
        )
        return Page(response, await response.content())

    async def go_to_bank(self) -> str:
        """Press "pay"; returns the authority."""
        page = await self.post(f"/p/{LINK}")
        assert page.code == 200
        return page.onward.rpartition("/")[2]

    def order(self, link: str = LINK) -> Order:
        """The order as it is stored."""
        found = self.database.read("order", ledger.by_link, link)
        assert found is not None
        return found

    def rows(self, table: Any) -> list[Any]:
        """Everything in a table."""
        return self.database.read("rows", lambda c: list(c.execute(select(table))))


@pytest_twisted.async_yield_fixture
async def world(
    database: Database, now_ms: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """An order of 200,000 rial, open, behind ``LINK``."""
    monkeypatch.setattr(zarinpal, "ANSWER_SECONDS", 0.5)
    database.transact("fill", _fill)
    made = World(database, now_ms)
    port = made.open()
    yield made
    await port.stopListening()


def _fill(connection: Connection) -> None:
    connection.execute(
        insert(subscribers).values(
            id=1, utility="kerman-water", number="10000001", name="مریم کرمانی", changed_at=0
        )
    )
    connection.execute(
        insert(bills).values(
            subscriber_id=1, period="1", amount=1, payable=200_000, issued_at=NOW_MS - 9
        )
    )
    connection.execute(
        insert(orders).values(
            id=1,
            utility="kerman-water",
            subscriber_id=1,
            link=LINK,
            mobile=MOBILE,
            line="100034122",
            bill_id="2050327604613",
            payment_id="20000189",
            amount=200_000,
            state="created",
            created_at=NOW_MS,
            changed_at=NOW_MS,
            expires_at=NOW_MS + 86_400_000,
        )
    )
