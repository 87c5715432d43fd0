"""What schedules plan: runs of templates over their reports, each begun once.

``templates.scheduled_until`` says up to where a template's schedule has been kept; it is
moved in the transaction that begins the run. So a daemon that is killed in between begins
it when it is started again, and no other begins it as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, func, true, update

from core.database import by_index_only
from core.ids import IdMaker
from core.runs.store import Beginning, RunSource, begin
from core.schedules import between
from core.tables import templates
from core.templates.in_use import InUse
from core.templates.types import Definition, Missed, OnReport
from core.triggers import MISSED_AFTER_MS, is_in_season, next_planned

log = structlog.get_logger(__name__)

BY_SCHEDULE: Final = "schedule"
"""Who asked for a run that nobody asked for."""
OVERDUE_AFTER_MS: Final = 60_000
"""What is later than this, while a daemon runs, has something wrong with it."""


class Choice(NamedTuple):
    """What a template's schedule asks for now."""

    begin: int | None
    """The instant that a run is begun for."""
    missed: int
    """Instants that passed while no daemon ran, and that nothing is begun for."""


class Begun(NamedTuple):
    """What one template's schedule has come to."""

    template: str
    run_id: int | None
    planned_for: int | None
    missed: int


class Planned(NamedTuple):
    """What is planned next."""

    utility: str
    template: str
    at: int
    """UTC milliseconds."""
    what: str
    """The report that it is made of; of an outage: what is told of it."""

    def is_overdue(self, now: int) -> bool:
        """Whether it should have been begun."""
        return self.at < now - OVERDUE_AFTER_MS


def choose(definition: Definition, since: int, now: int) -> Choice:
    """What is to be begun of a schedule that was kept until ``since``. Pure.

    However many instants have passed, one run is begun, for the last of them: unless that one
    was missed, and the template says that missed ones are skipped.
    """
    if definition.produce is None:
        return Choice(None, 0)
    passed = [at for at in between(definition.produce, since, now) if is_in_season(definition, at)]
    if not passed:
        return Choice(None, 0)
    last = passed[-1]
    if definition.missed is Missed.SKIP and last < now - MISSED_AFTER_MS:
        return Choice(None, len(passed))
    return Choice(last, len(passed) - 1)


def is_due(used: InUse, now: int) -> bool:
    """Whether an instant of its schedule has passed that has not been kept. Pure."""
    definition = used.version.definition
    if definition.produce is None or not isinstance(definition.trigger, OnReport):
        return False
    following = next_planned(definition, used.since)
    return following is not None and following <= now


def begin_planned(connection: Connection, ids: IdMaker, used: InUse, now: int) -> Begun | None:
    """Begin the run that is due, or note that it was missed; two statements.

    None: nothing is due, or somebody else was quicker, or has changed the template.
    """
    by_index_only(connection)
    version, since = used
    definition = version.definition
    if not isinstance(definition.trigger, OnReport):
        return None
    chosen = choose(definition, since, now)
    if chosen == (None, 0) or not _keep(connection, used, now):
        return None
    if chosen.missed:
        log.warning(
            "schedule.missed",
            template=version.name,
            utility=version.utility,
            missed=chosen.missed,
            made_up_for=chosen.begin is not None,
        )
    if chosen.begin is None:
        return Begun(version.name, None, None, chosen.missed)
    # Parameters that are wrong by now make a run that fails and says so.
    source = RunSource(definition.trigger.report, definition.trigger.parameters, {})
    run_id = ids.one()
    about = (version.utility, version.template_id, version.version, chosen.begin)
    if not begin(connection, Beginning(run_id, *about, source, BY_SCHEDULE, now)):
        return None
    log.info("schedule.begun", template=version.name, run=run_id, planned_for=chosen.begin)
    return Begun(version.name, run_id, chosen.begin, chosen.missed)


def _keep(connection: Connection, used: InUse, now: int) -> bool:
    version, since = used
    mine = (
        templates.c.id == version.template_id,
        templates.c.version == version.version,
        templates.c.enabled == true(),
        func.coalesce(templates.c.scheduled_until, 0) == since,
    )
    kept = connection.execute(update(templates).where(*mine).values(scheduled_until=now))
    return kept.rowcount == 1


def plans(used: Iterable[InUse]) -> list[Planned]:
    """The next run of each schedule, the soonest first. Pure."""
    found = [
        Planned(version.utility, version.name, at, definition.trigger.report)
        for version, since in used
        if isinstance((definition := version.definition).trigger, OnReport)
        and (at := next_planned(definition, since)) is not None
    ]
    return sorted(found, key=lambda each: each.at)
