"""What the results of submissions make of their rows.

Nearly all are accepted, and one statement says the same of those; ``after_send`` is the table
of what follows from the others, and pure. What a row no longer tells afterwards is put down
in its history (``core.attempts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Update,
    bindparam,
    literal_column,
    null,
    update,
)

from core.attempts import Attempt, store_results_of
from core.bulk import as_rows, unfolded
from core.outbox import THROTTLED_PAUSE_MS, UNCERTAIN_PAUSE_MS, Result, Sent, State
from core.policies import allowed_from, pause_after, policies_of
from core.receipts import Taken, apply, take_early
from core.statements import change
from core.suppressions import Blocked, store_blocked
from core.tables import outbox
from core.templates.types import SendPolicy


class Change(NamedTuple):
    """What a failure makes of a row; the order is that of ``_SENT_COLUMNS``."""

    id: int
    state: str
    attempts: int
    due_at: int
    changed_at: int
    smsc: str | None
    smsc_id: str | None
    code: int
    error: None = None
    """A receipt's; it was about an earlier attempt."""
    node: None = None
    lease_until: None = None


_ENDS: Final = {Result.PERMANENT: State.REJECTED, Result.BLOCKED: State.SUPPRESSED}
_NO_ATTEMPT: Final = (Result.UNSENT, Result.THROTTLED)
"""Never written, or too fast: no fault of the message, so no attempt is used up."""


def after_send(sent: Sent, now: int, policy: SendPolicy | None = None) -> Change:
    """What a submission that was not accepted makes of its row; no policy is that of answers."""
    row, result, smsc, _smsc_id, code = sent
    attempts = row.attempts + (result not in _NO_ATTEMPT)
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
    store_results_of(connection, [_put_down(one, now, node) for one in sent if _is_told(one)])
    failed = [one for one in sent if one.result is not Result.ACCEPTED]
    became = _store_failures(connection, failed, now, node) if failed else Counter[str]()
    if len(failed) < len(sent):
        became += _store_accepted(connection, sent, now, node)
    return became


def _store_failures(
    connection: Connection, failed: Sequence[Sent], now: int, node: int | None
) -> Counter[str]:
    known = policies_of(connection, (one.row.policy_id for one in failed))
    changes = [after_send(one, now, known.get(one.row.policy_id or 0)) for one in failed]
    rows: dict[str, object] = {**as_rows(changes)}
    if node is None:
        change(connection, _SETTLE, rows)
    else:
        change(connection, _SETTLE_OWN, rows | {"owner": node})
    store_blocked(
        connection,
        [
            Blocked(one.row.mobile, one.row.template_id, str(one.code), now)
            for one in failed
            if one.result is Result.BLOCKED and one.row.template_id
        ],
    )
    return Counter(change.state for change in changes)


def _store_accepted(
    connection: Connection, sent: Sequence[Sent], now: int, node: int | None
) -> Counter[str]:
    """What nearly all of them are, with nothing said of each that is the same for all."""
    rows = [
        (smsc, smsc_id or None, row.id, row.attempts + 1)
        for row, result, smsc, smsc_id, _code in sent
        if result is Result.ACCEPTED
    ]
    encoded = as_rows(rows)
    parameters: dict[str, object] = {**encoded, "now": now}
    if node is None:
        change(connection, _ACCEPT, parameters)
    else:
        change(connection, _ACCEPT_OWN, parameters | {"owner": node})
    became = Counter({State.ACCEPTED.value: len(rows)})
    # The rows begin as keys of receipts do.
    early = take_early(connection, encoded)
    if early:
        told = [
            (_as_taken(one, now), receipt)
            for one in sent
            if (receipt := early.get((one.smsc, one.smsc_id))) is not None
            and one.result is Result.ACCEPTED
        ]
        became += apply(connection, told, now)
    return became


def _is_told(sent: Sent) -> bool:
    """Whether this attempt is put down: its row tells a first one that was accepted."""
    if sent.result is Result.ACCEPTED:
        return sent.row.attempts > 0
    return sent.result not in _NO_ATTEMPT


def _put_down(sent: Sent, now: int, node: int | None) -> Attempt:
    row, result, smsc, smsc_id, code = sent
    return Attempt(row.id, now, node, smsc, smsc_id or None, result.value, code, None)


def _as_taken(sent: Sent, now: int) -> Taken:
    row = sent.row
    return Taken(
        row.id,
        sent.smsc,
        sent.smsc_id,
        State.ACCEPTED.value,
        row.attempts + 1,
        row.max_attempts,
        row.expires_at,
        now,
        row.mobile,
        row.template_id,
        row.policy_id,
    )


def _own(statement: Update) -> Update:
    """Leave alone what is another daemon's by now."""
    return statement.where(outbox.c.node == bindparam("owner"))


# Said plainly, either engine would know an index of what is being sent, and go through all of
# that for each result.
_IS_BEING_SENT = outbox.c.state.concat(literal_column("''")) == State.SENDING.value
_SENT_COLUMNS = Change._fields
_changes = unfolded({name: outbox.c[name].type for name in _SENT_COLUMNS})
# Results come again after a commit whose answer was lost; a receipt may have come since.
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == _changes.c.id, _IS_BEING_SENT)
    .values(
        {
            **{outbox.c[name]: _changes.c[name] for name in _SENT_COLUMNS if name != "id"},
            outbox.c.over_at: _changes.c.changed_at,
        }
    )
)
_accepted = unfolded({name: outbox.c[name].type for name in ("smsc", "smsc_id", "id", "attempts")})
_now = bindparam("now", type_=BigInteger)
_ACCEPT = (
    update(outbox)
    .where(outbox.c.id == _accepted.c.id, _IS_BEING_SENT)
    .values(
        state=State.ACCEPTED.value,
        attempts=_accepted.c.attempts,
        due_at=_now,
        changed_at=_now,
        smsc=_accepted.c.smsc,
        smsc_id=_accepted.c.smsc_id,
        code=0,
        accepted_at=_now,
        error=null(),
        node=null(),
        lease_until=null(),
    )
)
_SETTLE_OWN, _ACCEPT_OWN = _own(_SETTLE), _own(_ACCEPT)
