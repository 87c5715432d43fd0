"""The parts of a running gateway that people pause and let go on.

A pause is a row, so it outlives a restart and holds for every daemon of the database: each
looks every few seconds, and the one that a command reaches is told at once. What is not paused
here runs, as far as it can.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select

from core.bulk import insert_rows
from core.tables import paused_services

SCHEDULER: Final = "scheduler"
"""All that the utility sends by itself, but for campaigns that have begun."""
CAMPAIGNS: Final = "campaigns"
"""The production of all runs."""
IMPORT: Final = "import"
"""Taking files of the utility in."""
WEBHOOKS: Final = "webhooks"
"""Telling other systems what happens; they are told later."""
BIND: Final = "bind"
PANEL: Final = "panel"
DOOR: Final = "door"
"""Kinds of services that there are several of: ``bind:NAME``."""


class Paused(NamedTuple):
    """A service that is paused."""

    name: str
    since: int
    """UTC milliseconds."""
    by: str
    note: str
    """Why; may be empty."""


class ServicePaused(Exception):
    """What was begun is paused, in words that say by whom and what to do."""

    def __init__(self, paused: Paused) -> None:
        because = f" ({paused.note})" if paused.note else ""
        super().__init__(
            f"{paused.name} has been paused by {paused.by}{because}; "
            f"`peyk service resume {paused.name}` lets it go on"
        )
        self.paused = paused


def service_name(kind: str, name: str) -> str:
    """What a service is called that there are several of: ``bind:main``."""
    return f"{kind}:{name}"


def paused_now(connection: Connection) -> dict[str, Paused]:
    """All services that are paused, by name."""
    rows = connection.execute(select(*(paused_services.c[name] for name in Paused._fields)))
    return {row.name: Paused(*row) for row in rows}


def find_paused(connection: Connection, name: str) -> Paused | None:
    """The pause of this service; None when it runs."""
    columns = (paused_services.c[field] for field in Paused._fields)
    row = connection.execute(select(*columns).where(paused_services.c.name == name)).one_or_none()
    return None if row is None else Paused(*row)


def pause(connection: Connection, paused: Paused) -> Paused | None:
    """Pause a service; returns the pause that it is in already, which then stays as it is."""
    before = find_paused(connection, paused.name)
    if before is None:
        insert_rows(connection, paused_services, Paused._fields, [paused], or_ignore=True)
    return before


def resume(connection: Connection, name: str) -> Paused | None:
    """Let a service go on; returns the pause that it was in, None when it ran."""
    before = find_paused(connection, name)
    connection.execute(delete(paused_services).where(paused_services.c.name == name))
    return before
