"""Messages of events that are made later: when their templates' schedules say so.

What a template could not write is tried again here, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import structlog
from sqlalchemy import Connection

from core.database import Database, DatabaseUnavailable, by_index_only
from core.events.happened import Later, due_now, put_off, settle_due, take_due, take_due_one
from core.production import (
    MOST_AT_ONCE,
    RETRY_MS,
    Press,
    Produced,
    Told,
    is_paused,
    make_told,
    off_until,
    read_told,
)
from core.templates.types import Missed, Version
from core.triggers import MISSED_AFTER_MS, next_planned, wants

log = structlog.get_logger(__name__)


def run_due(database: Database, press: Press, now: int) -> Produced:
    """Make the messages whose time has come, whatever is in them.

    Raises ``DatabaseUnavailable``.
    """
    try:
        return database.transact("events.due", produce_due, press, now)
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("events.due_failed")
    return _one_by_one(database, press, now)


def produce_due(
    connection: Connection, press: Press, now: int, only: Later | None = None
) -> Produced:
    """Make the messages that were put off until now, or one: each by its template as it is now.

    A template that has been disabled, or is made of other events by now, makes none. Times
    that were missed are made up for, or left to the schedule's next time, as the template says.
    """
    by_index_only(connection)
    if is_paused(connection):
        return Produced()
    found = take_due_one(connection, only) if only else take_due(connection, now, MOST_AT_ONCE)
    if not found:
        return Produced()
    happened = {event.id: event for _later, event in found if event is not None}
    told, broken = read_told(happened.values())
    by_id = {each.event.id: each for each in told}
    of_template: defaultdict[int, list[tuple[Told, int]]] = defaultdict(list)
    for template_id, event_id, due_at in (later for later, _event in found):
        if event_id in by_id:
            of_template[template_id].append((by_id[event_id], due_at))
    again: list[Later] = []
    messages = failed = 0
    for version, _since in press.templates.look(connection):
        mine = [
            (each, due_at)
            for each, due_at in of_template[version.template_id]
            if wants(version.definition, each.event.kind, each.facts)
        ]
        due, missed = _unless_missed(version, mine, now)
        again += missed
        if not due:
            continue
        made = make_told(connection, press.maker, version, due, now)
        if made is None:
            failed += len(due)
            helping = (each for each in due if _helps(version, each, now))
            again += off_until(version, helping, now + RETRY_MS)
        else:
            messages += made.messages
    settle_due(connection, (later for later, _event in found))
    put_off(connection, again)
    more = only is None and len(found) == MOST_AT_ONCE
    return Produced(0, messages, len(again), broken + failed, more)


def _one_by_one(database: Database, press: Press, now: int) -> Produced:
    """Make each message of a batch that failed by itself, and give up on what fails again."""
    done = Produced()
    for later in database.read("events.due_now", due_now, now, MOST_AT_ONCE):
        try:
            single = database.transact("events.due_single", produce_due, press, now, later)
            done = done.plus(single)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("event.poison", event_id=later.event_id, template=later.template_id)
            database.transact("event.set_aside", settle_due, [later])
            done = done.plus(Produced(set_aside=1))
    return done


def _unless_missed(
    version: Version, mine: Iterable[tuple[Told, int]], now: int
) -> tuple[list[Told], list[Later]]:
    """Which events are told now, and which at the next time of the schedule."""
    definition = version.definition
    skips = definition.missed is Missed.SKIP and definition.produce is not None
    due: list[Told] = []
    late: list[Told] = []
    for told, due_at in mine:
        (late if skips and due_at < now - MISSED_AFTER_MS else due).append(told)
    following = next_planned(definition, now) if late else None
    if late and following is None:
        log.warning("template.missed", template=version.name, events=len(late))
    return due, [] if following is None else off_until(version, late, following)


def _helps(version: Version, told: Told, now: int) -> bool:
    """Whether a message that cannot be made now may still be made later."""
    definition, at = version.definition, told.event.at
    first = next_planned(definition, at) or at
    return now <= first + definition.validity * 1000
