"""What keeps a message back that is due: its time is over, its hours, or nobody wants it.

Whoever claims messages asks here once more, since all of it may have changed after they were
made: the window of a campaign ends in the middle of it, and people opt out at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from core.bulk import update_rows
from core.outbox import Outgoing, State
from core.policies import allowed_from, policies_of
from core.suppressions import Receiving, opted_out
from core.tables import outbox
from core.templates.types import SendPolicy

MOST_PUT_OFF = 1_000
"""Rows outside their hours that one claim moves: some ten milliseconds of the database."""
OPTED_OUT = "opted out"
"""The ``error`` of a message that was not sent because its receiver wants none."""


class Checked(NamedTuple):
    """What of the rows that are due may go out."""

    live: list[Outgoing]
    hours: dict[int, SendPolicy]
    """Policies of those that may go out at some hours only."""
    closed: dict[int, int]
    """Policies of rows that may not go out at this hour, and when each opens."""


def check(connection: Connection, rows: Sequence[Outgoing], now: int) -> Checked:
    """Keep back what may not go out now; what is over or not wanted is settled.

    At the most three statements: policies that are new here, who wants none, what ends.
    """
    used = {row.policy_id for row in rows if row.policy_id is not None}
    known = policies_of(connection, used)
    hours = {key: known[key] for key in used if key in known and known[key].hours}
    closed = closed_at(hours, now)
    over = [row.id for row in rows if row.expires_at is not None and row.expires_at <= now]
    ended = set(over)
    open_now = [row for row in rows if row.id not in ended and row.policy_id not in closed]
    unwanted = opted_out(
        connection,
        [Receiving(r.id, r.mobile, r.template_id) for r in open_now if r.template_id is not None],
    )
    _end(
        connection,
        [(key, State.EXPIRED.value, None, now) for key in over]
        + [(key, State.SUPPRESSED.value, OPTED_OUT, now) for key in sorted(unwanted)],
    )
    return Checked([row for row in open_now if row.id not in unwanted], hours, closed)


def closed_at(hours: Mapping[int, SendPolicy], now: int) -> dict[int, int]:
    """Of these policies, those by which nothing may go out now, and when each opens."""
    opens = {key: allowed_from(policy, now) for key, policy in hours.items()}
    return {key: instant for key, instant in opens.items() if instant > now}


def put_off(
    connection: Connection, rows: Sequence[Outgoing], closed: Mapping[int, int], now: int
) -> None:
    """Move rows of these policies to when they open; what would be over by then expires."""
    due: list[tuple[int, int]] = []
    over: list[int] = []
    for row in rows:
        opens = closed.get(row.policy_id or 0)
        if opens is not None:
            if row.expires_at is not None and row.expires_at <= opens:
                over.append(row.id)
            else:
                due.append((row.id, opens))
    update_rows(connection, outbox, ("id", "due_at"), due)
    _end(connection, [(key, State.EXPIRED.value, None, now) for key in over])


def _end(connection: Connection, ended: Sequence[tuple[object, ...]]) -> None:
    columns = ("id", "state", "error", "changed_at", "over_at")
    update_rows(connection, outbox, columns, [(*row, row[-1]) for row in ended])
