"""The desk's dispatcher: every request comes through here, and every answer goes out of it.

For each: the session behind the cookie, whether what the route needs is there, for a form
whether it is one of ours, then the handler; and whatever goes wrong is put in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import structlog
from klein import Klein
from twisted.internet.defer import CancelledError, DeferredLock
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from core.access.permissions import Permission
from core.access.sessions import TOUCH_MS, Session, find_session, touch_session
from core.database import DatabaseUnavailable
from gateway.web.desk import cookies
from gateway.web.desk.board import Board
from gateway.web.desk.cookies import Cookies
from gateway.web.desk.headers import guard
from gateway.web.desk.means import Means
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.rendering import Renderer
from gateway.web.desk.routes import Access, Route, Routes
from gateway.web.desk.static import Static
from gateway.web.desk.texts import Texts
from gateway.web.desk.visit import Visit
from gateway.web.limits import Allowance, Limiter
from gateway.web.paths import RowId
from gateway.web.site import TOO_LARGE, address_of, live_on
from gateway.web.sizes import Sizes

log = structlog.get_logger(__name__)

REQUESTS: Final = Allowance(600, 60)
"""Of one address: an office shares one, and a page is several requests."""
_CODES: Final = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 500, 503})
_KEPT_SECONDS: Final = 31_536_000


class Equipment(NamedTuple):
    """What every visit is equipped with."""

    texts: Texts
    renderer: Renderer
    static: Static
    cookies: Cookies
    hashing: DeferredLock
    """Held by whoever has a password hashed."""
    board: Board
    served: frozenset[str]
    """Paths that can be opened: the navigation shows no others."""


class Frame:
    """The desk as a resource, made of the routes of its pages."""

    def __init__(self, means: Means, pages: Iterable[Routes]) -> None:
        web = means.settings.web
        url = urlsplit(web.url) if web else urlsplit("")
        self._means = means
        self._secure = url.scheme == "https"
        self._behind_proxy = bool(web and web.behind_proxy)
        self._limiter = Limiter(REQUESTS)
        self.routes = [route for page in pages for route in page]
        static = Static()
        texts, renderer = Texts(), Renderer(static, means.precedence)
        self._equipment = Equipment(
            texts,
            renderer,
            static,
            Cookies(secure=self._secure),
            DeferredLock(),
            Board(texts, renderer),
            frozenset(route.path for route in self.routes if route.method == "GET"),
        )
        self._is_warm = False
        self._app = Klein()
        self._app.url_map.converters["int"] = RowId
        for number, route in enumerate(self.routes):
            self._app.route(route.path, methods=[route.method], endpoint=f"route{number}")(
                self._server(route)
            )
        self._app.route("/static/<name>", methods=["GET"], endpoint="static")(self._file)
        self._app.handle_errors(Exception)(self._lost)
        self._sizes = Sizes("/desk", self.routes)

    @property
    def resource(self) -> Any:
        """What a site mounts at ``/desk``."""
        return self._app.resource()

    def most_body(self, path: bytes) -> int:
        """How many bytes may be sent to an address of the desk."""
        return self._sizes.most(path)

    def too_large(self, _path: bytes) -> tuple[bytes, bytes]:
        """What is answered to more: nothing is known yet of who asks."""
        return TOO_LARGE

    # --- a request ------------------------------------------------------------------

    def _server(self, route: Route) -> Callable[..., Any]:
        def serve(request: Any, **arguments: Any) -> Any:
            return self._serve(route, request, **arguments)

        return serve

    async def _serve(self, route: Route, request: Any, **arguments: Any) -> Any:
        guard(request, secure=self._secure)
        self._warm()
        visit = self._visit(request, None, "")
        try:
            self._count(visit.address)
            visit = await self._known(request)
            early = self._let_in(route, visit)
            if early is not None:
                return early
            return await visit.drawn(await route.handler(visit, **arguments))
        except CancelledError:
            return b""  # the browser has gone meanwhile
        except Exception as error:  # noqa: BLE001 - it is put in words
            return self._refuse(visit, error)

    def _warm(self) -> None:
        """With the first visitor comes the compiling, beside whatever else goes on."""
        if not self._is_warm:
            self._is_warm = True
            warming = self._means.in_thread(self._equipment.renderer.warm)
            warming.addErrback(lambda failure: log.error("web.failed", exc_info=failure.value))

    def _count(self, address: str) -> None:
        now = self._means.now_ms() / 1000
        if self._limiter.is_spent(address, now):
            raise Refusal(429)
        self._limiter.spend(address, now)

    async def _known(self, request: Any) -> Visit:
        """The visit with the session that the browser's cookie is of."""
        token = self._equipment.cookies.get(request, cookies.SESSION)
        if not token:
            return self._visit(request, None, "")
        now = self._means.now_ms()
        session: Session | None = await self._means.read(
            "desk.session", find_session, token, self._means.lifetime, now
        )
        if session is None:
            return self._visit(request, None, "")
        if session.is_verified:
            live_on(request)
            if session.seen_at + TOUCH_MS <= now:
                await self._means.transact("desk.touch", touch_session, session.id, now)
        return self._visit(request, session, token)

    def _let_in(self, route: Route, visit: Visit) -> bytes | None:
        """None to go on, or where to go first. Raises ``Refusal``."""
        if route.needs is not Access.ANYBODY:
            if visit.session is None or not visit.session.is_verified:
                return self._to_login(route, visit)
            if isinstance(route.needs, Permission) and not visit.grants.may(route.needs):
                raise Refusal(403)
        if route.method != "GET" and not visit.is_own_form():
            raise Refusal(403, "error.form")
        return None

    def _to_login(self, route: Route, visit: Visit) -> bytes:
        if route.method != "GET":
            raise Refusal(403, "error.signed_out")
        uri: bytes = visit.request.uri
        asked = uri.decode("latin-1").removeprefix("/desk")
        return visit.go(
            f"/login?next={quote(asked, safe='')}" if asked not in ("", "/") else "/login"
        )

    def _visit(self, request: Any, session: Session | None, token: str) -> Visit:
        return Visit(
            request,
            self._means,
            self._equipment,
            address=address_of(request, behind_proxy=self._behind_proxy),
            session=session,
            token=token,
        )

    # --- trouble ----------------------------------------------------------------------

    def _refuse(self, visit: Visit, error: Exception) -> bytes:
        key, values = "", dict[str, Any]()
        match error:
            case Refusal():
                code, key, values = error.code, error.key, error.values
            case DatabaseUnavailable():
                code = 503
                log.error("database.unavailable", error=str(error))
            case HTTPException(code=int(code)):
                pass
            case _:
                code = 500
                log.error("web.failed", exc_info=error)
        code = code if code in _CODES else 500
        words = visit.say(key or f"error.{code}.words", **values)
        title = visit.say(f"error.{code}.title")
        return visit.drawn_now(visit.page("error.html", code=code, title=title, words=words))

    def _lost(self, request: Any, failure: Any) -> bytes:
        """What came to no route: no such page, or not by this method."""
        guard(request, secure=self._secure)
        visit = self._visit(request, None, "")
        error: Exception = failure.value
        if isinstance(error, RequestRedirect):
            return visit.go(urlsplit(error.new_url).path.removeprefix("/desk") or "/")
        return self._refuse(visit, error)

    # --- files ------------------------------------------------------------------------

    def _file(self, request: Any, name: str) -> bytes:
        guard(request, secure=self._secure)
        file = self._equipment.static.get(name)
        if file is None:
            return self._refuse(self._visit(request, None, ""), Refusal(404))
        request.setHeader(b"content-type", file.kind.encode())
        kept = f"public, max-age={_KEPT_SECONDS}, immutable"
        request.setHeader(b"cache-control", kept.encode())
        return file.content
