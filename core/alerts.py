"""Alerts as they are stored: one open for each trouble, and what became of those that are over."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, func, select, update

from core.bulk import as_rows, insert_rows, unfolded
from core.ids import first_id_at
from core.tables import alerts


class Alert(NamedTuple):
    """A trouble that people are told of; instants in UTC milliseconds."""

    id: int
    trouble: str
    """What it is about: ``bind_down:main``."""
    english: str
    persian: str
    since: int
    told_at: int | None
    """When somebody was told, by any of the ways."""
    ended_at: int | None
    end_told_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are listed; None does not restrict."""

    is_open: bool = False
    trouble: str | None = None
    """The beginning of what they are about: ``bind_down``."""
    since: int | None = None
    until: int | None = None
    before: int | None = None
    """Only alerts with a smaller id: the next page."""
    limit: int = 50


def list_alerts(connection: Connection, wanted: AlertFilter) -> list[Alert]:
    """Alerts, the newest first."""
    query = _alerts().order_by(alerts.c.id.desc()).limit(wanted.limit)
    if wanted.is_open:
        query = query.where(alerts.c.ended_at.is_(None))
    if wanted.trouble is not None:
        query = query.where(alerts.c.trouble.startswith(wanted.trouble, autoescape=True))
    if wanted.since is not None:
        query = query.where(alerts.c.id >= first_id_at(wanted.since))
    if wanted.until is not None:
        query = query.where(alerts.c.id < first_id_at(wanted.until))
    if wanted.before is not None:
        query = query.where(alerts.c.id < wanted.before)
    return [_as_alert(row) for row in connection.execute(query)]


def open_alerts(connection: Connection) -> list[Alert]:
    """The alerts of every daemon that are open."""
    return [_as_alert(row) for row in connection.execute(_alerts().where(_IS_OPEN))]


def store_alerts(connection: Connection, changed: Collection[Alert]) -> list[Alert]:
    """Store new alerts and what became of others; four statements.

    An alert whose trouble another daemon has opened is not stored. Returns all that are open
    then: whoever told of one that is not there was not the first.
    """
    before = set(connection.scalars(_KNOWN, as_rows((each.id,) for each in changed)))
    # First what ends: the same trouble may have begun again since.
    old = [each for each in changed if each.id in before]
    if old:
        rows = ((each.id, each.told_at, each.ended_at, each.end_told_at) for each in old)
        connection.execute(_UPDATE, as_rows(rows))
    new = [_as_row(each) for each in changed if each.id not in before]
    insert_rows(connection, alerts, _COLUMNS, new, or_ignore=True)
    return open_alerts(connection)


def untold_ends(connection: Connection, since: int) -> list[Alert]:
    """Alerts since ``since`` (UTC milliseconds) that are over, which nobody has been told."""
    query = _alerts().where(alerts.c.id >= first_id_at(since), alerts.c.ended_at.is_not(None))
    return [
        _as_alert(row) for row in connection.execute(query.where(alerts.c.end_told_at.is_(None)))
    ]


_COLUMNS = ("id", "trouble", "words", "since", "told_at", "ended_at", "end_told_at")
_IS_OPEN = alerts.c.ended_at.is_(None)
_ids = unfolded({"id": BigInteger()})
_KNOWN = select(alerts.c.id).join_from(_ids, alerts, alerts.c.id == _ids.c.id)

_changes = unfolded({"id": BigInteger(), **{name: BigInteger() for name in _COLUMNS[-3:]}})
_UPDATE = (
    update(alerts)
    .where(alerts.c.id == _changes.c.id)
    # What has once happened is not undone by who knows less.
    .values({name: func.coalesce(alerts.c[name], _changes.c[name]) for name in _COLUMNS[-3:]})
)


def _alerts() -> Select[Any]:
    return select(*(alerts.c[name] for name in _COLUMNS))


def _as_row(alert: Alert) -> tuple[object, ...]:
    words = json.dumps({"en": alert.english, "fa": alert.persian}, ensure_ascii=False)
    return (alert.id, alert.trouble, words, *alert[4:])


def _as_alert(row: Any) -> Alert:
    words = json.loads(row.words)
    return Alert(row.id, row.trouble, words["en"], words["fa"], *row[3:])
