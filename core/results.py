"""What the results of submissions make of their rows.

``after_send`` is the table, and pure. What a row no longer tells afterwards is put down in
its history (``core.attempts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, literal_column, update

from core.attempts import Attempt, store_results_of
from core.bulk import as_rows, unfolded
from core.outbox import THROTTLED_PAUSE_MS, UNCERTAIN_PAUSE_MS, Result, Sent, State
from core.policies import allowed_from, pause_after, policies_of
from core.receipts import Taken, apply_early
from core.suppressions import Blocked, store_blocked
from core.tables import outbox
from core.templates.types import SendPolicy


class Change(NamedTuple):
    """What a result makes of a row; the order is that of ``_SENT_COLUMNS``."""

    id: int
    state: str
    attempts: int
    due_at: int
    changed_at: int
    smsc: str | None
    smsc_id: str | None
    code: int
    accepted_at: int | None = None
    """None leaves what is there."""
    error: None = None
    """A receipt's; it was about an earlier attempt."""
    node: None = None
    lease_until: None = None


_ENDS: Final = {Result.PERMANENT: State.REJECTED, Result.BLOCKED: State.SUPPRESSED}
_NO_ATTEMPT: Final = (Result.UNSENT, Result.THROTTLED)
"""Never written, or too fast: no fault of the message, so no attempt is used up."""


def after_send(sent: Sent, now: int, policy: SendPolicy | None = None) -> Change:
    """What the result of a submission makes of its row; no policy is that of answers."""
    row, result, smsc, smsc_id, code = sent
    attempts = row.attempts + (result not in _NO_ATTEMPT)
    if result is Result.ACCEPTED:
        taken = State.ACCEPTED.value
        return Change(row.id, taken, attempts, now, now, smsc, smsc_id or None, 0, now)
    if result in _ENDS:
        state, due = _ENDS[result], now
    else:
        state, due = _again(sent, attempts, now, policy)
    return Change(row.id, state.value, attempts, due, now, smsc or None, None, code)


def _again(sent: Sent, attempts: int, now: int, policy: SendPolicy | None) -> tuple[State, int]:
    """Whether and when a message goes out again that has not got through."""
    row, result = sent.row, sent.result
    if result is Result.UNCERTAIN and not row.resend_uncertain:
        return State.UNCERTAIN, now
    if result is not Result.UNSENT and attempts >= row.max_attempts:
        return State.UNCERTAIN if result is Result.UNCERTAIN else State.UNDELIVERABLE, now
    match result:
        case Result.UNSENT:
            pause = 0
        case Result.THROTTLED:
            pause = THROTTLED_PAUSE_MS
        case Result.UNCERTAIN if policy is None:
            pause = UNCERTAIN_PAUSE_MS
        case _:
            pause = pause_after(policy, attempts)
    due = allowed_from(policy, now + pause)
    if row.expires_at and due >= row.expires_at:
        return State.EXPIRED, due
    return State.QUEUED if result is Result.UNSENT else State.WAITING, due


def store_results(
    connection: Connection, sent: Sequence[Sent], now: int, node: int | None = None
) -> Counter[str]:
    """Record what became of submissions, and receipts that overtook them.

    ``node``: the daemon that submitted them. What another one has taken over since is its own.
    Returns how many came into which state.
    """
    if not sent:
        return Counter()
    known = policies_of(connection, (one.row.policy_id for one in sent))
    changes = [after_send(one, now, known.get(one.row.policy_id or 0)) for one in sent]
    store_results_of(connection, [_put_down(one, now, node) for one in sent if _is_told(one)])
    rows: dict[str, object] = {**as_rows(changes)}
    if node is None:
        connection.execute(_SETTLE, rows)
    else:
        connection.execute(_SETTLE_OWN, rows | {"owner": node})
    store_blocked(
        connection,
        [
            Blocked(one.row.mobile, one.row.template_id, str(one.code), now)
            for one in sent
            if one.result is Result.BLOCKED and one.row.template_id
        ],
    )
    taken: dict[tuple[str, str], list[Taken]] = {}
    for one, change in zip(sent, changes, strict=True):
        if one.smsc_id:
            taken.setdefault((one.smsc, one.smsc_id), []).append(_as_taken(one, change))
    became = Counter(change.state for change in changes)
    became.update(apply_early(connection, taken, now))
    return became


def _is_told(sent: Sent) -> bool:
    """Whether this attempt is put down: its row tells a first one that was accepted."""
    if sent.result is Result.ACCEPTED:
        return sent.row.attempts > 0
    return sent.result not in _NO_ATTEMPT


def _put_down(sent: Sent, now: int, node: int | None) -> Attempt:
    row, result, smsc, smsc_id, code = sent
    return Attempt(row.id, now, node, smsc, smsc_id or None, result.value, code, None)


def _as_taken(sent: Sent, change: Change) -> Taken:
    row = sent.row
    return Taken(
        row.id,
        sent.smsc,
        sent.smsc_id,
        change.state,
        change.attempts,
        row.max_attempts,
        row.expires_at,
        change.accepted_at,
        row.mobile,
        row.template_id,
        row.policy_id,
    )


_SENT_COLUMNS = Change._fields
_changes = unfolded({name: outbox.c[name].type for name in _SENT_COLUMNS})
# Results come again after a commit whose answer was lost; a receipt may have come since.
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == _changes.c.id, outbox.c.state == State.SENDING.value)
    .values(
        {outbox.c[name]: _changes.c[name] for name in _SENT_COLUMNS if name != "id"}
        | {outbox.c.accepted_at: func.coalesce(_changes.c.accepted_at, outbox.c.accepted_at)}
    )
)
# With nothing added SQLite would go through all that the daemon has in hand, for each result.
_SETTLE_OWN = _SETTLE.where(outbox.c.node + literal_column("0") == bindparam("owner"))
