"""Delivery receipts: what they make of a message, and those that come before its result.

``after_receipt`` is the table, and pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, bindparam, delete, func, select, update

from core.attempts import Attempt, store_attempts
from core.bulk import as_rows, has_rows, insert_rows, unfolded
from core.outbox import Result, State
from core.policies import allowed_from, pause_after, policies_of
from core.statements import change, fetch
from core.suppressions import Blocked, store_blocked
from core.tables import early_receipts, outbox
from core.templates.types import SendPolicy


class ReceiptFor(NamedTuple):
    """A delivery receipt in the words of the outbox."""

    smsc: str
    smsc_id: str
    state: State | None
    """The state it brings; None for one that says only that nothing is settled."""
    error: str
    at: int


class Taken(NamedTuple):
    """A row that the operator took, as far as its receipt asks."""

    id: int
    smsc: str
    smsc_id: str
    state: str
    attempts: int
    max_attempts: int
    expires_at: int | None
    accepted_at: int | None
    mobile: str
    template_id: int | None
    policy_id: int | None


class Settled(NamedTuple):
    """What a receipt makes of a row; the order is that of ``_SETTLED``."""

    id: int
    was: str
    state: str
    error: str
    changed_at: int
    due_at: int | None = None
    """When it is tried again; None leaves what is there."""


def store_receipts(
    connection: Connection, receipts: Sequence[ReceiptFor], now: int
) -> Counter[str]:
    """Apply receipts; those whose message is not known yet wait for its result.

    Returns how many messages came into which state by them.
    """
    telling = {(r.smsc, r.smsc_id): r for r in receipts if r.state is not None}
    if not telling:
        return Counter()
    found = [Taken._make(row) for row in fetch(connection, _BY_SMSC_ID, as_rows(telling))]
    # A panel has one id for all parts of a message.
    rows: dict[tuple[str, str], list[Taken]] = {}
    for row in found:
        rows.setdefault((row.smsc, row.smsc_id), []).append(row)
    early: list[tuple[object, ...]] = []
    told: list[tuple[Taken, ReceiptFor]] = []
    for key, receipt in telling.items():
        assert receipt.state is not None  # noqa: S101 - chosen above
        if key not in rows:
            early.append((*key, receipt.state.value, receipt.error, receipt.at, now))
        told += ((row, receipt) for row in rows.get(key, ()))
    became = apply(connection, told, now)
    insert_rows(connection, early_receipts, _EARLY_COLUMNS, early, or_ignore=True)
    return became


def after_receipt(
    row: Taken, receipt: ReceiptFor, now: int, policy: SendPolicy | None = None
) -> Settled | None:
    """What a receipt makes of the row that it is about; None: nothing.

    Only what the operator took can be settled by it; a message that is ``uncertain`` has no
    operator's id, so no receipt finds it. "Delivered" corrects a failure, also one after
    which the message waits to be tried again, and nothing corrects "delivered". Failures
    that the policy names are tried again while attempts and time are left.
    """
    state, says = State(row.state), receipt.state
    if says is None:
        return None
    if state is State.ACCEPTED:
        settled = Settled(row.id, row.state, says.value, receipt.error, receipt.at)
        if policy is not None and says.value in policy.retry_on:
            due = allowed_from(policy, now + pause_after(policy, row.attempts))
            in_time = row.expires_at is None or due < row.expires_at
            if in_time and row.attempts < row.max_attempts:
                return settled._replace(state=State.WAITING.value, changed_at=now, due_at=due)
        return settled
    if says is State.DELIVERED and state in _CORRECTED:
        return Settled(row.id, row.state, says.value, receipt.error, receipt.at)
    return None


def take_early(
    connection: Connection, keys: Mapping[str, str]
) -> dict[tuple[str, str], ReceiptFor]:
    """Take receipts that overtook the result of their message, by (smsc, smsc_id).

    ``keys``: what ``core.bulk.as_rows`` makes of rows that begin with these two. Whoever takes
    them applies them.
    """
    found = fetch(connection, _EARLY, keys)
    if not found:
        return {}
    change(connection, _FORGET_EARLY, keys)
    return {
        (row.smsc, row.smsc_id): ReceiptFor(
            row.smsc, row.smsc_id, State(row.state), row.error, row.done_at
        )
        for row in found
    }


def apply(
    connection: Connection, told: Sequence[tuple[Taken, ReceiptFor]], now: int
) -> Counter[str]:
    """Have receipts settle their rows; how many came into which state by them."""
    known = policies_of(connection, (row.policy_id for row, _receipt in told))
    settled: list[Settled] = []
    history: list[Attempt] = []
    blocked: list[Blocked] = []
    for row, receipt in told:
        made = after_receipt(row, receipt, now, known.get(row.policy_id or 0))
        if made is None:
            continue
        settled.append(made)
        if made.due_at is not None:
            history += _overwritten(row, receipt)
        if made.state == State.SUPPRESSED and row.template_id is not None:
            blocked.append(Blocked(row.mobile, row.template_id, receipt.error, now))
    if settled:
        change(connection, _SETTLE, {**as_rows(settled), "now": now})
    store_attempts(connection, history)
    store_blocked(connection, blocked)
    return Counter(each.state for each in settled)


def _overwritten(row: Taken, receipt: ReceiptFor) -> list[Attempt]:
    """What the next attempt overwrites: this one, if it is the first, and its receipt."""
    assert receipt.state is not None  # noqa: S101 - it has settled the row
    about = row.smsc, row.smsc_id
    said = Attempt(row.id, receipt.at, None, *about, receipt.state.value, None, receipt.error)
    if row.attempts > 1:
        return [said]
    at = row.accepted_at or receipt.at
    return [Attempt(row.id, at, None, *about, Result.ACCEPTED.value, 0, None), said]


def forget_early_receipts(connection: Connection, before: int) -> None:
    """Drop receipts that found no message until ``before``."""
    connection.execute(delete(early_receipts).where(early_receipts.c.received_at < before))


_EARLY_COLUMNS = ("smsc", "smsc_id", "state", "error", "done_at", "received_at")
_keys = unfolded({"smsc": Text(), "smsc_id": Text()})
_BY_SMSC_ID = select(*(outbox.c[name] for name in Taken._fields)).join_from(
    _keys, outbox, (outbox.c.smsc_id == _keys.c.smsc_id) & (outbox.c.smsc == _keys.c.smsc)
)
_CORRECTED = (State.UNDELIVERABLE, State.EXPIRED, State.WAITING)
_types = {name: outbox.c["state" if name == "was" else name].type for name in Settled._fields}
_settled = unfolded(_types)
# Another daemon may have claimed meanwhile what was to be tried again.
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == _settled.c.id, outbox.c.state == _settled.c.was)
    .values(
        state=_settled.c.state,
        error=_settled.c.error,
        changed_at=_settled.c.changed_at,
        over_at=bindparam("now", type_=BigInteger),
        due_at=func.coalesce(_settled.c.due_at, outbox.c.due_at),
    )
)
_EARLY = (
    select(early_receipts)
    .join_from(
        _keys,
        early_receipts,
        (early_receipts.c.smsc == _keys.c.smsc) & (early_receipts.c.smsc_id == _keys.c.smsc_id),
    )
    .where(has_rows(early_receipts))
)
_FORGET_EARLY = delete(early_receipts).where(
    early_receipts.c.smsc_id.in_(select(_keys.c.smsc_id)),
    early_receipts.c.smsc.in_(select(_keys.c.smsc)),
)
