"""The audit log: who changed what, and who looked at whose data. Rows are only ever added.

The database itself refuses to change or delete a row (triggers of migration 0006).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select

from core.ids import IdMaker
from core.tables.access import audit

BY_COMMAND: Final = "command:"
"""What ``Actor.who`` of somebody on the machine itself begins with."""


class Actor(NamedTuple):
    """Who does something, from where."""

    who: str
    """A user's name, ``command:NAME`` or ``token:NAME``."""
    address: str = ""
    user_id: int | None = None


class Entry(NamedTuple):
    """One thing that was done."""

    action: str
    """Such as ``template.edit``, ``subscriber.see``, ``login``."""
    object: str = ""
    """What it was done to: ``template:12``."""
    utility: str = ""
    details: Mapping[str, Any] = {}
    """What changed, as JSON can say it; no secrets, no texts of messages."""


class Audited(NamedTuple):
    """A row of the log."""

    id: int
    at: int
    user_id: int | None
    who: str
    address: str
    action: str
    object: str
    utility: str
    details: Mapping[str, Any]


class Scribe:
    """Writes the log; holds what each row needs that its writer does not know."""

    def __init__(self, ids: IdMaker) -> None:
        self._ids = ids

    def write(self, connection: Connection, at_ms: int, actor: Actor, *entries: Entry) -> None:
        """Add ``entries`` in the transaction that does what they tell of."""
        if not entries:
            return
        rows = [
            {
                "id": self._ids.one(),
                "at": at_ms,
                "user_id": actor.user_id,
                "who": actor.who,
                "address": actor.address,
                "action": entry.action,
                "object": entry.object,
                "utility": entry.utility,
                "details": json.dumps(entry.details, ensure_ascii=False, sort_keys=True),
            }
            for entry in entries
        ]
        connection.execute(insert(audit), rows)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows; what is None is not asked for."""

    who: str | None = None
    form: str | None = None
    """Every action of a form: ``template`` is ``template.edit``, ``template.enable`` …"""
    action: str | None = None
    object: str | None = None
    utilities: Collection[str] | None = None
    since: int | None = None
    until: int | None = None
    before: int | None = None
    """Only rows with a smaller id: the next page."""
    limit: int = 50


def list_audit(connection: Connection, wanted: AuditFilter) -> Sequence[Audited]:
    """The rows that are wanted, the newest first."""
    rows = connection.execute(
        select(*(audit.c[name] for name in Audited._fields))
        .where(*_conditions(wanted))
        .order_by(audit.c.id.desc())
        .limit(wanted.limit)
    )
    return [
        Audited(**{**row, "details": json.loads(row["details"])})  # the rest is as it is stored
        for row in rows.mappings()
    ]


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    row = audit.c
    found: list[ColumnElement[bool]] = []
    if wanted.who is not None:
        found.append(row.who == wanted.who)
    if wanted.form is not None:
        of_form = row.action.startswith(f"{wanted.form}.", autoescape=True)
        found.append((row.action == wanted.form) | of_form)
    if wanted.action is not None:
        found.append(row.action == wanted.action)
    if wanted.object is not None:
        found.append(row.object == wanted.object)
    if wanted.utilities is not None:
        found.append(row.utility.in_(sorted(wanted.utilities)))
    if wanted.since is not None:
        found.append(row.at >= wanted.since)
    if wanted.until is not None:
        found.append(row.at < wanted.until)
    if wanted.before is not None:
        found.append(row.id < wanted.before)
    return found
