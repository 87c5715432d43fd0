"""The API on loopback without a daemon around it, and tokens to call it with.

``await api.get("/inbox", token)``; ``api.token(Permission.INBOX_SEE, utility=KERMAN)`` makes
one. What is answered is looked at by ``Said``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import treq
from twisted.internet import reactor as _reactor
from twisted.web.pages import notFound

from core.access.administering import By
from core.access.audit import Actor
from core.access.permissions import Permission
from core.access.tokens import NewToken, add_token
from core.database import Database
from core.secrecy import Keys
from gateway.web.api.frame import Frame
from gateway.web.api.registry import RESOURCES
from gateway.web.api.routes import Routes
from gateway.web.mounting import Parts
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.conftest import Clock
from tests.desks import DeskWorld
from tests.pulses import FakePulse

reactor: Any = _reactor


class Said(NamedTuple):
    """An answer."""

    code: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The kind of problem, "" where it is none."""
        is_one = self.header("content-type") == "application/problem+json"
        return str(self.json["type"]).rpartition("#")[2] if is_one else ""

    @property
    def pointers(self) -> list[str]:
        """Which fields are wrong."""
        return [each["pointer"] for each in self.json.get("errors", ())]

    def header(self, name: str) -> str:
        """One header, "" when it is not there."""
        return str((self.headers.getRawHeaders(name) or [""])[0])


class ApiWorld(DeskWorld):
    """The API, its database, and hands to use it."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        now_ms: Clock,
        *,
        resources: Sequence[Routes] = RESOURCES,
        **more: Any,
    ) -> None:
        """``more``: fields of ``Means`` that a test puts others in the place of."""
        more.setdefault("pulse", FakePulse(now_ms))
        super().__init__(database, keys, now_ms, pages=(), **more)
        self.api = Frame(self.means, resources)
        self._tokens = 0

    def open(self) -> Any:
        """Listen; returns the port."""
        parts = Parts({"api": self.api})
        root = Root(notFound(), mounted=parts.resources, doors={})
        site = make_site(root, reactor, parts.most_body, parts.too_large)
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.address = f"http://127.0.0.1:{port.getHost().port}"
        return port

    def token(
        self, *permissions: Permission, utility: str = "", name: str = "", **more: Any
    ) -> str:
        """Make a token; what is shown of it. ``more``: fields of ``NewToken``."""
        self._tokens += 1
        by = By(self.means.scribe, Actor("command:test"), self.now_ms())
        new = NewToken(name or f"t{self._tokens}", permissions, utility, **more)
        return self.database.transact("token", add_token, by, new)

    async def call(
        self,
        method: str,
        path: str,
        token: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Said:
        """Ask for a path below ``/api/v1``; ``options``: ``json`` or ``data``, ``params``."""
        carried: dict[bytes | str, bytes | str] = dict((headers or {}).items())
        if token:
            carried["Authorization"] = f"Bearer {token}"
        response: Any = await treq.request(
            method,
            f"{self.address}/api/v1{path}",
            headers=carried,
            allow_redirects=False,
            persistent=False,
            **options,
        )
        return Said(response.code, response.headers, await response.content())

    async def read(self, path: str, token: str = "", **options: Any) -> Said:
        """GET."""
        return await self.call("GET", path, token, **options)

    async def send(self, path: str, token: str = "", json: Any = None, **options: Any) -> Said:
        """POST of JSON."""
        return await self.call("POST", path, token, json=json, **options)
