"""Who is told of an outage, and when: each template tells of each outage once.

A notice is a run over the subscribers of the region, begun so long before the outage as the
template says, or at once when the outage is entered later than that. When an outage is
cancelled after somebody was told of it, the templates for that tell the region so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, select

from core.calls import Scalar
from core.database import by_index_only
from core.ids import IdMaker
from core.jalali import instant_of
from core.outages import NewOutage, Outage, add, between, subscribers_in
from core.outbox import State
from core.planning import BY_SCHEDULE, Planned
from core.runs.states import ENDED
from core.runs.store import Beginning, Run, RunSource, begin, runs_about
from core.tables import outbox
from core.templates.in_use import InUse, TemplatesInUse
from core.templates.types import OnOutage, Version
from core.triggers import is_in_season

log = structlog.get_logger(__name__)

REPORT: Final = "subscribers_of_region"
CANCELLED: Final = ":cancelled"
"""The end of the subject of runs that tell that an outage is cancelled."""
LONGEST_MS: Final = 30 * 86_400_000
"""Neither does an outage take longer, nor is it told of earlier."""
_MINUTE_MS: Final = 60_000
_NOT_LEFT: Final = frozenset(
    {State.QUEUED, State.WAITING, State.HELD, State.CANCELLED, State.SUPPRESSED}
)


class Notice(NamedTuple):
    """Something that is to be told of an outage by a template."""

    version: Version
    outage: Outage
    due_at: int
    subject: str


class _Trigger(NamedTuple):
    version: Version
    trigger: OnOutage


class Told(NamedTuple):
    """What has been begun."""

    begun: list[int]
    """Ids of runs."""
    left: list[Planned]
    """What is to be told later."""


def begin_notices(connection: Connection, ids: IdMaker, used: Iterable[InUse], now: int) -> Told:
    """Begin the runs that are due."""
    by_index_only(connection)
    told = Told([], [])
    for notice in _look(connection, used, now):
        version, outage = notice.version, notice.outage
        if notice.due_at > now:
            told.left.append(_planned(notice))
            continue
        run_id = ids.one()
        if begin(connection, _beginning(notice, run_id, now)):
            log.info("outage.told", outage=outage.id, template=version.name, run=run_id)
            told.begun.append(run_id)
    return told


def planned_notices(connection: Connection, used: Iterable[InUse], now: int) -> list[Planned]:
    """What is to be told of outages.

    At most two statements, and one for each outage that was told of and is cancelled.
    """
    return [_planned(notice) for notice in _look(connection, used, now)]


class Entered(NamedTuple):
    """An outage that was entered, and what will come of it."""

    outage: Outage
    subscriptions: int
    """How many it concerns."""
    told: list[Planned]
    """Which templates tell of it, and when."""


def enter(connection: Connection, new: NewOutage) -> Entered:
    """Enter an outage. Raises ``OutageError``."""
    outage = add(connection, new)
    planned = planned_notices(connection, TemplatesInUse().look(connection), new.now)
    told = [each for each in planned if each.what == outage.subject]
    return Entered(outage, subscribers_in(connection, outage.utility, outage.region), told)


def _planned(notice: Notice) -> Planned:
    version = notice.version
    return Planned(version.utility, version.name, notice.due_at, notice.subject)


def _look(connection: Connection, used: Iterable[InUse], now: int) -> list[Notice]:
    """What is to be told of outages and has not been."""
    of_utility: defaultdict[str, list[_Trigger]] = defaultdict(list)
    for version, _since in used:
        if isinstance(version.definition.trigger, OnOutage):
            of_utility[version.utility].append(_Trigger(version, version.definition.trigger))
    if not of_utility:
        return []
    coming = [
        outage
        for outage in between(connection, of_utility, now - LONGEST_MS, now + LONGEST_MS)
        if outage.over_at > now
    ]
    if not coming:
        return []
    subjects = [outage.subject + end for outage in coming for end in ("", CANCELLED)]
    there = runs_about(connection, subjects)
    cancelled = {outage.subject for outage in coming if outage.cancelled_at is not None}
    told = _told(connection, [run for run in there if run.subject in cancelled])
    begun = {(run.subject, run.template_id) for run in there}
    notices = (
        _notice(outage, version, trigger, told)
        for outage in coming
        for version, trigger in of_utility[outage.utility]
    )
    return [
        notice
        for notice in notices
        if notice is not None
        and (notice.subject, notice.version.template_id) not in begun
        and is_in_season(notice.version.definition, notice.due_at)
    ]


def _notice(
    outage: Outage, version: Version, trigger: OnOutage, told: Collection[str]
) -> Notice | None:
    if trigger.cancelled:
        if outage.cancelled_at is None or outage.subject not in told:
            return None
        return Notice(version, outage, outage.cancelled_at, outage.subject + CANCELLED)
    if outage.cancelled_at is not None:
        return None
    due_at = max(outage.created_at, outage.begins_at - trigger.before_minutes * _MINUTE_MS)
    return Notice(version, outage, due_at, outage.subject)


def _told(connection: Connection, there: Sequence[Run]) -> set[str]:
    """Of which subjects somebody has been told, as far as it is settled."""
    of_subject: defaultdict[str, list[Run]] = defaultdict(list)
    for run in there:
        of_subject[run.subject].append(run)
    return {
        subject
        for subject, mine in of_subject.items()
        if all(run.state in ENDED for run in mine)
        and any(run.made and _has_left(connection, run) for run in mine)
    }


def _has_left(connection: Connection, run: Run) -> bool:
    left = [state.value for state in State if state not in _NOT_LEFT]
    mine = (outbox.c.run_id == run.id, outbox.c.state.in_(left))
    return connection.scalar(select(outbox.c.id).where(*mine).limit(1)) is not None


def _beginning(notice: Notice, run_id: int, now: int) -> Beginning:
    version, outage = notice.version, notice.outage
    facts: dict[str, Scalar] = {
        "begins_at": instant_of(outage.begins_at),
        "ends_at": "" if outage.ends_at is None else instant_of(outage.ends_at),
        "reason": outage.reason,
    }
    source = RunSource(REPORT, {"region": outage.region}, facts)
    about = (version.utility, version.template_id, version.version, notice.due_at, source)
    return Beginning(run_id, *about, BY_SCHEDULE, now, subject=notice.subject)
