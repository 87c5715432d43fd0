"""Campaigns that have failed, and that nobody has mended, given up or begun again."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, exists, select

from core.ids import first_id_at
from core.runs.states import RunState
from core.tables import runs, templates

TOLD_MS: Final = 7 * 86_400_000
"""For so long after it was begun people are reminded of one."""


class FailedRun(NamedTuple):
    """The newest campaign of a template, where it failed."""

    utility: str
    template: str
    error: str


def failed_runs(connection: Connection, now: int) -> tuple[FailedRun, ...]:
    """Those of the last week; one statement, along the ids."""
    rows = connection.execute(_FAILED, {"first": first_id_at(now - TOLD_MS)})
    return tuple(FailedRun(utility, template, error or "") for utility, template, error in rows)


_newer = runs.alias("newer")
_FAILED = (
    select(runs.c.utility, templates.c.name, runs.c.error)
    .join_from(runs, templates, templates.c.id == runs.c.template_id)
    .where(
        runs.c.id >= bindparam("first", type_=BigInteger),
        runs.c.state == RunState.FAILED.value,
        ~exists().where(_newer.c.template_id == runs.c.template_id, _newer.c.id > runs.c.id),
    )
    .order_by(runs.c.id)
)
