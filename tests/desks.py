"""The desk on loopback without a daemon around it, and people who use it.

Tests that need no browser talk HTTP to it: ``await desk.get("/inbox", user)``. A user is made
and logged in by ``desk.person(...)`` without the pages for that, which have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import treq
from sqlalchemy import Connection, insert, select
from twisted.internet import reactor as _reactor
from twisted.internet.defer import succeed
from twisted.internet.threads import deferToThread
from twisted.web.pages import notFound

from core.access.audit import Audited, AuditFilter, list_audit
from core.access.permissions import Permission
from core.access.roles import RoleDraft, ids_of, save_role
from core.access.sessions import Browser, Lifetime, begin_session
from core.access.users import NewUser, User, add_user, find_user
from core.database import Database
from core.ids import IdMaker
from core.operations import REGISTRY
from core.secrecy import Keys
from gateway.minds import LineMind
from gateway.precedence import Precedence
from gateway.profiles import Profile, load_profile
from gateway.settings import Settings
from gateway.smpp.text import Alphabet
from gateway.web.desk import frame
from gateway.web.desk.means import Means
from gateway.web.desk.registry import PAGES
from gateway.web.desk.rendering import Renderer
from gateway.web.desk.routes import Routes
from gateway.web.desk.static import Static
from gateway.web.desk.texts import Texts
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.conftest import Clock
from tests.pages import Tags

reactor: Any = _reactor
PROFILES = Path(__file__).parents[1] / "config" / "profiles"
KERMAN, LORESTAN = "kerman-water", "lorestan-water"
LINES = {"100034122": KERMAN, "100066133": LORESTAN}
LIFETIME = Lifetime(3_600_000, 12 * 3_600_000)
PASSWORD_HASH = "nobody logs in with a password here"
_profiles: dict[str, Profile] = {}
_PRECEDENCE = Precedence()
_MADE_ONCE = {each.__name__: cache(each) for each in (Texts, Static, Renderer)}


class Page(Tags):
    """What a browser would make of an answer."""

    def __init__(self, response: Any, body: bytes) -> None:
        super().__init__(response, body)
        self.texts: list[str] = []
        if self.header("content-type").startswith("text/html"):
            self.feed(body.decode())

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """Everything that can be read."""
        return " ".join(self.texts)

    @property
    def links(self) -> list[str]:
        """Where one can go from here."""
        return [str(attrs["href"]) for tag, attrs in self.tags if tag == "a" and "href" in attrs]

    def offered(self, name: str) -> list[str]:
        """The values that a select offers; nothing where there is none."""
        found: list[str] = []
        here = False
        for tag, attrs in self.tags:
            here = attrs.get("name") == name if tag == "select" else here and tag == "option"
            if here and tag == "option":
                found.append(attrs.get("value") or "")
        return found


class Person(NamedTuple):
    """A user with a browser that is logged in."""

    user: User
    token: str


class DeskWorld:
    """The desk, its database, and hands to use it."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        now_ms: Clock,
        *,
        pages: Sequence[Routes] = PAGES,
        url: str = "http://127.0.0.1:1",
        **more: Any,
    ) -> None:
        """``more``: fields of ``Means`` that a test puts others in the place of."""
        self.database = database
        self.now_ms = now_ms
        self.queued = 0
        self.address = ""
        for name in LINES.values():
            if name not in _profiles:
                _profiles[name] = load_profile(PROFILES / name, REGISTRY)
        means = Means(
            settings=Settings.model_validate({"daemon": {"key": "k" * 32}, "web": {"url": url}}),
            transact=self._transact,
            read=self._read,
            database=database,
            in_report=deferToThread,
            in_thread=deferToThread,
            precedence=_PRECEDENCE,
            ids=IdMaker(1, now_ms),
            keys=keys,
            minds={
                line: LineMind(_profiles[name], Alphabet.GSM7, 8) for line, name in LINES.items()
            },
            profiles=dict(_profiles),
            now_ms=now_ms,
            on_queued=self._queue,
            pulse=None,
            live=None,
            on_switched=lambda: succeed(None),
            lifetime=LIFETIME,
        )
        self.means = means._replace(**more)
        with pytest.MonkeyPatch.context() as patch:
            # A daemon reads its texts and compiles its templates once; all these desks too.
            for name, made in _MADE_ONCE.items():
                patch.setattr(frame, name, made)
            self.frame = frame.Frame(self.means, pages)

    def open(self) -> Any:
        """Listen; returns the port."""
        root = Root(notFound(), mounted={"desk": self.frame.resource}, doors={}, begin="/desk/")
        site = make_site(root, reactor, self.frame.most_body)
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.address = f"http://127.0.0.1:{port.getHost().port}"
        return port

    def _transact(self, name: str, function: Any, *arguments: Any) -> Any:
        return deferToThread(self.database.transact, name, function, *arguments)

    def _read(self, name: str, function: Any, *arguments: Any) -> Any:
        return deferToThread(self.database.read, name, function, *arguments)

    def _queue(self) -> None:
        self.queued += 1

    # --- people -----------------------------------------------------------------------

    def person(
        self,
        *roles: str,
        name: str = "",
        utility: str = "",
        permissions: Iterable[Permission] = (),
        language: str = "fa",
        office: str = "",
    ) -> Person:
        """Somebody with these roles (or a role of ``permissions``), logged in."""
        wanted = frozenset(permissions)
        name = name or "-".join(roles) or "somebody"

        def make(connection: Connection) -> Person:
            now = self.now_ms()
            held = list(ids_of(connection, roles).values())
            if wanted:
                held.append(save_role(connection, None, RoleDraft(f"r-{name}", "", wanted), now))
            new = NewUser(name, f"آقای {name}", PASSWORD_HASH, language, office)
            user_id = add_user(connection, new, [(each, utility) for each in held], now)
            browser = Browser("127.0.0.1", "test")
            token = begin_session(connection, user_id, browser, LIFETIME, now, verified=True)
            user = find_user(connection, user_id)
            assert user is not None
            return Person(user, token)

        return self.database.transact("person", make)

    # --- requests -----------------------------------------------------------------------

    async def get(self, path: str, who: Person | None = None, **options: Any) -> Page:
        """Open a page of the desk: ``/inbox``."""
        return await self.ask("GET", path, who, **options)

    async def post(
        self,
        path: str,
        who: Person | None = None,
        data: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Page:
        """Send a form, with the token that this person's forms carry."""
        fields = {"csrf": self.csrf(who), **(data or {})}
        return await self.ask("POST", path, who, data=fields, **options)

    def csrf(self, who: Person | None) -> str:
        """What this person's forms carry."""
        return self.means.keys.sign("csrf", who.token) if who else ""

    async def ask(
        self, method: str, path: str, who: Person | None, *, cookies: Any = None, **options: Any
    ) -> Page:
        """Ask for a page as it stands."""
        carried = {**({"peyk_session": who.token} if who else {}), **(cookies or {})}
        headers = dict(options.pop("headers", {}))
        if carried:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in carried.items())
        response: Any = await treq.request(
            method,
            f"{self.address}/desk{path}",
            allow_redirects=False,
            persistent=False,
            headers=headers,
            **options,
        )
        return Page(response, await response.content())

    # --- the database ---------------------------------------------------------------------

    def add(self, table: Any, *rows: Mapping[str, Any]) -> None:
        """Put rows into a table."""
        self.database.transact("add", lambda c: c.execute(insert(table), list(rows)))

    def rows(self, table: Any) -> list[Any]:
        """Everything in a table."""
        return self.database.read("rows", lambda c: list(c.execute(select(table))))

    def audited(self) -> list[Audited]:
        """The audit log, the oldest first."""
        return list(self.database.read("audit", list_audit, AuditFilter(limit=1000)))[::-1]


MakeDesk = Callable[..., DeskWorld]
