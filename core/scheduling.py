"""One round of the scheduler: whatever the utility's schedules, outages and events ask for now.

Called every few seconds, with the time it is. What comes of it is in the database, so that
nothing is begun twice, whoever goes round and whenever.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from core.database import Database, DatabaseUnavailable, by_index_only
from core.events.happened import has_due
from core.outages.notices import begin_notices, planned_notices
from core.planning import Planned, begin_planned, is_due, plans
from core.production import Press, Produced, is_paused
from core.production_due import run_due
from core.runs.failures import FailedRun, failed_runs
from core.templates.in_use import InUse, TemplatesInUse

log = structlog.get_logger(__name__)


class Round(NamedTuple):
    """What a round has come to."""

    is_paused: bool = False
    begun: tuple[int, ...] = ()
    """Ids of runs."""
    missed: int = 0
    """Instants of schedules that passed while no daemon ran."""
    failed: int = 0
    """Templates that something is wrong with: the log says what."""
    due: Produced = Produced()
    """What came of events whose messages were put off."""
    planned: tuple[Planned, ...] = ()
    """What comes next, the soonest first; what should have been begun already is overdue."""
    failed_runs: tuple[FailedRun, ...] = ()
    """Campaigns, begun by a schedule or by somebody, that could not be gone on with."""

    def overdue(self, now: int) -> tuple[Planned, ...]:
        """What should have been begun; nothing while the scheduler is paused."""
        return tuple(each for each in self.planned if each.is_overdue(now) and not self.is_paused)


class Seen(NamedTuple):
    """What a round begins with."""

    used: list[InUse]
    notices: list[Planned]
    """What is to be told of outages."""
    has_due: bool
    """Whether messages that were put off are to be made."""
    is_paused: bool
    failed: tuple[FailedRun, ...]


def look(connection: Connection, press: Press, now: int) -> Seen:
    """The templates in use, and what is due; changes nothing. At most seven statements."""
    by_index_only(connection)
    used = press.templates.look(connection)
    notices = planned_notices(connection, used, now)
    failed = failed_runs(connection, now)
    return Seen(used, notices, has_due(connection, now), is_paused(connection), failed)


def planned_next(connection: Connection, now: int) -> tuple[Planned, ...]:
    """What schedules and outages plan, the soonest first."""
    used = TemplatesInUse().look(connection)
    return _in_order(used, planned_notices(connection, used, now))


def go_round(database: Database, press: Press, now: int) -> Round:
    """Begin all that is due. Raises ``DatabaseUnavailable``.

    Each thing that is begun is a transaction of its own, and what is wrong with one template
    holds up no other.
    """
    seen = database.read("schedule.look", look, press, now)
    if seen.is_paused:
        planned = _in_order(seen.used, seen.notices)
        return Round(is_paused=True, planned=planned, failed_runs=seen.failed)
    kept: list[InUse] = []
    begun: list[int] = []
    missed = failed = 0
    for used in seen.used:
        kept.append(used)
        if not is_due(used, now):
            continue
        try:
            found = database.transact("schedule.begin", begin_planned, press.maker.ids, used, now)
        except DatabaseUnavailable:
            raise
        except Exception:
            failed += 1
            log.exception("schedule.failed", template=used.version.name)
            continue
        if found is not None:
            kept[-1] = used._replace(since=now)
            missed += found.missed
            begun += [] if found.run_id is None else [found.run_id]
    notices = seen.notices
    if any(each.at <= now for each in notices):
        told = database.transact("outage.begin", begin_notices, press.maker.ids, seen.used, now)
        begun += told.begun
        notices = told.left
    due = run_due(database, press, now) if seen.has_due else Produced()
    return Round(
        begun=tuple(begun),
        missed=missed,
        failed=failed,
        due=due,
        planned=_in_order(kept, notices),
        failed_runs=seen.failed,
    )


def _in_order(used: list[InUse], notices: list[Planned]) -> tuple[Planned, ...]:
    return tuple(sorted([*plans(used), *notices], key=lambda each: each.at))
