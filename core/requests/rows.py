"""A request as it is stored, and finding it by its tracking number."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Text, select

from core.bulk import as_rows, unfolded
from core.statements import fetch
from core.tables import request_history, requests, subscribers


class Request(NamedTuple):
    """One request: the columns of its row, in order."""

    id: int
    utility: str
    tracking: str
    kind: str
    state: str
    subscriber_id: int | None
    mobile: str | None
    """E.164 digits: whom to tell."""
    fields: str
    """JSON: see ``values``."""
    text: str
    source: str
    office: str | None
    fee: int | None
    """Rial; None while it is not known."""
    account: str | None
    bill_id: str | None
    payment_id: str | None
    paid_at: int | None
    inbox_id: int | None
    created_at: int
    changed_at: int
    """UTC milliseconds."""

    @property
    def values(self) -> dict[str, str]:
        """What was filled into its fields, by their names."""
        found: dict[str, str] = json.loads(self.fields)
        return found


class Step(NamedTuple):
    """One change of a request: when, to which state, by whom, and what was said about it."""

    request_id: int
    at: int
    state: str
    by: str
    note: str


COLUMNS = Request._fields
STEP_COLUMNS = Step._fields
WITH_NUMBER = select(*(requests.c[name] for name in COLUMNS), subscribers.c.number).select_from(
    requests.outerjoin(subscribers, subscribers.c.id == requests.c.subscriber_id)
)
"""Requests, and behind the columns of each the number of its subscription."""


def fields_json(values: Mapping[str, str]) -> str:
    """Fields as they are stored; equal ones are equal texts."""
    return orjson.dumps(values, dict, orjson.OPT_SORT_KEYS).decode()


_wanted = unfolded({"utility": Text(), "tracking": Text()})
_last_note = (
    select(request_history.c.note)
    .where(request_history.c.request_id == requests.c.id)
    .order_by(request_history.c.at.desc(), request_history.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_BY_TRACKING = select(*(requests.c[name] for name in COLUMNS), _last_note).join_from(
    _wanted,
    requests,
    (requests.c.utility == _wanted.c.utility) & (requests.c.tracking == _wanted.c.tracking),
)


class Tracked(NamedTuple):
    """A request and what was last said about it."""

    request: Request
    note: str


def load_tracked(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Tracked]:
    """The requests among ``keys``: (utility, tracking number); one statement."""
    if not keys:
        return {}
    found = {}
    for *row, note in fetch(connection, _BY_TRACKING, as_rows(keys)):
        request = Request._make(row)
        found[request.utility, request.tracking] = Tracked(request, note or "")
    return found
