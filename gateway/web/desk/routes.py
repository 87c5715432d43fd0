"""Which addresses the desk has, what each needs, and who answers.

A page's module has one ``Routes`` and declares its handlers with it::

    routes = Routes()

    @routes.route("GET", "/inbox", Permission.INBOX_SEE)
    async def show(visit: Visit) -> bytes: ...

Paths are below ``/desk`` and are written as werkzeug's rules: ``/inbox/<int:message>``. What
stands in the place of a permission is never left out: a route is for whoever has a permission,
for everybody who is logged in (``Access.SIGNED_IN``), or for the whole world.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

from core.access.permissions import Permission
from gateway.web.sizes import SMALL

Handler = Callable[..., Awaitable[Any]]


class Access(Enum):
    """Whom a route is for that needs no permission."""

    ANYBODY = auto()
    SIGNED_IN = auto()


class Route(NamedTuple):
    """One method of one path."""

    method: str
    """``GET`` (which answers HEAD too) or ``POST``."""
    path: str
    needs: Permission | Access
    handler: Handler
    most_body: int = SMALL
    """How many bytes may be sent to it."""


class Routes:
    """The routes of one page."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def route(
        self, method: str, path: str, needs: Permission | Access, *, most_body: int = SMALL
    ) -> Callable[[Handler], Handler]:
        """Declare a handler: called with the ``Visit`` and what the path has in brackets."""

        def declare(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, needs, handler, most_body))
            return handler

        return declare

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)
