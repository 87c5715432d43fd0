"""Each route against each role, and what an attacker tries with forms, cookies and headers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from structlog.testing import capture_logs

from core.access.permissions import BUILT_IN, Permission
from core.database import Database, DatabaseUnavailable
from core.secrecy import Keys
from gateway.web.desk.registry import PAGES
from gateway.web.desk.routes import Access, Route, Routes
from gateway.web.desk.visit import Visit
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN, DeskWorld
from tests.raw import raw

ROUTES = [route for page in PAGES for route in page]
FOR_ANYBODY = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/code"),
    ("POST", "/login/code"),
    ("POST", "/logout"),
    ("POST", "/language"),
}
FOR_WHO_IS_IN = {
    ("GET", "/"),
    ("GET", "/account"),
    ("POST", "/account/password"),
    ("GET", "/account/totp"),
    ("POST", "/account/totp"),
    ("POST", "/account/totp/off"),
    ("POST", "/account/sessions/<int:session_id>/end"),
    ("POST", "/account/sessions/end"),
}
ALONE = {f"only {permission}": {permission} for permission in Permission}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One engine will do: what differs is tested where it is."""
    return sqlite_database


def _stub(route: Route) -> Routes:
    """The same route with nothing behind it but what the path said."""
    made = Routes()

    async def handler(visit: Visit, **_arguments: object) -> bytes:
        visit.request.setHeader(b"x-reached", b"yes")
        return b"reached"

    made.route(route.method, route.path, route.needs, most_body=route.most_body)(handler)
    return made


def _address(route: Route) -> str:
    """An address that the route takes."""
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", route.path)
    return re.sub(r"<(?:[^:>]*:)?\w+>", "1", path)


