"""Which addresses the API has, what each takes and answers, and who may call it.

A resource's module has one ``Routes`` and declares its handlers with it::

    routes = Routes("messages", "Messages")

    @routes.route(
        "POST", "/messages", Permission.MESSAGE_SEND,
        summary="Send messages", body=Send, answers=Sent, status=202,
        action="message.send", example={"line": "100034122", …},
    )
    def send(call: Call[Nothing, Send], connection: Any) -> Sent: ...

The module is named in ``registry.py``. Paths are below ``/api/v1``; what differs in one is
``<id:message>`` (a number, handed to the handler as ``message``) or ``<name>`` (a text). A plain
function runs in one transaction, that of POST and the like on the thread that writes; an
``async def`` runs beside the batches, without a connection.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.access.permissions import Permission
from gateway.web.api.models import Model, Nothing
from gateway.web.sizes import SMALL

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    needs: Permission
    handler: Callable[..., Any]
    tag: str
    summary: str
    """A line of the reference, in English."""
    answers: Any
    """The model of what is answered."""
    description: str = ""
    status: int = 200
    query: type[Model] = Nothing
    body: type[Model] | None = None
    action: str = ""
    """What the audit log calls it; empty only where nothing is changed or seen of a person."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body, or for GET parameters, that make sense."""
    problems: Sequence[str] = ()
    """Kinds of problems that the handler raises, beside those that any route may have.

    Nor is ``not-found`` named where the address or the field ``utility`` says that it may be.
    """
    most_body: int = SMALL
    is_secret: bool = False
    """The answer has what is shown once: it is not kept under an idempotency key."""

    @property
    def changes(self) -> bool:
        """Whether it does something: a write transaction, an entry in the audit log, a key."""
        return self.method != "GET"

    @property
    def is_async(self) -> bool:
        """Whether its handler needs no transaction of its own."""
        return inspect.iscoroutinefunction(self.handler)

    @property
    def takes_key(self) -> bool:
        """Whether it may be asked for with an idempotency key."""
        return self.changes and not self.is_secret and not self.is_async

    @property
    def operation(self) -> str:
        """Its name in the OpenAPI document."""
        return f"{self.tag}.{self.handler.__name__}"


class Routes:
    """The routes of one resource."""

    def __init__(self, tag: str, title: str) -> None:
        """``tag``: the resource's name in the OpenAPI document; ``title``: its heading."""
        self.tag = tag
        self.title = title
        self._routes: list[Route] = []

    def route(
        self, method: str, path: str, needs: Permission, *, summary: str, answers: Any, **more: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a handler; ``more``: the other fields of ``Route``."""

        def declare(handler: Handler) -> Handler:
            said = inspect.getdoc(handler) or ""
            more.setdefault("description", said)
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    needs=needs,
                    handler=handler,
                    tag=self.tag,
                    summary=summary,
                    answers=answers,
                    **more,
                )
            )
            return handler

        return declare

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)
