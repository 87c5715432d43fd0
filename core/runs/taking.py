"""Which runs a daemon goes on with: one daemon at a time, under a lease."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, or_, update

from core.making import Maker
from core.reporting.reading import Question, asked
from core.reporting.sources import Sources
from core.reporting.types import ParameterError, SourceError
from core.runs.settling import sent_runs
from core.runs.store import Run, RunError, as_runs, run_rows
from core.services import CAMPAIGNS, find_paused
from core.tables import runs
from core.templates.store import load_versions
from core.templates.types import Version

LEASE_MS: Final = 30_000
"""How long a run is left to a daemon that says nothing more of it."""
SERVICE: Final = CAMPAIGNS
"""What ``peyk service pause`` calls the production of all runs."""


class Work(NamedTuple):
    """A run with all that making its messages needs."""

    run: Run
    version: Version
    question: Question
    maker: Maker


class Look(NamedTuple):
    """How the runs stand."""

    runs: list[Run]
    """Those that have not ended, the one planned first first."""
    sent: list[int]
    """Those of which nothing waits to go out any more."""
    is_paused: bool
    """Whether the production of all runs is."""


def look(connection: Connection) -> Look:
    """Read how the runs stand; three statements, one where none is open."""
    is_open = run_rows().where(runs.c.ended_at.is_(None))
    found = as_runs(connection.execute(is_open.order_by(runs.c.planned_for, runs.c.id)).all())
    if not found:
        return Look([], [], is_paused=False)
    is_paused = find_paused(connection, SERVICE) is not None
    return Look(found, sent_runs(connection), is_paused=is_paused)


def is_free(run: Run, node: int, now: int) -> bool:
    """Whether this daemon may take the run, or has it and should say so again."""
    until = run.lease_until or 0
    return until < now or (run.node == node and until < now + LEASE_MS // 2)


def take_runs(connection: Connection, ids: Collection[int], node: int, now: int) -> None:
    """Take these runs for this daemon, but for those that another one was quicker with."""
    lapsed = func.coalesce(runs.c.lease_until, 0) < now
    mine = or_(runs.c.node == node, lapsed)
    connection.execute(
        update(runs)
        .where(runs.c.id.in_(ids), runs.c.ended_at.is_(None), mine)
        .values(node=node, lease_until=now + LEASE_MS)
    )


def version_of(connection: Connection, run: Run) -> Version:
    """The version that a run was begun with."""
    key = run.template_id, run.version
    return load_versions(connection, [key])[key]


def load_work(connection: Connection, run: Run, sources: Sources, maker: Maker) -> Work:
    """Put together what a run needs. Raises ``RunError``: its report is not, or is not right."""
    try:
        source = sources.named(run.utility, run.source.report)
        question = asked(source, run.utility, run.source.parameters, run.planned_for)
    except (LookupError, SourceError, ParameterError) as error:
        raise RunError(str(error)) from None
    return Work(run, version_of(connection, run), question, maker)
