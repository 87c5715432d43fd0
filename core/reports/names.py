"""What ids in reports are called: subscriptions, templates, campaigns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import BigInteger, Connection, select

from core.bulk import as_rows, unfolded
from core.database import by_index_only
from core.tables import runs, subscribers, templates

AT_ONCE: Final = 1_000
T = TypeVar("T")


class Subscription(NamedTuple):
    """Whose messages they are."""

    utility: str
    number: str


class Campaign(NamedTuple):
    """A run, as reports tell of it."""

    utility: str
    template: str
    planned_for: int
    state: str
    rows: int
    """Of its report, that were read."""
    suppressed: int
    """Receivers who want none, and for whom no message was made."""
    untold: int
    """Rows that nobody could be told of, or that fit no words."""


_wanted = unfolded({"id": BigInteger()})
_SUBSCRIPTIONS = select(subscribers.c.id, subscribers.c.utility, subscribers.c.number).join_from(
    _wanted, subscribers, subscribers.c.id == _wanted.c.id
)
_CAMPAIGNS = (
    select(
        runs.c.id,
        runs.c.utility,
        templates.c.name,
        runs.c.planned_for,
        runs.c.state,
        runs.c.rows_read,
        runs.c.suppressed,
        (runs.c.passed_over + runs.c.unwritten).label("untold"),
    )
    .join_from(_wanted, runs, runs.c.id == _wanted.c.id)
    .join(templates, templates.c.id == runs.c.template_id)
)


def load_subscriptions(connection: Connection, ids: Collection[int]) -> dict[int, Subscription]:
    """Subscriptions by id."""
    by_index_only(connection)
    rows = connection.execute(_SUBSCRIPTIONS, as_rows((key,) for key in ids))
    return {row[0]: Subscription(*row[1:]) for row in rows}


def load_campaigns(connection: Connection, ids: Collection[int]) -> dict[int, Campaign]:
    """Runs by id."""
    rows = connection.execute(_CAMPAIGNS, as_rows((key,) for key in ids))
    return {row[0]: Campaign(*row[1:]) for row in rows}


def load_templates(connection: Connection) -> dict[int, tuple[str, str]]:
    """The utility and the name of each template; there are few."""
    rows = connection.execute(select(templates.c.id, templates.c.utility, templates.c.name))
    return {row.id: (row.utility, row.name) for row in rows}


def in_pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """``items`` in lists of at most ``AT_ONCE``."""
    rest = iter(items)
    while piece := list(islice(rest, AT_ONCE)):
        yield piece
