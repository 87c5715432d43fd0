"""What waits for somebody: figures beside the pages of the navigation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from core.access.permissions import Permission
from core.readings.lists import count_waiting
from core.requests.box import Reader, Side, count_unseen

if TYPE_CHECKING:
    from gateway.web.desk.visit import Visit


async def waiting(visit: Visit) -> dict[str, int]:
    """How much waits for the visitor, by the keys of the navigation's items."""
    asked: dict[str, tuple[Callable[..., int], Any]] = {}
    reader = reader_of(visit)
    if reader is not None:
        asked["box"] = count_unseen, reader
    if visit.may(Permission.READING_DECIDE):
        asked["readings"] = count_waiting, visit.scope(Permission.READING_DECIDE)
    found: dict[str, int] = await visit.read("waiting", _counted, asked) if asked else {}
    return found


def _counted(
    connection: Any, asked: Mapping[str, tuple[Callable[..., int], Any]]
) -> dict[str, int]:
    return {key: count(connection, whose) for key, (count, whose) in asked.items()}


def reader_of(visit: Visit) -> Reader | None:
    """The visitor as a reader of the box; None for who has none."""
    if not visit.may(Permission.REQUEST_MESSAGE):
        return None  # nobody at all, too
    needs = {Permission.REQUEST_SEE, Permission.REQUEST_MESSAGE}
    if not visit.user.office:
        needs.add(Permission.REQUEST_DECIDE)
    if not all(visit.may(permission) for permission in needs):
        return None
    utilities: frozenset[str] | None = None
    for scope in map(visit.scope, needs):
        if scope is not None:
            utilities = scope if utilities is None else utilities & scope
    if utilities is not None and not utilities:
        return None
    side = Side.OFFICE if visit.user.office else Side.UTILITY
    return Reader(side, utilities, visit.user.office)
