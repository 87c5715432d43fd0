"""Dashboard, alerts and services: what is shown of a daemon, in words; pausing and resuming."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from core.access.users import end_sessions
from core.alerts import Alert, store_alerts
from core.database import Database
from core.secrecy import Keys
from core.services import paused_now
from gateway.web.desk.live import Live
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN, DeskWorld
from tests.pulses import FakePulse
from tests.waiting import until

reactor: Any = _reactor


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: what differs is tested where it is."""
    return sqlite_database


@pytest_twisted.async_yield_fixture
async def world(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[DeskWorld]:
    """The desk of a daemon with one bind down."""
    pulse = FakePulse(now_ms)
    live = Live(pulse.feel, reactor, look_seconds=0.02, check_seconds=0.05)
    made = DeskWorld(database, keys, now_ms, pulse=pulse, live=live)
    port = made.open()
    yield made
    live.stop()
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_the_dashboard_says_how_the_daemon_is(world: Any) -> None:
    """In the visitor's language and digits; what an operator said is escaped."""
    page = await world.get("/dashboard", world.person("viewer"))
    assert page.code == 200
    for words in (
        "نیازمند توجه",
        "اتصال operator قطع است، ۲ ساعت و ۵ دقیقه است.",
        "۱٬۲۳۴",
        "۹۹٫۹٪",
        "۱٬۲۵۰",
        "۴۲ ثانیه",
        "t-lorestan-water",
        "هشدارهای باز: ۲ دیسک پر است",
    ):
        assert words in page.text
    assert b"<b>refused" not in page.body
    charts = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert [each["role"] for each in charts] == ["img", "img"]
    english = await world.get("/dashboard", world.person("viewer", name="e", language="en"))
    assert "Bind operator has been down for 2 h 5 min." in english.text
    assert "1,234" in english.text
    assert "99.9%" in english.text


@pytest_twisted.ensureDeferred
async def test_schedules_of_other_utilities_are_not_shown(world: Any) -> None:
    """What belongs to everybody is."""
    page = await world.get("/dashboard", world.person("viewer", utility=KERMAN))
    assert "t-kerman-water" in page.text
    assert "t-lorestan-water" not in page.text
    assert "هشدارهای باز: ۱ دیسک پر است" in page.text
    assert "۱٬۲۳۴" in page.text


@pytest_twisted.ensureDeferred
async def test_a_bind_is_paused_and_goes_on(world: Any) -> None:
    """After a question that says what it stops; by whom and why is seen, and in the log."""
    boss, viewer = world.person("operator"), world.person("viewer")
    page = await world.get("/services", boss)
    assert "/desk/services/pause/bind%3Aoperator" in page.links
    asked = await world.get("/services/pause/bind%3Aoperator", boss)
    assert "اپراتور پیام‌های رسیده را نگه می‌دارد" in asked.text
    done = await world.post("/services/pause/bind%3Aoperator", boss, {"note": "کار روی خط"})
    assert done.location == "/desk/services"
    (paused,) = world.database.read("paused", paused_now).values()
    assert paused == ("bind:operator", world.now_ms(), "operator", "کار روی خط")
    page = await world.get("/services", viewer)
    assert "متوقف‌کننده: operator : کار روی خط" in page.text
    assert not [link for link in page.links if "/services/" in link]
    assert (await world.post("/services/resume/bind%3Aoperator", viewer)).code == 403
    await world.post("/services/resume/bind%3Aoperator", boss)
    assert world.database.read("paused", paused_now) == {}
    acts = [(row.action, row.object) for row in world.audited()]
    assert acts == [
        ("service.pause", "service:bind:operator"),
        ("service.resume", "service:bind:operator"),
    ]


@pytest_twisted.ensureDeferred
async def test_services_are_everybodys(world: Any) -> None:
    """Who may pause for one utility does not stop the bind of others; no such service is 404."""
    kerman = world.person("operator", name="kerman", utility=KERMAN)
    assert (await world.get("/services", kerman)).code == 200
    assert (await world.post("/services/pause/scheduler", kerman)).code == 404
    assert (await world.get("/services/pause/scheduler", kerman)).code == 404
    boss = world.person("operator")
    assert (await world.post("/services/pause/bind%3Anone", boss)).code == 404
    assert (await world.get("/services/pause/bind%3Anone", boss)).code == 404


@pytest_twisted.ensureDeferred
async def test_alerts_are_listed(world: Any) -> None:
    """Open ones and those that are over, page after page, of one's own utilities."""
    now = world.now_ms()
    rows = [
        Alert(
            world.means.ids.one(),
            f"bind_down:b{n}",
            f"bind b{n}",
            f"اتصال b{n}",
            now,
            now,
            now,
            now,
        )
        for n in range(51)
    ]
    late = Alert(
        world.means.ids.one(), f"schedule_late:{KERMAN}/x", "late", "دیر شد", now, None, None, None
    )
    world.database.transact("alerts", store_alerts, [*rows, late])
    boss = world.person("operator")
    page = await world.get("/alerts", boss)
    assert "دیر شد" in page.text
    assert "اتصال b50" in page.text
    assert "اتصال b1 " not in page.text
    (older,) = [link for link in page.links if "before=" in link]
    assert "اتصال b0" in (await world.get(older.removeprefix("/desk"), boss)).text
    page = await world.get("/alerts?open=1", boss)
    assert "دیر شد" in page.text
    assert "اتصال b" not in page.text
    other = world.person("operator", name="lorestan", utility=LORESTAN)
    assert "دیر شد" not in (await world.get("/alerts", other)).text
    assert (await world.get("/alerts?kind=nothing", boss)).code == 422


class Browser(Protocol):
    """Reads a stream of events."""

    def __init__(self) -> None:
        self.said = ""
        self.is_closed = False

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.said += data.decode()

    def connectionLost(self, reason: Any = None) -> None:
        """Note it."""
        self.is_closed = True

    def leave(self) -> None:
        """Close the window."""
        transport: Any = self.transport
        transport.abortConnection()

    async def until(self, words: str) -> None:
        """Wait for it."""
        await until(lambda: words in self.said or self.is_closed, words)
        assert words in self.said, self.said


async def _watch(world: Any, who: Any) -> Any:
    port = int(world.address.rpartition(":")[2])
    browser: Any = await connectProtocol(HostnameEndpoint(reactor, "127.0.0.1", port), Browser())
    browser.transport.write(
        b"GET /desk/dashboard/live HTTP/1.1\r\nHost: x\r\nCookie: peyk_session="
        + who.token.encode()
        + b"\r\n\r\n"
    )
    return browser


@pytest_twisted.ensureDeferred
async def test_a_browser_is_sent_what_changes(world: Any) -> None:
    """All of it first, then the blocks that differ; signs of life between."""
    browser = await _watch(world, world.person("viewer"))
    await browser.until("event: blocks")
    assert "text/event-stream" in browser.said
    assert "۱٬۲۳۴" in browser.said
    await browser.until(": alive")
    browser.said = ""
    pulse = world.means.pulse
    pulse.snapshot = replace(pulse.snapshot, queues=replace(pulse.snapshot.queues, waiting=77))
    await browser.until("event: blocks")
    await browser.until("۷۷")
    assert '"ways"' not in browser.said
    browser.leave()
    await until(lambda: not len(world.means.live), "nobody looks any more")


@pytest_twisted.ensureDeferred
async def test_a_stream_ends_with_its_session(world: Any) -> None:
    """One for each browser: the next takes the place of the one before."""
    viewer = world.person("viewer")
    first = await _watch(world, viewer)
    await first.until("event: blocks")
    second = await _watch(world, viewer)
    await first.until("event: replaced")
    await second.until("event: blocks")
    assert len(world.means.live) == 1
    world.database.transact("end", end_sessions, viewer.user.id)
    await second.until("event: ended")
    await until(lambda: not len(world.means.live), "nobody looks any more")


@pytest_twisted.ensureDeferred
async def test_however_many_look_it_is_felt_once(world: Any) -> None:
    """Ten browsers and one round: one look at the daemon, and one more for each that comes."""
    people = [world.person("viewer", name=f"v{n}") for n in range(10)]
    browsers = [await _watch(world, each) for each in people]
    for browser in browsers:
        await browser.until(": alive")
    assert len(world.means.live) == 10
    world.means.live._loop.stop()
    before = world.means.pulse.felt
    await Deferred.fromCoroutine(world.means.live._go_round())
    assert world.means.pulse.felt - before <= 2
    for browser in browsers:
        browser.leave()
