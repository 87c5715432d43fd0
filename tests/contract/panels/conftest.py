"""A daemon on a real database with one operator: a panel over HTTP, or a bind over SMPP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_twisted
from sqlalchemy import Connection, select, update
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from core.database import Database
from core.outbox import Notice, store_notices
from core.tables import outbox
from gateway.messages import DeliveryState
from gateway.panels.making import DaemonSide, blocked_states, make_panel
from gateway.panels.service import PanelService
from gateway.settings.lines import Line
from gateway.settings.panels import PanelAccount
from gateway.smpp.bind import SmppBind
from gateway.smpp.handsets import SmscSettings
from gateway.smpp.settings import BindSettings
from gateway.smpp.smsc import SimulatedSmsc
from tests.contract.panels.servers import (
    DOMAIN,
    FAKES,
    KEY,
    PASSWORD,
    THEIR_LINE,
    USER,
    FakePanel,
    Fault,
)
from tests.integration.conftest import LINE, World, Worlds
from tests.integration.conftest import faulty as faulty  # noqa: PLC0414 - a fixture
from tests.integration.conftest import worlds as worlds  # noqa: PLC0414 - a fixture

reactor: Any = _reactor
FILE = Path(__file__)
NAME = "operator"
REAL_SECONDS = 90


class Operator(Protocol):
    """What a test does with an operator, whichever way it is connected."""

    knows_doubts: bool
    """Whether it can be asked what became of a request without an answer."""

    @property
    def taken(self) -> list[tuple[str, str]]:
        """(the mobile's last ten digits, text) of all that it took, in order."""

    def fault(self, *faults: Fault) -> None:
        """The next requests to send go wrong so."""

    def block(self, mobile: str) -> None:
        """It delivers nothing to this mobile."""

    def settle(self, place: int, state: str) -> None:
        """It says what became of a message, when asked or by itself."""

    def text(self, mobile: str, words: str) -> None:
        """Somebody texts."""


async def until(
    world: World, condition: Callable[[], object], *, step: float = 0.05, most: float = 3_600
) -> None:
    """Let things happen, and the daemon's time pass by ``step`` each turn, until it is so."""
    since, ends = world.clock.seconds(), reactor.seconds() + REAL_SECONDS
    claimed = since
    while not condition():
        now = world.clock.seconds()
        assert reactor.seconds() < ends, "it did not come about"
        assert now < since + most, "it did not come about in time"
        await deferLater(reactor, 0.001)
        world.clock.advance(step)
        if now - claimed >= 1 and not world.database.fails_before:
            claimed = now
            world.claim()


class PanelOperator:
    """A panel over HTTP."""

    def __init__(self, kind: str, world: World, fake: FakePanel, **settings: Any) -> None:
        self.kind = kind
        self.world = world
        self.fake = fake
        self.knows_doubts = kind != "smsir"
        values: dict[str, Any] = {"key": KEY, "user": USER, "domain": DOMAIN, "password": PASSWORD}
        values |= {"name": NAME, "kind": kind, "url": fake.listen(), "requests": 1, "poll": 2}
        values |= {"senders": {LINE: THEIR_LINE}, **settings}
        self.account = PanelAccount.model_validate(values)
        self.service = self.make(world)

    def make(self, world: World) -> PanelService:
        """The daemon's side of it."""

        def run(function: Any, name: str, *args: Any) -> Deferred[Any]:
            return world.in_thread(function, name, *args)

        daemon = DaemonSide(
            world.inbound,
            reactor,
            world.clock,
            lambda name, *args: run(world.database.read, name, *args),
            lambda name, *args: run(world.database.transact, name, *args),
            world.desk.keys.fingerprint,
            world.now,
            world.inbound.settle,
            world.claim,
        )
        line = Line(number=LINE, profile="kerman-water", binds=(NAME,))
        service = make_panel(FILE, self.account, [line], daemon)
        world.router.add(service.sender)
        return service

    async def restart(self, worlds: Worlds) -> World:
        """The daemon is killed, and started again."""
        await self.stop_daemon()
        self.world = worlds(
            binds=(), lines={LINE: (NAME,)}, clock=self.world.clock, panels=blocked_of(self.account)
        )
        self.service = self.make(self.world)
        return self.world

    async def stop_daemon(self) -> None:
        """As a kill does: nothing is settled any more."""
        self.service.sender.stop()
        stopped = self.service.stopService()
        while not stopped.called:
            await deferLater(reactor, 0.001)
            self.world.clock.advance(1)

    async def start(self) -> None:
        """The daemon starts, and the panel answers."""
        self.service.startService()
        await until(self.world, lambda: self.service.sender.is_up)

    async def stop(self) -> None:
        """The end."""
        await self.stop_daemon()
        await self.fake.port.stopListening()

    @property
    def taken(self) -> list[tuple[str, str]]:
        """All that it took."""
        return self.fake.taken

    def fault(self, *faults: Fault) -> None:
        """The next requests to send go wrong so."""
        self.fake.faults.extend(faults)

    def block(self, mobile: str) -> None:
        """It delivers nothing to this mobile."""
        self.fake.blocked.add(mobile[-10:])

    def settle(self, place: int, state: str) -> None:
        """It says so when it is asked next."""
        self.fake.settle(place, state)

    def text(self, mobile: str, words: str) -> None:
        """Somebody texts."""
        self.fake.receive(mobile, words, int(self.world.clock.seconds()))


class SmppOperator:
    """A simulated SMSC."""

    knows_doubts = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.smsc = SimulatedSmsc(
            SmscSettings(receipt_delay=0.02, redeliver_after=0.1), clock=reactor
        )
        self._taken: list[tuple[str, str]] = []
        self.smsc.on_message = lambda one: self._taken.append((one.mobile[-10:], one.text))
        self.service: Any = None

    async def start(self) -> None:
        """Listen, and have the daemon bind."""
        port = await self.smsc.listen()
        settings = BindSettings(
            name=NAME, host="127.0.0.1", port=port, system_id="peyk", password="secret",
            response_timeout=3, unbind_timeout=0.5, enquire_link=0.02, window=50,
        )  # fmt: skip
        self.service = SmppBind(settings, self.world.inbound, reactor)
        self.service.startService()
        await self.service.when_bound()

    async def stop(self) -> None:
        """The end."""
        await self.service.stopService()
        await self.smsc.stop()

    @property
    def taken(self) -> list[tuple[str, str]]:
        """All that reached a mobile."""
        return self._taken

    def fault(self, *faults: Fault) -> None:
        """The next submissions go wrong so."""
        for fault in faults:
            match fault:
                case Fault.THROTTLED:
                    self.smsc.faults.throttle += 1
                case Fault.BUSY:
                    self.smsc.faults.refuse += 1
                case _:
                    self.smsc.faults.drop += 1

    def block(self, mobile: str) -> None:
        """The next submission is refused so."""
        self.smsc.faults.refuse, self.smsc.faults.refuse_status = 1, 0x401

    def settle(self, place: int, state: str) -> None:
        """Its receipts say so by themselves."""

    def will_settle(self, state: str) -> None:
        """What its receipts will say."""
        states = {"delivered": DeliveryState.DELIVERED, "failed": DeliveryState.UNDELIVERABLE}
        self.smsc._network._settings = self.smsc.settings
        object.__setattr__(self.smsc.settings, "receipt_state", states[state])

    def text(self, mobile: str, words: str) -> None:
        """Somebody texts."""
        self.smsc.send_text(mobile, LINE, words)


def blocked_of(account: PanelAccount) -> dict[str, frozenset[str]]:
    """What the app makes of the descriptions."""
    return blocked_states(FILE, [account])


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Of one engine: what is new here is the wire; tests/integration has the rest on both."""
    return sqlite_database


@pytest.fixture(params=sorted(FAKES))
def kind(request: pytest.FixtureRequest) -> str:
    """Which panel."""
    return str(request.param)


def make_operator(kind: str, worlds: Worlds, **settings: Any) -> PanelOperator:
    """A panel and a daemon."""
    states = {"kavenegar": {"14"}, "smsir": {"7"}, "magfa": set[str]()}[kind]
    world = worlds(binds=(), lines={LINE: (NAME,)}, panels={NAME: states})
    return PanelOperator(kind, world, FAKES[kind](), **settings)


@pytest_twisted.async_yield_fixture
async def panel(kind: str, worlds: Worlds) -> AsyncIterator[PanelOperator]:
    """A panel that is up."""
    made = make_operator(kind, worlds)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["smpp", *sorted(FAKES)])
def way(request: pytest.FixtureRequest) -> str:
    """How the daemon is connected."""
    return str(request.param)


@pytest_twisted.async_yield_fixture
async def operator(way: str, worlds: Worlds) -> AsyncIterator[Any]:
    """An operator that is up."""
    made: Any
    if way == "smpp":
        made = SmppOperator(worlds(binds=(NAME,), lines={LINE: (NAME,)}))
    else:
        made = make_operator(way, worlds)
    await made.start()
    yield made
    await made.stop()


def queue(
    world: World,
    *mobiles: str,
    parts: Sequence[str] = ("یک پیام",),
    again: bool = True,
    claim_them: bool = True,
) -> None:
    """Messages that the utility sends of its own accord.

    Without ``again`` they are as those of a campaign that would rather leave one out than
    bill somebody twice.
    """
    notices = [
        Notice(world.desk.ids.take(len(parts)), mobile, LINE, parts, None, world.now())
        for mobile in mobiles
    ]
    world.database.transact("queue", store_notices, notices)
    if not again:
        never = update(outbox).values(resend_uncertain=False, max_attempts=2)
        world.database.transact("never", lambda connection: connection.execute(never))
    if claim_them:
        world.claim()


def tell(world: World, *columns: str) -> list[Any]:
    """Columns of all rows of the outbox."""

    def read(connection: Connection) -> list[Any]:
        found = connection.execute(
            select(*(outbox.c[name] for name in columns)).order_by(outbox.c.id)
        )
        return [row[0] if len(columns) == 1 else tuple(row) for row in found]

    told: list[Any] = world.database.read("tell", read)
    return told


def numbers(count: int) -> list[str]:
    """So many mobiles."""
    return [f"9891310000{n:02}" for n in range(count)]
