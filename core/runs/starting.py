"""A run that somebody asks for: what it would come to, and its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from core.database import by_index_only
from core.jalali import day_of, instant_of, jalali, jalali_time
from core.making import Made, Maker, Order, prepare
from core.reporting.reading import FIRST, Question, asked, count_rows, given, read_page
from core.reporting.sources import Sources
from core.reporting.types import ParameterError
from core.runs.states import RunState
from core.runs.store import Beginning, RunError, RunSource, begin
from core.tables import runs
from core.templates.store import Template
from core.templates.types import OnReport, Version

SAMPLED: Final = 500
"""Rows that a rehearsal makes messages of."""
AGAIN_MS: Final = 86_400_000
"""Within so long the same campaign is begun again only by somebody who says so: everybody gets
its message twice."""


_GIVEN_UP: Final = (RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED)


class Wish(NamedTuple):
    """What somebody asks for."""

    report: str | None
    """Instead of the template's own."""
    parameters: Mapping[str, object]
    """Instead of, and besides, what the template says."""
    now: int


class BegunBefore(RunError):
    """The same was begun not long ago."""

    def __init__(self, run_id: int, at: int) -> None:
        when = jalali_time(instant_of(at))
        super().__init__(
            f"the same campaign was begun on {when} ({run_id}): everybody would get its message "
            "twice; say --again if that is wanted"
        )
        self.run_id = run_id
        self.at = at
        """UTC milliseconds."""


class Start(NamedTuple):
    """A run that may be begun."""

    version: Version
    source: RunSource
    question: Question


def planned(template: Template, wish: Wish, sources: Sources) -> Start:
    """What a wish comes to. Raises ``RunError``, and ``SourceError`` for a report's file."""
    version = template.newest
    trigger = version.definition.trigger
    own = trigger if isinstance(trigger, OnReport) else None
    name = wish.report or (own.report if own else None)
    if name is None:
        raise RunError(
            f"the template {version.name!r} is made of no report; say which with --report, "
            "or `peyk campaign reports` for what there is"
        )
    try:
        source = sources.named(version.utility, name)
        known = own.parameters if own and own.report == name else {}
        parameters = given(source, {**known, **wish.parameters})
    except (LookupError, ParameterError) as error:
        raise RunError(str(error.args[0])) from None
    question = asked(source, version.utility, parameters, wish.now)
    return Start(version, RunSource(name, parameters, {}), question)


def check_may_begin(template: Template, now: int) -> None:
    """Raise ``RunError`` for a template that is not in use, or not on this day."""
    name, definition = template.newest.name, template.newest.definition
    if not template.enabled:
        raise RunError(
            f"the template {name!r} is disabled; `peyk template enable {name}` lets it be sent"
        )
    today = day_of(now)
    if definition.starts and today < definition.starts:
        raise RunError(f"the template {name!r} begins on {jalali(definition.starts)}")
    if definition.ends and today > definition.ends:
        raise RunError(f"the template {name!r} ended on {jalali(definition.ends)}")


def start(  # noqa: PLR0913 - whose, and how
    connection: Connection,
    start: Start,
    run_id: int,
    by: str,
    now: int,
    *,
    approved: bool = True,
    again: bool = False,
) -> None:
    """Begin it, or (not ``approved``) ask for it: a second person lets it begin.

    Raises ``BegunBefore`` unless it may be begun ``again``, and ``RunError`` when one was begun in
    the same instant.
    """
    version = start.version
    if not again:
        _check_not_begun(connection, start, now)
    about = (version.utility, version.template_id, version.version, now, start.source, by, now)
    state = RunState.PRODUCING if approved else RunState.ASKED
    if not begin(connection, Beginning(run_id, *about, state=state)):
        raise RunError("another campaign of this template was begun just now")


def _check_not_begun(connection: Connection, start: Start, now: int) -> None:
    before = connection.execute(
        select(runs.c.id, runs.c.created_at)
        .where(
            runs.c.template_id == start.version.template_id,
            runs.c.planned_for > now - AGAIN_MS,
            runs.c.source == start.source.as_json(),
            runs.c.state.not_in([state.value for state in _GIVEN_UP]),
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    ).first()
    if before is not None:
        raise BegunBefore(*before)


class Rehearsal(NamedTuple):
    """What a run would come to."""

    rows: int
    """Of the whole report."""
    sampled: int
    """Of its first rows so many were tried …"""
    made: Made
    """… and this would come of them."""
    example: Sequence[str]
    """The parts of the first message."""


def rehearse(connection: Connection, start: Start, maker: Maker, now: int) -> Rehearsal:
    """Make messages of the first rows, and store none. Raises ``SourceError``."""
    rows = count_rows(connection, start.question)
    found = read_page(connection, start.question, FIRST, SAMPLED)
    by_index_only(connection)
    prepared = prepare(connection, maker, Order(start.version, now), found)
    first = [str(row[-1]) for row in prepared.parts if row[1] == prepared.parts[0][1]]
    return Rehearsal(rows, len(found), prepared.made, first)
