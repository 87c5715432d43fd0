"""The API's dispatcher: every request comes through here, and every answer goes out of it.

For each: how much its token may ask for, whether it has the route's permission, what it says,
then the handler in one transaction with the audit log and the idempotency key; and whatever
goes wrong becomes a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from klein import Klein
from twisted.internet.defer import CancelledError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from core.access.audit import Entry
from core.access.idempotency import Kept, Key
from core.database import DatabaseUnavailable
from gateway.templates.wordings import Wordings
from gateway.web.api import problems
from gateway.web.api.asking import body_of, query_of
from gateway.web.api.call import Call
from gateway.web.api.keyring import Keyring
from gateway.web.api.letting_in import Doorkeeper
from gateway.web.api.openapi import as_bytes, document
from gateway.web.api.problems import Problem, not_found
from gateway.web.api.reference import page_of, style
from gateway.web.api.routes import Route, Routes
from gateway.web.desk.headers import guard
from gateway.web.desk.means import Means
from gateway.web.paths import Name, RowId
from gateway.web.site import address_of, live_on
from gateway.web.sizes import Sizes

log = structlog.get_logger(__name__)

PREFIX: Final = "/v1"
JSON: Final = "application/json"
_RETRY_SECONDS: Final = "5"
_LONG: Final = 16 * 1024
"""Bodies of more bytes are checked on a thread: nobody's message waits for it."""


class _Done(NamedTuple):
    """What is answered."""

    status: int
    body: str
    is_again: bool = False
    """Whether it was answered to the same request before."""


