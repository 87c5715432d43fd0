"""One call of the API: what a handler is given, and what it may ask of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from core.access.audit import Actor, Entry
from core.access.permissions import Permission
from core.access.tokens import Token
from gateway.minds import LineMind
from gateway.templates.wordings import Wordings
from gateway.web.api.models import Model
from gateway.web.api.problems import Problem, Words, Wrong, invalid, not_found
from gateway.web.api.routes import Route
from gateway.web.desk.means import Means

Query = TypeVar("Query", bound=Model)
Body = TypeVar("Body")


@dataclass(slots=True)
class Call(Generic[Query, Body]):
    """A request that may be made: its token has the route's permission for some data.

    Handlers use it on threads of the database: ``after`` is how they reach the reactor's.
    """

    means: Means
    route: Route
    token: Token
    query: Query
    body: Body
    address: str
    now: int
    """UTC milliseconds."""
    wordings: Wordings
    """What templates are written with."""
    entries: list[Entry] = field(default_factory=list)
    hooks: list[Callable[[], object]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """Who does it, for the audit log and for whatever else is signed."""
        return Actor(f"token:{self.token.name}", self.address)

    @property
    def scope(self) -> frozenset[str] | None:
        """The utilities whose data it may be about; None: every one."""
        return self.token.grants.scope(self.route.needs)

    def check(self, utility: str | None) -> None:
        """Raise ``not-found`` unless the token is for this utility's data.

        What belongs to no utility (None) is for tokens of every one.
        """
        scope = self.scope
        if scope is not None and (utility is None or utility not in scope):
            raise not_found()

    def utility(self, said: str | None, pointer: str = "/utility") -> str:
        """The utility that a request is about: the one that it names, else the token's.

        Raises ``not-found`` for one that is not there or not the token's, ``invalid`` where none
        is named and the token is for several.
        """
        known, scope = self.means.utilities, self.scope
        if said is None:
            mine = [each for each in known if scope is None or each in scope]
            if len(mine) != 1:
                raise invalid(
                    pointer,
                    "is needed: the token is for several",
                    "لازم است: کلید برای چند شرکت است",
                )
            return mine[0]
        if said not in known or (scope is not None and said not in scope):
            words = Words(
                "there is no such utility, or it is not for this token",
                "چنین شرکتی نیست، یا این کلید به آن دسترسی ندارد",
            )
            raise Problem("not-found", *words, wrong=[Wrong(pointer, words)])
        return said

    def minds(self, utility: str) -> dict[str, LineMind]:
        """The utility's lines in the order of the settings, each with what writes its texts."""
        return {line: mind for line, mind in self.means.minds.items() if mind.utility == utility}

    def may(self, permission: Permission, utility: str | None = None) -> bool:
        """Whether the token may do something else too."""
        return self.token.grants.may(permission, utility)

    def sees_personal(self, utility: str | None) -> bool:
        """Whether personal data of this utility is shown whole; whoever shows it notes it."""
        scope = self.token.grants.scope(Permission.PERSONAL_SEE)
        return scope is None or (utility is not None and utility in scope)

    def note(self, object_: str, utility: str | None = None, **details: Any) -> None:
        """Write a line of the audit log, under the route's action, in the same transaction."""
        self.entries.append(Entry(self.route.action, object_, utility or "", details))

    def after(self, hook: Callable[[], object]) -> None:
        """Have ``hook`` called on the reactor's thread once everything is committed."""
        self.hooks.append(hook)