@pytest_twisted.async_yield_fixture
async def stubs(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[DeskWorld]:
    """Every route of the desk, and what is asked before it alone."""
    made = DeskWorld(database, keys, now_ms, pages=[_stub(route) for route in ROUTES])
    port = made.open()
    yield made
    await port.stopListening()


def test_routes_for_everybody_are_few_and_named() -> None:
    """A new route needs a permission, or a line in this file that somebody looks at."""
    for needs, known in ((Access.ANYBODY, FOR_ANYBODY), (Access.SIGNED_IN, FOR_WHO_IS_IN)):
        found = {(route.method, route.path) for route in ROUTES if route.needs is needs}
        assert found == known
    assert all(isinstance(route.needs, Access | Permission) for route in ROUTES)
    assert {route.method for route in ROUTES} == {"GET", "POST"}


@pytest_twisted.ensureDeferred
async def test_each_role_reaches_exactly_what_it_may(stubs: Any) -> None:
    """Every route, as nobody, as each built-in role, and with nothing but its own permission."""
    stubs.frame._limiter._most = 1_000_000
    people = {role: (stubs.person(role), BUILT_IN[role].permissions) for role in BUILT_IN}
    for name, own in ALONE.items():
        if any(route.needs in own for route in ROUTES):
            who = stubs.person(name=name.replace(" ", "-"), permissions=own)
            people[name] = (who, frozenset(own))
    for route in ROUTES:
        address = _address(route)
        ask = stubs.get if route.method == "GET" else stubs.post
        page = await ask(address)
        # Nobody's forms carry no token that would be worth anything.
        reached = route.needs is Access.ANYBODY and route.method == "GET"
        assert (page.header("x-reached") == "yes") is reached, (route, "nobody")
        if not reached:
            assert page.code in (303, 403), (route, "nobody")
        for name, (who, permissions) in people.items():
            if name in ALONE and route.needs not in permissions and route.method == "GET":
                continue  # one refusal of each form's kind is enough for a role of one permission
            page = await ask(address, who)
            may = isinstance(route.needs, Access) or route.needs in permissions
            assert page.code == (200 if may else 403), (route, name)
            assert (page.header("x-reached") == "yes") is may, (route, name)


@pytest_twisted.ensureDeferred
async def test_a_role_is_good_for_its_utility_alone(desk: Any) -> None:
    """Somebody of Kerman sees neither the users nor the log of Lorestan."""
    kerman = desk.person("administrator", name="kerman", utility=KERMAN)
    other = desk.person("viewer", name="lorestan", utility=LORESTAN)
    same = desk.person("viewer", name="colleague", utility=KERMAN)
    page = await desk.get("/users", kerman)
    assert "colleague" in page.text
    assert "lorestan" not in page.text
    assert (await desk.get(f"/users/{other.user.id}", kerman)).code == 404
    assert (await desk.post(f"/users/{other.user.id}/disable", kerman)).code == 404
    assert (await desk.get(f"/users/{same.user.id}", kerman)).code == 200


@pytest_twisted.ensureDeferred
async def test_nobody_gives_more_than_they_have(desk: Any) -> None:
    """Not by a role for another utility, nor by a role that allows more, nor to themselves."""
    boss = desk.person("administrator", name="boss")
    kerman = desk.person("administrator", name="kerman", utility=KERMAN)
    helper = desk.person(
        name="helper", permissions={Permission.USER_SEE, Permission.USER_EDIT, Permission.ROLE_EDIT}
    )
    everywhere = {"title": "x", "language": "fa", "held": f"{boss.user.held[0].role_id}:"}
    for who, words in ((kerman, "یکی از گزینه‌ها"), (helper, "بیش از اختیار")):
        page = await desk.post(f"/users/{who.user.id}", who, everywhere)
        assert page.code == 422
        assert words in page.text
        page = await desk.post(f"/users/{boss.user.id}/password", who, _twice("یک گذرواژه دراز"))
        assert page.code == 404
    own = helper.user.held[0].role_id
    role = {"name": "mine", "title": "x", "permissions": ["personal.see"]}
    assert (await desk.post(f"/roles/{own}", helper, role)).code == 422
    assert (await desk.post("/roles/new", kerman, role)).code == 403
    builtin = boss.user.held[0].role_id
    assert (await desk.post(f"/roles/{builtin}", boss, role)).code == 422
    assert [row.action for row in desk.audited()] == []


@pytest_twisted.ensureDeferred
async def test_forms_of_others_are_not_taken(desk: Any) -> None:
    """Without a token, with somebody else's, or sent by another site."""
    boss, other = desk.person("administrator", name="boss"), desk.person("viewer", name="other")
    path = f"/users/{other.user.id}/disable"
    for fields in ({"csrf": ""}, {"csrf": desk.csrf(other)}, {"csrf": "é" * 64}):
        page = await desk.post(path, boss, fields)
        assert page.code == 403
        assert "فرم دیگر معتبر نیست" in page.text
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert (await desk.post(path, boss, headers=crossed)).code == 403
    assert (await desk.get(f"{path}?csrf={desk.csrf(boss)}", boss)).code == 405
    assert desk.audited() == []
    assert (await desk.post(path, boss)).code == 303
    assert [(row.who, row.action, row.object) for row in desk.audited()] == [
        ("boss", "user.disable", "user:other")
    ]
    assert (await desk.get("/account", other)).code == 303  # logged out at once


@pytest_twisted.ensureDeferred
async def test_headers_cannot_be_broken_into(desk: Any) -> None:
    """Neither by where to go next, nor by a name that comes back in a cookie."""
    boss = desk.person("administrator")
    for wanted in ("/%0d%0aSet-Cookie:%20a=b", "//evil.example", "/\\evil.example", "https:evil"):
        data = {"language": "fa", "next": wanted.replace("%0d%0a", "\r\n").replace("%20", " ")}
        page = await desk.post("/language", boss, data)
        assert page.location == "/desk/"
        cookies = page.headers.getRawHeaders("set-cookie") or []
        assert not any(cookie.startswith("a=") for cookie in cookies)
    page = await desk.get("/nowhere%0d%0aX-Evil:%20yes", boss)
    assert page.code == 404
    assert page.header("x-evil") == ""


@pytest_twisted.ensureDeferred
async def test_every_answer_is_guarded_and_says_nothing_of_us(desk: Any) -> None:
    """Pages, errors, redirects and files alike; only files may be kept."""
    boss = desk.person("administrator")
    for path in ("/account", "/nowhere", "/login", "/", "/static/desk.css", "/static/../frame.py"):
        page = await desk.get(path, boss)
        assert page.header("content-security-policy").startswith("default-src 'self';")
        assert "'unsafe-inline'" not in page.header("content-security-policy")
        assert page.header("x-content-type-options") == "nosniff"
        assert page.header("referrer-policy") == "same-origin"
        assert page.header("server") == ""
        is_file = path == "/static/desk.css"
        assert page.header("cache-control").startswith("public" if is_file else "no-store")
        assert "strict-transport-security" not in [
            name.decode().lower() for name, _ in page.headers.getAllRawHeaders()
        ]
        assert b" style=" not in page.body
        assert b"<script>" not in page.body
    for path in ("/static/..%2fframe.py", "/static/%2e%2e/%2e%2e/frame.py", "/static/x"):
        page = await desk.get(path, boss)
        assert page.code == 404
        assert b"import" not in page.body


@pytest_twisted.ensureDeferred
async def test_over_https_cookies_stay_with_the_host(
    database: Database, keys: Keys, now_ms: Clock
) -> None:
    """Secure, and bound to the host by their name."""
    made = DeskWorld(database, keys, now_ms, url="https://desk.example")
    port = made.open()
    page = await made.get("/login")
    (cookie,) = page.headers.getRawHeaders("set-cookie")
    assert cookie.startswith("__Host-peyk_visitor=")
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(cookie.split("; "))
    assert page.header("strict-transport-security") == "max-age=31536000"
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_trouble_is_said_without_its_insides(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the visitor's language; the log has the rest."""
    boss = desk.person("administrator", language="en")
    for error, code, event in (
        (ZeroDivisionError("secret"), 500, "web.failed"),
        (DatabaseUnavailable("disk"), 503, "database.unavailable"),
    ):

        async def broken(*_: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(Visit, "read", broken)
        with capture_logs() as logged:
            page = await desk.get("/users", boss)
        assert page.code == code
        assert event in {each["event"] for each in logged}
        for inside in (b"secret", b"disk", b"Traceback", b"ZeroDivision"):
            assert inside not in page.body
        assert "lang" in dict(page.tags)["html"]
        assert dict(page.tags)["html"]["lang"] == "en"


@pytest_twisted.ensureDeferred
async def test_what_people_wrote_is_shown_and_never_run(desk: Any) -> None:
    """A name with a script in it."""
    boss = desk.person("administrator", name="boss")
    role = {"name": "evil", "title": "<script>alert(1)</script>", "permissions": ["inbox.see"]}
    assert (await desk.post("/roles/new", boss, role)).code == 303
    for path in ("/roles", "/audit"):
        page = await desk.get(path, boss)
        assert b"<script" not in page.body
    assert b"&lt;script&gt;alert(1)" in (await desk.get("/roles", boss)).body


@pytest_twisted.ensureDeferred
async def test_a_form_is_no_longer_than_its_route_takes(desk: Any) -> None:
    """Announced or not: refused before it is read."""
    head = b"POST /desk/login HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    for sent in (
        head + b"Content-Length: 70000\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3,
    ):
        assert (await raw(desk.address, sent)).startswith(b"HTTP/1.1 413")


def _twice(password: str) -> dict[str, str]:
    return {"new": password, "again": password}
