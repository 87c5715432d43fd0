"""Delivery receipts: what they make of a message, and those that come before its result.

``after_receipt`` is the table, and pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Text, delete, select

from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.outbox import State
from core.tables import early_receipts, outbox


class ReceiptFor(NamedTuple):
    """A delivery receipt in the words of the outbox."""

    smsc: str
    smsc_id: str
    state: State | None
    """The state it brings; None for one that says only that nothing is settled."""
    error: str
    at: int


def store_receipts(connection: Connection, receipts: Sequence[ReceiptFor], now: int) -> None:
    """Apply receipts; those whose message is not known yet wait for its result."""
    telling = {(r.smsc, r.smsc_id): r for r in receipts if r.state is not None}
    if not telling:
        return
    found = connection.execute(_BY_SMSC_ID, as_rows(telling)).all()
    rows = {(row.smsc, row.smsc_id): row for row in found}
    changes: list[tuple[int, str, str, int]] = []
    early: list[tuple[object, ...]] = []
    for key, receipt in telling.items():
        assert receipt.state is not None  # noqa: S101 - chosen above
        row = rows.get(key)
        if row is None:
            early.append((*key, receipt.state.value, receipt.error, receipt.at, now))
        elif after_receipt(State(row.state), receipt.state):
            changes.append((row.id, receipt.state.value, receipt.error, receipt.at))
    _apply(connection, changes)
    insert_rows(connection, early_receipts, _EARLY_COLUMNS, early, or_ignore=True)


def after_receipt(state: State, says: State) -> bool:
    """Whether a receipt that says ``says`` changes a row in ``state``.

    Only what the operator took can be settled by it; a message that is ``uncertain`` has
    no operator's id, so no receipt finds it. "Delivered" corrects an earlier failure, and
    nothing corrects "delivered".
    """
    if state is State.ACCEPTED:
        return True
    return says is State.DELIVERED and state in (State.UNDELIVERABLE, State.EXPIRED)


def apply_early(connection: Connection, taken: Mapping[tuple[str, str], int]) -> None:
    """Apply receipts that overtook the result of their message: (smsc, smsc_id) → row."""
    if not taken:
        return
    keys = as_rows(taken)
    early = connection.execute(_EARLY, keys).all()
    if early:
        connection.execute(_FORGET_EARLY, keys)
        rows = [(taken[row.smsc, row.smsc_id], row.state, row.error, row.done_at) for row in early]
        _apply(connection, rows)


def _apply(connection: Connection, changes: Sequence[tuple[int, str, str, int]]) -> None:
    update_rows(connection, outbox, ("id", "state", "error", "changed_at"), changes)


def forget_early_receipts(connection: Connection, before: int) -> None:
    """Drop receipts that found no message until ``before``."""
    connection.execute(delete(early_receipts).where(early_receipts.c.received_at < before))


_EARLY_COLUMNS = ("smsc", "smsc_id", "state", "error", "done_at", "received_at")
_keys = unfolded({"smsc": Text(), "smsc_id": Text()})
_BY_SMSC_ID = select(outbox.c.id, outbox.c.smsc, outbox.c.smsc_id, outbox.c.state).join_from(
    _keys, outbox, (outbox.c.smsc_id == _keys.c.smsc_id) & (outbox.c.smsc == _keys.c.smsc)
)
_EARLY = select(early_receipts).join_from(
    _keys,
    early_receipts,
    (early_receipts.c.smsc == _keys.c.smsc) & (early_receipts.c.smsc_id == _keys.c.smsc_id),
)
_FORGET_EARLY = delete(early_receipts).where(
    early_receipts.c.smsc_id.in_(select(_keys.c.smsc_id)),
    early_receipts.c.smsc.in_(select(_keys.c.smsc)),
)
