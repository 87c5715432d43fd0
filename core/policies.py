"""How messages are sent and tried again: the rows of ``send_policies``, and their arithmetic.

A row never changes, so each connection keeps those it has read: a batch asks the database
only for policies that are new to it, in one statement. A message without one is tried again
as answers to people are (``core.outbox.RETRY_MS``), at any hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import structlog
from sqlalchemy import BigInteger, Connection, insert, select

from core.bulk import as_rows, unfolded
from core.outbox import RETRY_MS
from core.schedules import Window, next_allowed
from core.statements import fetch
from core.tables import send_policies
from core.templates.types import SendPolicy

log = structlog.get_logger(__name__)

LONGEST_PAUSE_MS = 30 * 86_400_000
"""However often a pause has grown."""
_KEPT = "peyk_send_policies"
_wanted = unfolded({"id": BigInteger()})
_BY_ID = select(send_policies.c.id, send_policies.c.settings).join_from(
    _wanted, send_policies, send_policies.c.id == _wanted.c.id
)


# --- storing --------------------------------------------------------------------------


def as_settings(policy: SendPolicy) -> str:
    """A policy as its row keeps it: JSON, equal for equal policies."""
    hours = [[w.begins, w.ends, sorted(w.weekdays)] for w in policy.hours]
    settings = {
        "pauses": list(policy.pauses),
        "growth_percent": policy.growth_percent,
        "hours": hours,
        "retry_on": sorted(policy.retry_on),
    }
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))


def from_settings(settings: str) -> SendPolicy:
    """The policy that ``as_settings`` wrote."""
    read = json.loads(settings)
    return SendPolicy(
        pauses=tuple(read["pauses"]),
        growth_percent=read["growth_percent"],
        hours=tuple(Window(begins, ends, frozenset(days)) for begins, ends, days in read["hours"]),
        retry_on=frozenset(read["retry_on"]),
    )


def store_policy(connection: Connection, policy: SendPolicy) -> int:
    """The id of the row that holds this policy; a new row if none does."""
    settings = as_settings(policy)
    there = select(send_policies.c.id).where(send_policies.c.settings == settings)
    found = connection.scalar(there)
    if found is not None:
        return int(found)
    made = connection.execute(insert(send_policies).values(settings=settings))
    assert made.inserted_primary_key is not None  # noqa: S101 - one row was inserted
    return int(made.inserted_primary_key[0])


def policies_of(connection: Connection, ids: Iterable[int | None]) -> Mapping[int, SendPolicy]:
    """The policies of these ids, in at most one statement; none while all are known."""
    kept: dict[int, SendPolicy] = connection.info.setdefault(_KEPT, {})
    unknown = {key for key in ids if key is not None} - kept.keys()
    if unknown:
        found = fetch(connection, _BY_ID, as_rows((key,) for key in sorted(unknown)))
        kept.update((key, from_settings(settings)) for key, settings in found)
        missing = sorted(unknown - kept.keys())
        if missing:
            # Tried again as answers are: a result that cannot be stored would be worse.
            log.error("outbox.policy_missing", policies=missing)
    return kept


# --- arithmetic -----------------------------------------------------------------------


def pause_after(policy: SendPolicy | None, failures: int) -> int:
    """How many milliseconds to wait after so many failed attempts, which are at least one."""
    place = max(0, failures - 1)
    if policy is None or not policy.pauses:
        return RETRY_MS[min(place, len(RETRY_MS) - 1)]
    last = len(policy.pauses) - 1
    if place <= last:
        return policy.pauses[place] * 1000
    grown = float(policy.pauses[last] * 1000)
    for _ in range(place - last):
        grown *= 1 + policy.growth_percent / 100
        if grown >= LONGEST_PAUSE_MS:
            return LONGEST_PAUSE_MS
    return round(grown)


def allowed_from(policy: SendPolicy | None, instant: int) -> int:
    """The first instant at or after this one at which it may go out: UTC milliseconds."""
    if policy is None or not policy.hours:
        return instant
    return next_allowed(policy.hours, instant)
