"""What holds for every route: tokens, rates, keys, problems; on a resource of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from pydantic import Field
from sqlalchemy import insert, update
from twisted.internet.defer import Deferred, gatherResults

from core.access.administering import By
from core.access.audit import Actor
from core.access.permissions import Permission
from core.access.tokens import revoke_token
from core.database import Database
from core.ids import IdMaker
from core.secrecy import Keys
from core.tables.access import api_tokens, idempotency_keys, roles
from gateway.version import version
from gateway.web.api.call import Call
from gateway.web.api.cursors import cursor, place
from gateway.web.api.frame import Frame
from gateway.web.api.models import Mobile, Model, Nothing, Page, Paging
from gateway.web.api.problems import Problem
from gateway.web.api.routes import Routes
from tests.apis import ApiWorld
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN
from tests.raw import raw

made = Routes("things", "Things")
SEE, EDIT = Permission.ROLE_EDIT, Permission.TEMPLATE_EDIT


class Thing(Model):
    """A body."""

    name: str = Field(max_length=5)
    mobile: Mobile | None = None
    utility: str | None = None


class Made(Model):
    """An answer."""

    name: str
    utility: str


@made.route(
    "POST",
    "/things",
    EDIT,
    summary="Make",
    answers=Made,
    body=Thing,
    status=201,
    action="thing.make",
)
def make(call: Call[Nothing, Thing], connection: Any) -> Made:
    """Put a row where nothing else minds."""
    utility = call.utility(call.body.utility)
    values = {"name": call.body.name, "title": "", "permissions": "[]", "changed_at": call.now}
    connection.execute(insert(roles).values(values))
    call.after(call.means.on_queued)
    if call.body.name == "never":
        raise Problem("conflict", "not that", "آن نه")
    return Made(name=call.body.name, utility=utility)


@made.route("GET", "/things", SEE, summary="List", answers=Page[Made], query=Paging)
def listed(call: Call[Paging, None], _connection: Any) -> Page[Made]:
    """Three of them, two a page."""
    first = place("things", call.query.cursor) or 0
    rows = [Made(name=str(n), utility="") for n in range(first, 3)][: call.query.limit]
    following = first + len(rows)
    return Page(items=rows, next=cursor("things", following) if following < 3 else None)


@made.route("GET", "/things/<id:thing>", SEE, summary="Show", answers=Made)
def show(call: Call[Nothing, None], _connection: Any, thing: int) -> Made:
    """One, of Kerman."""
    call.check(KERMAN)
    return Made(name=str(thing), utility=KERMAN)


@pytest_twisted.async_yield_fixture
async def api(database: Database, keys: Keys, now_ms: Clock) -> AsyncIterator[ApiWorld]:
    """A resource of this file alone."""
    world = ApiWorld(database, keys, now_ms, resources=[made])
    port = world.open()
    yield world
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_tokens(api: ApiWorld) -> None:
    """Nobody comes in without one that is good, has the permission and is for those data."""
    good = api.token(SEE, name="good")
    assert (await api.read("/things", good)).code == 200
    for wrong in ("", "peyk_wrong", good + "x"):
        said = await api.read("/things", wrong)
        assert (said.code, said.problem) == (401, "unauthorised")
        assert said.header("www-authenticate").startswith("Bearer")
    assert (await api.send("/things", good, {"name": "x"})).problem == "forbidden"
    assert (await api.read("/things/7", good)).json == {"name": "7", "utility": KERMAN}
    assert (await api.read("/things/7", api.token(SEE, utility=LORESTAN))).problem == "not-found"
    short = api.token(SEE, expires_at=api.now_ms() + 60_000)
    assert (await api.read("/things", short)).code == 200
    api.now_ms.advance(60)
    assert (await api.read("/things", short)).code == 401
    by = By(api.means.scribe, Actor("command:test"), api.now_ms())
    api.database.transact("revoke", revoke_token, by, "good")
    assert (await api.read("/things", good)).code == 401
    stored = api.rows(api_tokens)
    assert good not in str(stored)
    assert stored[0].used_at is not None


@pytest_twisted.ensureDeferred
async def test_a_key_does_it_once(api: ApiWorld) -> None:
    """Again the same is answered; other bodies, and the same at once, are refused."""
    token = api.token(EDIT, utility=KERMAN, name="billing")
    key = {"Idempotency-Key": "one"}
    first = await api.send("/things", token, {"name": "a"}, headers=key)
    assert (first.code, first.json) == (201, {"name": "a", "utility": KERMAN})
    again = await api.send("/things", token, {"name": "a"}, headers=key)
    assert (again.code, again.body) == (201, first.body)
    assert again.header("idempotent-replayed") == "true"
    assert api.queued == 1
    other = await api.send("/things", token, {"name": "b"}, headers=key)
    assert (other.code, other.problem) == (422, "key-reused")
    stored = api.rows(idempotency_keys)
    assert KERMAN not in stored[0].body  # nobody reads it there
    calls = [
        Deferred.fromCoroutine(
            api.send("/things", token, {"name": "c"}, headers={"Idempotency-Key": "two"})
        )
        for _ in range(8)
    ]
    codes = [said.code for said in await gatherResults(calls)]
    assert set(codes) <= {201, 409}
    assert 201 in codes
    assert sorted(row.name for row in api.rows(roles) if row.name in "abc") == ["a", "c"]
    # What failed was not done, and its key is good for another try.
    for _ in range(2):
        said = await api.send("/things", token, {"name": "never"}, headers={"Idempotency-Key": "3"})
        assert (said.code, said.json["detail_fa"]) == (409, "آن نه")
    done = [(row.who, row.action) for row in api.audited() if row.action == "thing.make"]
    assert done == [("token:billing", "thing.make")] * 2


@pytest_twisted.ensureDeferred
async def test_a_key_does_it_once_whichever_daemon_is_asked(
    postgresql_database: Database, keys: Keys, now_ms: Clock
) -> None:
    """Two of them on a database, asked at the same moment again and again."""
    daemons = [ApiWorld(postgresql_database, keys, now_ms, resources=[made]) for _ in range(2)]
    daemons[1].means = daemons[1].means._replace(ids=IdMaker(2, now_ms))
    daemons[1].api = Frame(daemons[1].means, [made])
    ports = [each.open() for each in daemons]
    token = daemons[0].token(EDIT, utility=KERMAN)
    for turn in range(5):
        key = {"Idempotency-Key": f"k{turn}"}
        calls = [
            Deferred.fromCoroutine(each.send("/things", token, {"name": f"n{turn}"}, headers=key))
            for each in (*daemons, *daemons)
        ]
        codes = [said.code for said in await gatherResults(calls)]
        assert set(codes) <= {201, 409}
        assert 201 in codes
    names = [row.name for row in daemons[0].rows(roles) if row.name.startswith("n")]
    assert sorted(names) == [f"n{turn}" for turn in range(5)]
    for port in ports:
        await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_an_answer_of_another_master_key(api: ApiWorld) -> None:
    """It was done, and nothing is done again; nobody can read what was answered."""
    token, key = api.token(EDIT, utility=KERMAN), {"Idempotency-Key": "one"}
    assert (await api.send("/things", token, {"name": "a"}, headers=key)).code == 201
    values = {"body": Keys(b"x" * 32).seal("idempotency", "{}")}
    api.database.transact("other", lambda c: c.execute(update(idempotency_keys).values(values)))
    assert (await api.send("/things", token, {"name": "a"}, headers=key)).problem == "conflict"


@pytest_twisted.ensureDeferred
async def test_rates(api: ApiWorld) -> None:
    """Of a token, and of wrong ones by address; who is known is not kept out by others."""
    token = api.token(SEE, per_minute=3)
    codes = [(await api.read("/things", token)).code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    said = await api.read("/things", token)
    assert (said.problem, said.header("retry-after")) == ("too-many", "20")
    api.now_ms.advance(20)
    assert (await api.read("/things", token)).code == 200
    api.now_ms.advance(60)
    wrong = [(await api.read("/things", f"wrong{n}")).code for n in range(22)]
    assert wrong == [401] * 20 + [429] * 2
    assert (await api.read("/things", token)).code == 200
    assert (await api.read("/things", api.token(SEE))).code == 429
    api.now_ms.advance(60)
    assert (await api.read("/things", api.token(SEE))).code == 200


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_said(api: ApiWorld) -> None:
    """Field by field, in both languages; nothing is done."""
    token = api.token(EDIT, SEE)
    said = await api.send("/things", token, {"name": 5, "mobile": "12345678901", "more": 1})
    assert (said.code, said.problem) == (422, "invalid")
    assert said.pointers == ["/name", "/mobile", "/more"]
    assert all(each["detail"] and each["detail_fa"] for each in said.json["errors"])
    json = {"Content-Type": "application/json"}
    for body, headers, problem in (
        (b"{", json, "malformed"),
        (b'{"name": NaN}', json, "malformed"),
        (b'{"name": "a\\u0000"}', json, "invalid"),
        (b"\xff", json, "malformed"),
        (b'{"name": "\\ud800"}', json, "malformed"),
        (b"[" * 50_000, json, "malformed"),
        (b"", json, "malformed"),
        (b'{"name": "a"}', {"Content-Type": "text/plain"}, "media-type"),
        (b'{"name": "a"}', {}, "media-type"),
        (b'{"name": "a"}', {"Content-Type": "application/json; charset=utf-16"}, "media-type"),
        (b"name=a", {"Content-Type": "application/x-www-form-urlencoded"}, "media-type"),
        (b'{"name": "%s"}' % (b"x" * 70_000), json, "too-large"),
        (b'{"name": "a"}', {**json, "Idempotency-Key": "a b"}, "invalid"),
        (b'{"name": "a"}', {**json, "Idempotency-Key": "x" * 201}, "invalid"),
        (b'{"name": "a"}', json, "invalid"),  # of several utilities none is named
        (b'{"name": "a", "utility": "nobody"}', json, "not-found"),
    ):
        said = await api.call("POST", "/things", token, data=body, headers=headers)
        assert said.problem == problem, (body[:40], said.body)
    assert not [row for row in api.rows(roles) if row.name == "a"]
    for path, problem in (
        ("/things?limit=x", "invalid"),
        ("/things?limit=0", "invalid"),
        ("/things?limit=1&limit=2", "invalid"),
        ("/things?more=1", "invalid"),
        ("/things?cursor=zzz", "invalid"),
        ("/things?limit=%ff", "malformed"),
        ("/things?cursor=%00", "invalid"),
        ("/nothing", "not-found"),
        ("/things/9223372036854775808", "not-found"),
        ("/things/x", "not-found"),
        ("/things/", "not-found"),
    ):
        assert (await api.read(path, token)).problem == problem, path
    said = await api.call("DELETE", "/things", token)
    assert (said.code, said.header("allow")) == (405, "GET, HEAD, POST")


@pytest_twisted.ensureDeferred
async def test_what_no_library_would_send(api: ApiWorld) -> None:
    """Bodies that grow, headers within headers: refused as problems, and nothing is echoed."""
    token = api.token(EDIT, utility=KERMAN).encode()
    post = b"POST /api/v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    post += b"Content-Type: application/json\r\nAuthorization: Bearer " + token + b"\r\n"
    body = b'Content-Length: 13\r\n\r\n{"name": "a"}'
    end = b"Host: x\r\nConnection: close\r\n\r\n"
    for sent, begins in (
        (post + b"Content-Length: 70000\r\n\r\n", b"HTTP/1.1 413"),
        (
            post
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3,
            b"HTTP/1.1 413",
        ),
        (post + b"Idempotency-Key: a\x00b\r\n" + body, b"HTTP/1.1 4"),
        (post + b"Idempotency-Key: a\r\n Set-Cookie: evil=1\r\n" + body, b"HTTP/1.1 4"),
        (
            b"GET /api/v1/things/%0d%0aSet-Cookie:evil=1 HTTP/1.1\r\n" + end,
            b"HTTP/1.1 404",
        ),
        (
            b"GET /api/v1/things HTTP/1.1\r\nAuthorization: Bearer \xd8\xb3\r\n" + end,
            b"HTTP/1.1 401",
        ),
    ):
        got = await raw(api.address, sent)
        assert got.startswith(begins), got
        head, _, _rest = got.partition(b"\r\n\r\n")
        assert b"evil" not in head
        if got.startswith(b"HTTP/1.1 413"):
            assert b"application/problem+json" in head
    assert not [row for row in api.rows(roles) if row.name == "a"]


@pytest_twisted.ensureDeferred
async def test_pages_of_a_list(api: ApiWorld) -> None:
    """Go on where the one before ended."""
    token, names, path = api.token(SEE), [], "/things?limit=2"
    while path:
        said = (await api.read(path, token)).json
        names += [each["name"] for each in said["items"]]
        path = f"/things?limit=2&cursor={said['next']}" if said["next"] else ""
    assert names == ["0", "1", "2"]
    assert (await api.read(f"/things?cursor={cursor('others', 1)}", token)).pointers == ["cursor"]


@pytest_twisted.ensureDeferred
async def test_documents_for_anybody(api: ApiWorld) -> None:
    """OpenAPI of the routes, and a page that needs nothing from elsewhere."""
    document = (await api.read("/openapi.json")).json
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1", "of the API: who has no token learns no release"
    assert set(document["paths"]) == {"/things", "/things/{thing}"}
    post = document["paths"]["/things"]["post"]
    assert post["x-permission"] == EDIT.value
    assert {"201", "409", "413", "415", "422", "429"} <= set(post["responses"])
    page = await api.read("/")
    assert page.header("content-security-policy").startswith("default-src 'self'")
    assert b"<script" not in page.body
    assert version().encode() not in page.body
    assert b"//" not in page.body.replace(b"https://HOST", b"")
    assert (await api.read("/reference.css")).code == 200
