"""Real rows to look at a template with: what has just happened, or what its report says now."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from core.events import EventKind
from core.events.facts import read_about
from core.receivers import Row
from core.reporting.reading import FIRST, asked, count_rows, read_page
from core.reporting.sources import Sources
from core.tables import events
from core.templates.types import OnEvents, OnOutage, OnReport, Version

LOOKED_AT: Final = 2_000
"""The newest events of a kind among which those that are meant are looked for."""


class Sample(NamedTuple):
    """Some of what a template would be told of."""

    rows: tuple[Row, ...]
    of: int | None
    """How many there are in all; None: nobody can say, as with events."""


def sample(  # noqa: PLR0913 - what is looked at, and how
    connection: Connection,
    version: Version,
    sources: Sources,
    most: int,
    now: int,
    *,
    counted: bool = True,
) -> Sample:
    """At most ``most`` rows; none of outages, which are rows only when they are planned.

    Not ``counted``: how many there are in all is not asked, which may take a while.
    Raises ``SourceError``, ``ParameterError`` and ``LookupError`` for a report.
    """
    utility, trigger = version.utility, version.definition.trigger
    match trigger:
        case OnEvents():
            return Sample(_newest(connection, utility, trigger, most), None)
        case OnReport(report, parameters):
            question = asked(sources.named(utility, report), utility, parameters, now)
            rows = read_page(connection, question, FIRST, most)
            return Sample(tuple(rows), count_rows(connection, question) if counted else None)
        case OnOutage():
            return Sample((), None)


def _newest(connection: Connection, utility: str, trigger: OnEvents, most: int) -> tuple[Row, ...]:
    found: list[Row] = []
    for kind in trigger.kinds:
        with closing(_of_kind(connection, utility, EventKind(kind))) as newest:
            meant = (row for row in newest if _is_meant(row, trigger))
            found += islice(meant, most)
    return tuple(sorted(found, key=_when, reverse=True)[:most])


def _is_meant(row: Row, trigger: OnEvents) -> bool:
    return all(row.facts.get(name) == value for name, value in trigger.where.items())


def _of_kind(connection: Connection, utility: str, kind: EventKind) -> Generator[Row, None, None]:
    newest = (
        select(
            events.c.id, events.c.utility, events.c.about, events.c.subscriber_id, events.c.mobile
        )
        .where(events.c.kind == kind.value)
        .order_by(events.c.id.desc())
        .limit(LOOKED_AT)
    )
    with closing(connection.execute(newest)) as rows:
        for row in rows:
            if row.utility == utility:
                facts = read_about(kind, row.about)
                yield Row(str(row.id), facts, row.subscriber_id, row.mobile)


def _when(row: Row) -> int:
    return int(row.key)
