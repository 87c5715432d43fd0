"""Looking at requests: a list by what is known of them, and one with its history."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from core.requests.rows import STEP_COLUMNS, WITH_NUMBER, Request, Step
from core.requests.states import EDITABLE, RequestState
from core.tables import request_history, requests, subscribers


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests; None does not restrict."""

    utility: str | None = None
    utilities: Collection[str] | None = None
    """Those that somebody may know of."""
    tracking: str | None = None
    kind: str | None = None
    state: RequestState | None = None
    number: str | None = None
    """Of the subscription."""
    mobile: str | None = None
    """E.164 digits."""
    office: str | None = None
    editable: bool = False
    """Only those that the company is not yet at work on: what an office may find and edit."""
    since: int | None = None
    """UTC milliseconds of registering; the first that counts …"""
    until: int | None = None
    """… and the first that no longer does."""
    before: int | None = None
    """Only those that are older than the request of this id: the next page."""
    limit: int | None = 50
    """None takes all."""


class Listed(NamedTuple):
    """A request, and the number of its subscription."""

    request: Request
    number: str | None

    @property
    def id(self) -> int:
        """What a list goes on before."""
        return self.request.id


class Shown(NamedTuple):
    """A request with all that was done with it, oldest first."""

    request: Request
    number: str | None
    history: tuple[Step, ...]


def list_requests(connection: Connection, wanted: RequestFilter) -> list[Listed]:
    """Requests, the newest first."""
    rows = connection.execute(
        WITH_NUMBER.where(*_conditions(wanted)).order_by(requests.c.id.desc()).limit(wanted.limit)
    )
    return [Listed(Request._make(row[:-1]), row[-1]) for row in rows]


def find_request(connection: Connection, request_id: int) -> Shown | None:
    """One request by its id, with its history."""
    row = connection.execute(WITH_NUMBER.where(requests.c.id == request_id)).one_or_none()
    return None if row is None else _shown(connection, row)


def _conditions(wanted: RequestFilter) -> Iterator[ColumnElement[bool]]:
    for name in ("utility", "tracking", "kind", "state", "mobile", "office"):
        value = getattr(wanted, name)
        if value is not None:
            yield requests.c[name] == value
    if wanted.number is not None:
        yield requests.c.subscriber_id.in_(
            select(subscribers.c.id).where(subscribers.c.number == wanted.number)
        )
    if wanted.utilities is not None:
        yield requests.c.utility.in_(sorted(wanted.utilities))
    if wanted.before is not None:
        yield requests.c.id < wanted.before
    if wanted.editable:
        yield requests.c.state.in_(sorted(EDITABLE))
    if wanted.since is not None:
        yield requests.c.created_at >= wanted.since
    if wanted.until is not None:
        yield requests.c.created_at < wanted.until


def show_request(connection: Connection, utilities: Collection[str], tracking: str) -> list[Shown]:
    """The requests with this tracking number: at most one of each of ``utilities``."""
    rows = connection.execute(
        WITH_NUMBER.where(
            requests.c.utility.in_(sorted(utilities)), requests.c.tracking == tracking
        ).order_by(requests.c.utility)
    ).all()
    return [_shown(connection, row) for row in rows]


def _shown(connection: Connection, row: Any) -> Shown:
    *values, number = row
    request = Request._make(values)
    steps = connection.execute(
        select(*(request_history.c[name] for name in STEP_COLUMNS))
        .where(request_history.c.request_id == request.id)
        .order_by(request_history.c.at, request_history.c.id)
    )
    return Shown(request, number, tuple(Step._make(step) for step in steps))
