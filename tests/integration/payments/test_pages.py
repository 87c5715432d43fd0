"""What the server lets through, and what its pages let out."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.logger import globalLogPublisher

from core.database import Database, DatabaseUnavailable
from gateway.web import site
from gateway.web.pages import Pages
from gateway.web.pay import PayPages
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.raw import raw

LINK = "abcdefghijkmn"
reactor: Any = _reactor


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: none of this is about the database."""
    return sqlite_database


@pytest_twisted.ensureDeferred
async def test_a_page_is_persian_and_needs_nothing_from_elsewhere(world: Any) -> None:
    """Right to left, no script, one stylesheet of our own, made for a small screen."""
    page = await world.get(f"/p/{LINK}")
    tags = dict(page.tags)
    assert (tags["html"]["lang"], tags["html"]["dir"]) == ("fa", "rtl")
    assert not {"script", "img", "iframe", "style", "object"} & tags.keys()
    assert tags["link"]["href"] == "/style.css"
    assert tags["form"] == {"method": "post", "action": f"/p/{LINK}"}
    assert "width=device-width" in str(page.tags)
    assert not any("style" in attrs or "onclick" in attrs for _tag, attrs in page.tags)
    assert len(page.body) < 4096
    style = await world.get("/style.css")
    assert (style.code, style.header("content-type")) == (200, "text/css; charset=utf-8")
    assert b"url(" not in style.body


@pytest_twisted.ensureDeferred
async def test_a_page_shows_no_more_than_the_text_did(world: Any) -> None:
    """The name is masked, and so is the subscription number; the mobile is not there."""
    body = (await world.get(f"/p/{LINK}")).body.decode()
    assert "م*** ک***" in body
    assert "مریم" not in body
    assert "۱۰۰۰۰۰۰۱" not in body
    assert "9130000001" not in body


@pytest.mark.parametrize("path", [f"/p/{LINK}", "/style.css", "/p/aaaaaaaaaaaaa", "/", "/p/%2e%2e"])
@pytest_twisted.ensureDeferred
async def test_every_answer_has_the_headers_and_tells_no_version(world: Any, path: str) -> None:
    """Whatever was asked for."""
    page = await world.get(path)
    assert page.header("content-security-policy").startswith("default-src 'none'; style-src 'self'")
    assert page.header("x-content-type-options") == "nosniff"
    assert page.header("x-frame-options") == "DENY"
    assert page.header("referrer-policy") == "strict-origin"
    assert page.header("server") == ""
    assert b"wisted" not in page.body


@pytest_twisted.ensureDeferred
async def test_the_button_leads_on_without_a_redirect(world: Any) -> None:
    """Browsers hold redirects after a form to form-action: a provider's own would be blocked."""
    page = await world.post(f"/p/{LINK}")
    assert (page.code, page.location) == (200, "")
    assert page.onward.startswith(f"{world.url}/bank/pg/StartPay/")
    assert page.header("content-security-policy").endswith("form-action 'self'")
    assert page.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/p/", "/p/aaaaaaaaaaaaa", "/p/x", "/p/..%2f..%2fetc", "/nothing", "/p/%00%ff"]
)
@pytest_twisted.ensureDeferred
async def test_what_there_is_not_is_said_in_words(world: Any, path: str) -> None:
    """In Persian, with 404."""
    page = await world.get(path)
    assert page.code == 404
    assert "پیامک" in page.texts["state"]


@pytest_twisted.ensureDeferred
async def test_no_log_has_a_link(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the log must not be able to open it."""
    events: list[Any] = []
    publisher: Any = globalLogPublisher
    publisher.addObserver(events.append)
    try:
        await world.get(f"/p/{LINK}")
    finally:
        publisher.removeObserver(events.append)
    assert LINK not in str(events) + "".join(capfd.readouterr())


@pytest_twisted.ensureDeferred
async def test_other_methods_are_refused(world: Any) -> None:
    """In words as well."""
    page = await world._fetch("DELETE", f"/p/{LINK}")
    assert (page.code, page.texts["state"]) == (405, "این کار ممکن نیست.")


@pytest_twisted.ensureDeferred
async def test_who_guesses_links_is_stopped(world: Any) -> None:
    """After twenty, and until the time gives it back; who shares the address still pays."""
    codes = [(await world.get("/p/aaaaaaaaaaaaa")).code for _ in range(22)]
    assert codes == [404] * 20 + [429] * 2
    assert (await world.get(f"/p/{LINK}")).code == 200
    world.now_ms.advance(61)
    assert (await world.get("/p/aaaaaaaaaaaaa")).code == 404


@pytest_twisted.ensureDeferred
async def test_an_address_may_ask_as_often_as_the_settings_say(world: Any) -> None:
    """And again when the time has given it back."""
    pages = PayPages(world.cashier, Pages(), {}, world.url, world.now_ms, requests_a_minute=3)
    site = make_site(Root(pages.resource, mounted={}, doors={}), reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    world.url = f"http://127.0.0.1:{port.getHost().port}"
    assert [(await world.get(f"/p/{LINK}")).code for _ in range(4)] == [200, 200, 200, 429]
    world.now_ms.advance(21)
    assert (await world.get(f"/p/{LINK}")).code == 200
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_the_simulated_bank_says_what_it_does_not_understand(world: Any) -> None:
    """A developer's mistake is one of theirs, and not an error inside."""
    for body in (b"amount=1000", b"[1000]", b""):
        page = await world.post("/bank/pg/v4/payment/request.json", data=body)
        assert page.code == 400
        assert b"no JSON object" in page.body


@pytest_twisted.ensureDeferred
async def test_trouble_is_said_without_its_insides(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No traceback, no name of a module; the log has them."""

    async def unavailable(_link: str) -> None:
        raise DatabaseUnavailable("disk I/O error at /var/lib")

    async def broken(_link: str) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(world.cashier, "find", unavailable)
    page = await world.get(f"/p/{LINK}")
    assert page.code == 503
    assert b"disk" not in page.body
    monkeypatch.setattr(world.cashier, "find", broken)
    page = await world.get(f"/p/{LINK}")
    assert page.code == 500
    assert b"secret" not in page.body
    assert b"Traceback" not in page.body
    assert "خطایی" in page.texts["state"]


@pytest_twisted.ensureDeferred
async def test_a_long_body_is_not_read(world: Any) -> None:
    """Announced or not."""
    head = f"POST /p/{LINK} HTTP/1.1\r\nHost: x\r\n".encode()
    announced = await raw(world.url, head + b"Content-Length: 99999999\r\n\r\n")
    assert announced.startswith(b"HTTP/1.1 413")
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    chunked = await raw(world.url, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3)
    assert chunked.startswith(b"HTTP/1.1 413")
    assert world.order().state == "created"


@pytest_twisted.ensureDeferred
async def test_a_slow_client_is_cut_off(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it keeps the line busy, a connection has only so long to live."""
    monkeypatch.setattr(site, "LIFE_SECONDS", 0.2)
    assert await raw(world.url, b"GET / HTTP/1.1\r\nX-Slow: ") == b""


@pytest_twisted.ensureDeferred
async def test_connections_are_counted(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit new ones are dropped."""
    monkeypatch.setattr(site, "MOST_CONNECTIONS", 0)
    assert await raw(world.url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
