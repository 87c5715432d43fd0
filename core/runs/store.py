"""Runs as they are stored: begun, looked at, and moved by people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)

from core import scalars
from core.bulk import insert_rows
from core.calls import Scalar
from core.jalali import milliseconds
from core.runs.states import ENDED, Move, RunState, after, refusal
from core.tables import outbox, runs, templates


class RunError(Exception):
    """What was asked of a run cannot be done, in words for the operator."""


class RunSource(NamedTuple):
    """Which rows a run is made of."""

    report: str
    parameters: Mapping[str, Scalar]
    facts: Mapping[str, Scalar]
    """The same for each of its rows, besides their own: of an outage, when it begins."""

    @property
    def until(self) -> int | None:
        """When its messages help nobody any more (UTC milliseconds): an outage is over."""
        ends = self.facts.get("ends_at")
        return milliseconds(ends) if isinstance(ends, datetime) else None

    def as_json(self) -> str:
        """As it is stored."""
        told = {
            "report": self.report,
            "parameters": scalars.written(self.parameters),
            "facts": scalars.written(self.facts),
        }
        return json.dumps(told, ensure_ascii=False, sort_keys=True)

    @classmethod
    def of_json(cls, text: str) -> RunSource:
        """From what is stored."""
        told = json.loads(text)
        facts = scalars.read(told.get("facts", {}))
        return cls(told["report"], scalars.read(told["parameters"]), facts)


class Beginning(NamedTuple):
    """A run that is to be."""

    id: int
    utility: str
    template_id: int
    version: int
    planned_for: int
    """UTC milliseconds: what the schedule says, or now. One run for each template and instant,
    unless they have a subject."""
    source: RunSource
    asked_by: str
    now: int
    rows_expected: int | None = None
    subject: str = ""
    """What it tells of, such as ``outage:7``: there is one run of it for each template."""
    state: RunState = RunState.PRODUCING
    """``ASKED`` for one that waits for a second person."""


class Run(NamedTuple):
    """A run as it is stored; instants in UTC milliseconds."""

    id: int
    utility: str
    template_id: int
    template: str
    """Its name."""
    version: int
    planned_for: int
    subject: str
    """What it tells of, such as ``outage:7``; or empty."""
    source: RunSource
    state: RunState
    position: str
    rows_expected: int | None
    rows_read: int
    made: int
    """Messages …"""
    parts: int
    """… and the parts they have together."""
    suppressed: int
    passed_over: int
    unwritten: int
    asked_by: str
    created_at: int
    changed_at: int
    produced_at: int | None
    ended_at: int | None
    error: str | None
    node: int | None
    """The daemon that produces it, until ``lease_until`` or longer."""
    lease_until: int | None


def begin(connection: Connection, beginning: Beginning) -> bool:
    """Begin a run; False when the template has one for that instant, or that subject, already."""
    new = beginning
    about = (new.id, new.utility, new.template_id, new.version, new.planned_for, new.subject)
    counts = (new.rows_expected, 0, 0, 0, 0, 0, 0)
    times = (new.asked_by, new.now, new.now)
    row = (*about, new.source.as_json(), new.state.value, "", *counts, *times)
    insert_rows(connection, runs, _NEW, [row], or_ignore=True)
    return connection.scalar(select(runs.c.id).where(runs.c.id == new.id)) is not None


def show(connection: Connection, run_id: int) -> Run | None:
    """One run."""
    row = connection.execute(_runs().where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _as_run(row)


def runs_about(connection: Connection, subjects: Iterable[str]) -> list[Run]:
    """The runs that tell of these; one statement."""
    # The condition is the index's own.
    is_one = (runs.c.subject.in_(list(subjects)), runs.c.subject != literal_column("''"))
    return [_as_run(row) for row in connection.execute(_runs().where(*is_one))]


class RunFilter(NamedTuple):
    """Which runs are listed."""

    utility: str | None = None
    template: str | None = None
    """Its name."""
    state: str | None = None
    is_open: bool = False
    """Only those that have not ended."""
    utilities: frozenset[str] | None = None
    """Only those of these."""
    before: int | None = None
    """Only those that are listed after the run of this id."""
    since: int | None = None
    until: int | None = None
    limit: int = 50


def list_runs(connection: Connection, wanted: RunFilter) -> list[Run]:
    """Runs, those planned last first."""
    query = _runs().order_by(runs.c.planned_for.desc(), runs.c.id.desc()).limit(wanted.limit)
    for column, value in (
        (runs.c.utility, wanted.utility),
        (templates.c.name, wanted.template),
        (runs.c.state, wanted.state),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.is_open:
        query = query.where(runs.c.ended_at.is_(None))
    if wanted.utilities is not None:
        query = query.where(runs.c.utility.in_(sorted(wanted.utilities)))
    if wanted.before is not None:
        last = select(runs.c.planned_for).where(runs.c.id == wanted.before).scalar_subquery()
        place = tuple_(runs.c.planned_for, runs.c.id)
        query = query.where(place < tuple_(last, literal(wanted.before, BigInteger())))
    if wanted.since is not None:
        query = query.where(runs.c.planned_for >= wanted.since)
    if wanted.until is not None:
        query = query.where(runs.c.planned_for < wanted.until)
    return [_as_run(row) for row in connection.execute(query)]


def parts_by_state(connection: Connection, run_id: int) -> dict[str, int]:
    """How many parts of its messages are in each state of ``core.outbox.State``."""
    query = (
        select(outbox.c.state, func.count())
        .where(outbox.c.run_id == run_id)
        .group_by(outbox.c.state)
    )
    return {state: int(count) for state, count in connection.execute(query).all()}


def move(connection: Connection, run_id: int, wish: Move, now: int) -> Run:
    """Approve, pause, resume or cancel a run: it is done by whoever produces it.

    Raises ``RunError`` when there is no such run, or it cannot be done now.
    """
    run = show(connection, run_id)
    if run is None:
        raise RunError(f"there is no campaign {run_id}; `peyk campaign list` shows the ids")
    state = after(run.state, wish, is_produced=run.produced_at is not None)
    if state is None:
        raise RunError(f"cannot {wish.value} campaign {run_id}: {refusal(run.state, wish)}")
    changed = {
        "state": state.value,
        "changed_at": now,
        "ended_at": now if state in ENDED else None,
        "error": None,
    }
    # Whoever produces it may have moved it since it was read.
    mine = update(runs).where(runs.c.id == run_id, runs.c.state == run.state.value)
    if connection.execute(mine.values(changed)).rowcount != 1:
        raise RunError(f"campaign {run_id} has just changed; look at it and try again")
    return run._replace(state=state, changed_at=now)


def set_expected(connection: Connection, run_id: int, rows: int) -> None:
    """Note how many rows a run has, which is counted beside it."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(rows_expected=rows))


def _runs() -> Select[Any]:
    names = [name for name in Run._fields if name != "template"]
    columns = [runs.c[name] for name in names]
    return select(*columns, templates.c.name.label("template")).join_from(
        runs, templates, templates.c.id == runs.c.template_id
    )


def _as_run(row: Any) -> Run:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["source"] = RunSource.of_json(values["source"])
    values["state"] = RunState(values["state"])
    return Run(**values)


def as_runs(rows: Sequence[Any]) -> list[Run]:
    """Rows of ``run_rows`` as runs."""
    return [_as_run(row) for row in rows]


def run_rows() -> Select[Any]:
    """The query of whole runs, to be narrowed."""
    return _runs()


_NEW = (
    "id", "utility", "template_id", "version", "planned_for", "subject", "source", "state",
    "position", "rows_expected", "rows_read", "made", "parts", "suppressed", "passed_over",
    "unwritten", "asked_by", "created_at", "changed_at",
)  # fmt: skip
