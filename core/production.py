"""Events become messages: of every template that is made of them, once.

Whoever handles an event marks it in the transaction that queues its messages, so each
template makes at most one message of it, however often production is begun again and
whichever daemon does it. A template with a schedule of production gets the event put down
in ``due_events``, and its message is made when that is due.

What cannot be made by itself holds up nothing else: an event that breaks the batch is set
aside, a template that cannot write (its line is gone from the settings) is tried again every
five minutes until its message would help nobody any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.calls import Scalar
from core.database import Database, DatabaseUnavailable, by_index_only
from core.events import EventKind
from core.events.facts import read_about
from core.events.happened import (
    Happened,
    Later,
    mark_handled,
    new_ids,
    put_off,
    take_new,
    take_one,
)
from core.making import Made, Maker, Order, make
from core.receivers import Row
from core.services import SCHEDULER, find_paused
from core.templates.in_use import InUse, TemplatesInUse
from core.templates.types import Version
from core.triggers import is_in_season, next_planned, wants

log = structlog.get_logger(__name__)

SERVICE: Final = SCHEDULER
"""What ``peyk service pause`` calls all that the utility sends by itself, but for campaigns
that have begun."""
MOST_AT_ONCE: Final = 100
"""Events of one transaction: a text that comes in meanwhile waits for it."""
RETRY_MS: Final = 300_000


class Press(NamedTuple):
    """What making messages of events needs besides the database."""

    maker: Maker
    templates: TemplatesInUse


class Produced(NamedTuple):
    """What came of some events."""

    events: int = 0
    """Those that are handled."""
    messages: int = 0
    later: int = 0
    """Messages that are put down to be made when their templates' schedules say so."""
    set_aside: int = 0
    """Events that cannot be handled, and messages that cannot be made for now."""
    more: bool = False
    """Whether there may be more to do at once."""

    def plus(self, other: Produced) -> Produced:
        """Both together."""
        return Produced(
            self.events + other.events,
            self.messages + other.messages,
            self.later + other.later,
            self.set_aside + other.set_aside,
            more=self.more or other.more,
        )


class Told(NamedTuple):
    """An event whose facts have been read."""

    event: Happened
    facts: Mapping[str, Scalar]

    @property
    def row(self) -> Row:
        """What its message is to be about."""
        event = self.event
        return Row(str(event.id), self.facts, event.subscriber_id, event.mobile)


def run(database: Database, press: Press, now: int) -> Produced:
    """Handle the oldest new events, whatever is in them. Raises ``DatabaseUnavailable``."""
    try:
        return database.transact("events", produce, press, now)
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("events.failed")
    return _one_by_one(database, press, now)


def is_paused(connection: Connection) -> bool:
    """Whether the utility sends nothing by itself for now."""
    return find_paused(connection, SERVICE) is not None


def produce(connection: Connection, press: Press, now: int, only: int | None = None) -> Produced:
    """Make the messages of the oldest new events, or of one, and mark them as handled.

    At most five statements, and four for each template that is made of some of them,
    whatever number there is.
    """
    by_index_only(connection)
    if is_paused(connection):
        return Produced()
    happened = take_new(connection, MOST_AT_ONCE) if only is None else take_one(connection, only)
    if not happened:
        return Produced()
    told, broken = read_told(happened)
    messages = failed = 0
    later: list[Later] = []
    for used in press.templates.look(connection):
        wanted = _of_template(used, told)
        if not wanted:
            continue
        definition = used.version.definition
        if definition.produce is not None:
            later += [
                Later(used.version.template_id, each.event.id, due)
                for each in wanted
                if (due := next_planned(definition, each.event.at)) is not None
            ]
        elif (made := make_told(connection, press.maker, used.version, wanted, now)) is not None:
            messages += made.messages
        else:
            failed += len(wanted)
            later += off_until(used.version, wanted, now + RETRY_MS)
    put_off(connection, later)
    mark_handled(connection, (each.id for each in happened), now)
    more = only is None and len(happened) == MOST_AT_ONCE
    return Produced(len(happened), messages, len(later), broken + failed, more)


def _of_template(used: InUse, told: Iterable[Told]) -> list[Told]:
    """Those events that a template is made of."""
    version, since = used
    return [
        each
        for each in told
        if each.event.utility == version.utility
        and each.event.at >= since
        and wants(version.definition, each.event.kind, each.facts)
        and is_in_season(version.definition, each.event.at)
    ]


def make_told(
    connection: Connection, maker: Maker, version: Version, told: Sequence[Told], now: int
) -> Made | None:
    """The messages of one template; None when it can make none for now."""
    try:
        return make(connection, maker, Order(version, now), [each.row for each in told])
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception(
            "template.failed",
            template=version.name,
            utility=version.utility,
            version=version.version,
            events=len(told),
        )
        return None


def off_until(version: Version, told: Iterable[Told], due: int) -> list[Later]:
    """A template's messages of these events, put off until ``due``."""
    return [Later(version.template_id, each.event.id, due) for each in told]


def read_told(happened: Iterable[Happened]) -> tuple[list[Told], int]:
    """Events with their facts; those that cannot be read are counted, and told of."""
    told, broken = [], 0
    for event in happened:
        try:
            told.append(Told(event, read_about(EventKind(event.kind), event.about)))
        except (ValueError, TypeError, AttributeError) as error:
            broken += 1
            log.critical("event.unreadable", event_id=event.id, kind=event.kind, error=str(error))
    return told, broken


# --- one by one -----------------------------------------------------------------------


def _one_by_one(database: Database, press: Press, now: int) -> Produced:
    """Handle each event of a batch that failed by itself, and set aside what fails again."""
    done = Produced()
    for event_id in database.read("events.new", new_ids, MOST_AT_ONCE):
        try:
            done = done.plus(database.transact("events.single", produce, press, now, event_id))
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("event.poison", event_id=event_id)
            database.transact("event.set_aside", mark_handled, [event_id], now)
            done = done.plus(Produced(events=1, set_aside=1))
    return done