class Frame:
    """The API as a resource, made of the routes of its resources."""

    def __init__(self, means: Means, resources: Iterable[Routes]) -> None:
        web = means.settings.web
        self._means = means
        self._secure = bool(web and web.url.startswith("https:"))
        self._behind_proxy = bool(web and web.behind_proxy)
        self._doorkeeper = Doorkeeper(means)
        self._wordings = Wordings(means.minds)
        self._keyring = Keyring(means.keys)
        resources = list(resources)
        self.routes = [route for resource in resources for route in resource]
        self._app = Klein()
        self._app.url_map.converters |= {"id": RowId, "default": Name}
        for number, route in enumerate(self.routes):
            self._add(route.path, route.method, f"route{number}", self._server(route))
        url = web.url if web else ""
        for path, kind, make in (
            ("/openapi.json", JSON, lambda: as_bytes(document(resources, url))),
            ("/", "text/html; charset=utf-8", lambda: page_of(resources)),
            ("/reference.css", "text/css; charset=utf-8", style),
        ):
            self._add(path, "GET", path, self._file(kind, make))
        self._app.handle_errors(Exception)(self._lost)
        self._sizes = Sizes(f"/api{PREFIX}", self.routes)

    @property
    def resource(self) -> Any:
        """What a site mounts at ``/api``."""
        return self._app.resource()

    def most_body(self, path: bytes) -> int:
        """How many bytes may be sent to an address of the API."""
        return self._sizes.most(path)

    def too_large(self, path: bytes) -> tuple[bytes, bytes]:
        """The media type and body of the answer to more than that."""
        most = self.most_body(path)
        problem = Problem(
            "too-large",
            f"at most {most} bytes are taken here: send it in several requests",
            f"دست‌بالا {most} بایت پذیرفته است: در چند درخواست بفرستید",
        )
        return problems.TYPE.encode(), problems.as_bytes(problem)

    def _add(self, path: str, method: str, name: str, serve: Callable[..., Any]) -> None:
        self._app.route(PREFIX + path, methods=[method], endpoint=name, strict_slashes=True)(serve)

    # --- a request ----------------------------------------------------------------------

    def _server(self, route: Route) -> Callable[..., Any]:
        def serve(request: Any, **arguments: Any) -> Any:
            return self._serve(route, request, arguments)

        return serve

    async def _serve(self, route: Route, request: Any, arguments: dict[str, Any]) -> bytes:
        self._head(request, JSON)
        try:
            done = await self._answered(route, request, arguments)
        except CancelledError:
            return b""  # whoever asked has gone meanwhile
        except Exception as error:  # noqa: BLE001 - it is put in words
            return self._refuse(request, error)
        request.setResponseCode(done.status)
        if done.is_again:
            request.setHeader(b"idempotent-replayed", b"true")
        return done.body.encode()

    async def _answered(self, route: Route, request: Any, arguments: dict[str, Any]) -> _Done:
        address = address_of(request, behind_proxy=self._behind_proxy)
        token = await self._doorkeeper.let_in(request.getHeader(b"authorization"), address)
        live_on(request)
        if route.needs not in token.permissions:
            raise Problem(
                "forbidden",
                f"this needs the permission {route.needs.value}, which the token has not",
                f"این کار مجوز {route.needs.value} می‌خواهد که این کلید ندارد",
            )
        content = request.content.read()
        if len(content) > _LONG:
            query, body = await self._means.in_thread(_asked, route, request, content)
        else:
            query, body = _asked(route, request, content)
        now = self._means.now_ms()
        call = Call(self._means, route, token, query, body, address, now, self._wordings)
        if route.is_async:
            return await self._beside(call, arguments)
        if not route.changes:
            return await self._read(call, arguments)
        key = self._keyring.key(route, token, request, content)
        if key is None:
            return await self._write(call, arguments)
        with self._keyring.held(key):
            return await self._write(call, arguments, key)

    async def _beside(self, call: Call[Any, Any], arguments: dict[str, Any]) -> _Done:
        answer = await call.route.handler(call, **arguments)
        await self._audit(call)
        _finish(call)
        return _done(call.route, answer)

    async def _read(self, call: Call[Any, Any], arguments: dict[str, Any]) -> _Done:
        def work(connection: Any) -> _Done:
            return _done(call.route, call.route.handler(call, connection, **arguments))

        done: _Done = await self._means.read(f"api.{call.route.operation}", work)
        await self._audit(call)
        return done

    async def _write(
        self, call: Call[Any, Any], arguments: dict[str, Any], key: Key | None = None
    ) -> _Done:
        def work(connection: Any) -> _Done:
            kept = self._keyring.kept(connection, key) if key else None
            if kept:
                return _Done(kept.status, kept.body, is_again=True)
            done = _done(call.route, call.route.handler(call, connection, **arguments))
            self._means.scribe.write(connection, call.now, call.actor, *_entries(call))
            if key:
                answer = Kept(done.status, done.body)
                self._keyring.keep(connection, key, answer, call.now)
            return done

        done: _Done = await self._means.transact(f"api.{call.route.operation}", work)
        if not done.is_again:
            _finish(call)
        return done

    async def _audit(self, call: Call[Any, Any]) -> None:
        entries = _entries(call)
        if entries:
            write = self._means.scribe.write
            await self._means.transact("api.audit", write, call.now, call.actor, *entries)

    # --- trouble --------------------------------------------------------------------------

    def _head(self, request: Any, kind: str) -> None:
        guard(request, secure=self._secure)
        request.setHeader(b"content-type", kind.encode())

    def _lost(self, request: Any, failure: Any) -> bytes:
        """What came to no route: no such address, or not by this method."""
        self._head(request, JSON)
        error: Exception = failure.value
        if isinstance(error, MethodNotAllowed):
            ways = ", ".join(sorted(error.valid_methods or ()))
            problem = Problem(
                "method", f"take {ways}", f"{ways} پذیرفته است", headers={"allow": ways}
            )
            return self._refuse(request, problem)
        return self._refuse(request, not_found() if isinstance(error, HTTPException) else error)

    def _refuse(self, request: Any, error: Exception) -> bytes:
        match error:
            case Problem():
                problem = error
            case DatabaseUnavailable():
                log.error("database.unavailable", error=str(error))
                problem = Problem("unavailable", headers={"retry-after": _RETRY_SECONDS})
            case _:
                log.error("api.failed", exc_info=error)
                problem = Problem("failed")
        request.setResponseCode(problem.status, HTTPStatus(problem.status).phrase.encode())
        request.setHeader(b"content-type", problems.TYPE.encode())
        for name, value in problem.headers.items():
            request.setHeader(name.encode(), value.encode())
        return problems.as_bytes(problem)

    # --- documents ------------------------------------------------------------------------

    def _file(self, kind: str, make: Callable[[], bytes]) -> Callable[..., Any]:
        """What is made when somebody wants it first, beside whatever else goes on."""
        made: list[bytes] = []

        async def serve(request: Any) -> bytes:
            self._head(request, kind)
            if not made:
                made.append(await self._means.in_thread(make))
            return made[0]

        return serve


def _asked(route: Route, request: Any, content: bytes) -> tuple[Any, Any]:
    """Parameters and body. Raises ``Problem``."""
    query = query_of(route.query, request.uri)
    if route.body is None:
        return query, None
    said = request.getHeader(b"content-type") or b""
    return query, body_of(route.body, said.decode("latin-1"), content)


def _done(route: Route, answer: Any) -> _Done:
    return _Done(route.status, answer.model_dump_json())


def _entries(call: Call[Any, Any]) -> list[Entry]:
    """What the audit log is told: no change goes without a line."""
    if call.route.changes and not call.entries:
        return [Entry(call.route.action, "", call.token.utility)]
    return call.entries


def _finish(call: Call[Any, Any]) -> None:
    for hook in call.hooks:
        hook()
