"""Messages on their way out: their states, attempts, results and receipts.

A row is one part of a message. ``docs/states.md`` draws the states; ``after_send`` is the
table of what a submit_sm's result makes of a row, and ``after_receipt`` that of a receipt.
Both are pure. A daemon owns the rows it has in state ``sending``; whatever it left there
when it was killed is sent again or marked uncertain by ``recover``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, and_, case, delete, func, select, text, update

from core.bulk import as_rows, insert_rows, unfolded, update_rows
from core.database import by_index_only
from core.tables import IS_SENDING, WAITS_TO_GO, early_receipts, outbox


class State(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    """Not tried yet, or to be tried again at once."""
    SENDING = "sending"
    """With a daemon: in its queue, or submitted and not yet answered."""
    WAITING = "waiting"
    """Failed for now; ``due_at`` says when it is tried again."""
    ACCEPTED = "accepted"
    """The operator took it; no final receipt yet."""
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    """The operator could not deliver it, or every attempt failed."""
    REJECTED = "rejected"
    """The operator refused it for good."""
    EXPIRED = "expired"
    """Its time passed before it could be sent or delivered."""
    UNCERTAIN = "uncertain"
    """Submitted, and no response was seen: it may or may not have gone out."""
    SUPPRESSED = "suppressed"
    """The receiver wants none."""
    CANCELLED = "cancelled"


class Result(StrEnum):
    """What became of one submission; the same words as the gateway's ``SendStatus``."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNCERTAIN = "uncertain"
    UNSENT = "unsent"


RETRY_MS = (5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000)
"""The pause before each further attempt of an answer; the last one repeats."""
UNCERTAIN_PAUSE_MS = 1_000
THROTTLED_PAUSE_MS = 1_000
ANSWER_ATTEMPTS = 12
ANSWER_VALID_MS = 86_400_000
"""An answer that could not be sent for a day helps nobody any more."""
LEASE_MS = 300_000
NOTICE_PRIORITY = 1
"""After the answers to people (0), before whatever the utility sends in bulk."""


class Outgoing(NamedTuple):
    """One row that a daemon is to send: all that sending and judging the result needs."""

    id: int
    mobile: str
    line: str
    text: str
    part: int
    parts: int
    message_id: int
    priority: int
    attempts: int
    """How many times it has been submitted before."""
    max_attempts: int
    resend_uncertain: bool
    expires_at: int | None


class Sent(NamedTuple):
    """What became of one submission of a row."""

    row: Outgoing
    result: Result
    smsc: str
    smsc_id: str
    code: int


class ReceiptFor(NamedTuple):
    """A delivery receipt in the words of the outbox."""

    smsc: str
    smsc_id: str
    state: State | None
    """The state it brings; None for one that says only that nothing is settled."""
    error: str
    at: int


# --- answers ------------------------------------------------------------------------


class Answer(NamedTuple):
    """The reply to a message, cut into parts."""

    ids: Sequence[int]
    """One for each part, in a row; the first is the message's id."""
    inbox_id: int
    mobile: str
    line: str
    texts: Sequence[str]
    subscriber_id: int | None
    now: int
    via: str | None
    """The bind that takes it right after the commit; None: any daemon claims it later."""


def store_answers(connection: Connection, answers: Sequence[Answer], node: int) -> None:
    """Queue the replies of a batch in one statement; those with a bind are ``sending``."""
    rows: list[tuple[object, ...]] = []
    for ids, inbox_id, mobile, line, texts, subscriber_id, now, via in answers:
        state, owner, lease = (
            (State.QUEUED.value, None, None)
            if via is None
            else (State.SENDING.value, node, now + LEASE_MS)
        )
        about = (inbox_id, subscriber_id, mobile, line)
        trials = (0, state, 0, ANSWER_ATTEMPTS, True)
        times = (now, now, now + ANSWER_VALID_MS, now)
        rows += (
            (row_id, ids[0], part, len(texts), *about, words, *trials, *times, owner, lease)
            for part, (row_id, words) in enumerate(zip(ids, texts, strict=True), 1)
        )
    insert_rows(connection, outbox, _NEW_COLUMNS, rows)


def as_outgoing(answer: Answer) -> list[Outgoing]:
    """The rows of an answer as the bind that takes it wants them."""
    ids, _inbox_id, mobile, line, texts, _subscriber_id, now, _via = answer
    trials = (0, 0, ANSWER_ATTEMPTS, True, now + ANSWER_VALID_MS)
    return [
        Outgoing(row_id, mobile, line, words, part, len(texts), ids[0], *trials)
        for part, (row_id, words) in enumerate(zip(ids, texts, strict=True), 1)
    ]


class Notice(NamedTuple):
    """A message that follows from something that happened, cut into parts."""

    ids: Sequence[int]
    """One for each part, in a row; the first is the message's id."""
    mobile: str
    line: str
    texts: Sequence[str]
    subscriber_id: int | None
    now: int


def store_notices(connection: Connection, notices: Sequence[Notice]) -> None:
    """Queue messages that answer no message in one statement; any daemon claims them."""
    rows: list[tuple[object, ...]] = []
    for ids, mobile, line, texts, subscriber_id, now in notices:
        about = (None, subscriber_id, mobile, line)
        trials = (NOTICE_PRIORITY, State.QUEUED.value, 0, ANSWER_ATTEMPTS, True)
        times = (now, now, now + ANSWER_VALID_MS, now)
        rows += (
            (row_id, ids[0], part, len(texts), *about, words, *trials, *times, None, None)
            for part, (row_id, words) in enumerate(zip(ids, texts, strict=True), 1)
        )
    insert_rows(connection, outbox, _NEW_COLUMNS, rows)


# --- results ------------------------------------------------------------------------


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
    node: None = None
    lease_until: None = None


def after_send(sent: Sent, now: int) -> Change:
    """What the result of a submission makes of its row."""
    row, result, smsc, smsc_id, code = sent
    attempts, due = row.attempts + 1, now
    match result:
        case Result.ACCEPTED:
            return Change(
                row.id, State.ACCEPTED.value, attempts, due, now, smsc, smsc_id or None, 0
            )
        case Result.PERMANENT:
            state = State.REJECTED
        case Result.UNSENT:
            state, attempts = State.QUEUED, row.attempts
        case Result.THROTTLED:
            # The SMSC's speed is no fault of the message: no attempt is used up.
            state, attempts, due = State.WAITING, row.attempts, now + THROTTLED_PAUSE_MS
        case Result.UNCERTAIN:
            state, due = State.WAITING, now + UNCERTAIN_PAUSE_MS
            if not row.resend_uncertain:
                state = State.UNCERTAIN
        case Result.TEMPORARY:
            state, due = State.WAITING, now + RETRY_MS[min(row.attempts, len(RETRY_MS) - 1)]
    if state is State.WAITING and attempts >= row.max_attempts:
        state = State.UNCERTAIN if result is Result.UNCERTAIN else State.UNDELIVERABLE
    if state in (State.WAITING, State.QUEUED) and row.expires_at and due >= row.expires_at:
        state = State.EXPIRED
    return Change(row.id, state.value, attempts, due, now, smsc or None, None, code)


def store_results(connection: Connection, sent: Sequence[Sent], now: int) -> None:
    """Record what became of submissions, and receipts that overtook them."""
    if not sent:
        return
    connection.execute(_SETTLE, as_rows(after_send(one, now) for one in sent))
    taken = {(one.smsc, one.smsc_id): one.row.id for one in sent if one.smsc_id}
    if taken:
        keys = as_rows(taken)
        early = connection.execute(_EARLY, keys).all()
        if early:
            connection.execute(_FORGET_EARLY, keys)
            _apply(
                connection,
                [
                    (taken[row.smsc, row.smsc_id], row.state, row.error, row.done_at)
                    for row in early
                ],
            )


# --- receipts -----------------------------------------------------------------------


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


def _apply(connection: Connection, changes: Sequence[tuple[int, str, str, int]]) -> None:
    update_rows(connection, outbox, ("id", "state", "error", "changed_at"), changes)


def forget_early_receipts(connection: Connection, before: int) -> None:
    """Drop receipts that found no message until ``before``."""
    connection.execute(delete(early_receipts).where(early_receipts.c.received_at < before))


# --- claiming and recovering --------------------------------------------------------


def claim(
    connection: Connection, node: int, lines: Collection[str], limit: int, now: int
) -> list[Outgoing]:
    """Take due rows of these lines for this daemon; several daemons never take the same.

    Answers to people come first, then what has been due longest.
    """
    if not lines or limit <= 0:
        return []
    by_index_only(connection)
    due = (
        select(*_OUTGOING)
        .where(
            text(WAITS_TO_GO),
            outbox.c.due_at <= now,
            outbox.c.line.in_(sorted(lines)),
        )
        .order_by(outbox.c.priority, outbox.c.due_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = [Outgoing._make(row) for row in connection.execute(due)]
    live = [row for row in rows if row.expires_at is None or row.expires_at > now]
    _end(connection, [row.id for row in rows if row not in live], State.EXPIRED, now)
    update_rows(
        connection,
        outbox,
        ("id", "state", "node", "lease_until", "changed_at"),
        [(row.id, State.SENDING.value, node, now + LEASE_MS, now) for row in live],
    )
    return live


def claim_for_each(
    connection: Connection, node: int, wanted: Sequence[tuple[str, Collection[str], int]], now: int
) -> list[tuple[str, list[Outgoing]]]:
    """Claim for several binds, all or nothing: (bind, lines, limit) → (bind, rows)."""
    return [(bind, claim(connection, node, lines, limit, now)) for bind, lines, limit in wanted]


def _end(connection: Connection, ids: Sequence[int], state: State, now: int) -> None:
    update_rows(
        connection, outbox, ("id", "state", "changed_at"), [(i, state.value, now) for i in ids]
    )


def recover(connection: Connection, node: int, held: Collection[int], now: int) -> int:
    """Settle rows that this daemon left in ``sending``; returns how many.

    ``held`` are those it still has in hand. The others were lost with the process, or with
    the answer to a commit: they go out again, or are uncertain where that is not wanted.
    """
    mine = and_(text(IS_SENDING), outbox.c.node == node)
    if held:
        ids = unfolded({"id": BigInteger()})
        mine &= outbox.c.id.not_in(select(ids.c.id))
    settled = (
        update(outbox)
        .where(mine)
        .values(
            state=case(
                (outbox.c.resend_uncertain, State.QUEUED.value), else_=State.UNCERTAIN.value
            ),
            attempts=outbox.c.attempts + 1,
            due_at=now,
            changed_at=now,
            node=None,
            lease_until=None,
        )
    )
    result = connection.execute(settled, as_rows((key,) for key in held) if held else {})
    return result.rowcount


class Depths(NamedTuple):
    """How much is waiting to go out."""

    waiting: int
    sending: int
    oldest_due_at: int | None
    """Since when the longest-waiting message has been due: UTC milliseconds."""


def depths(connection: Connection, now: int) -> Depths:
    """The outbox's depths, from the indexes that hold only what waits."""
    due, oldest = connection.execute(
        select(func.count(), func.min(outbox.c.due_at)).where(text(WAITS_TO_GO))
    ).one()
    sending = connection.execute(
        select(func.count()).select_from(outbox).where(text(IS_SENDING))
    ).scalar_one()
    return Depths(due, sending, oldest if oldest is not None and oldest <= now else None)


_NEW_COLUMNS = (
    "id",
    "message_id",
    "part",
    "parts",
    "inbox_id",
    "subscriber_id",
    "mobile",
    "line",
    "text",
    "priority",
    "state",
    "attempts",
    "max_attempts",
    "resend_uncertain",
    "created_at",
    "due_at",
    "expires_at",
    "changed_at",
    "node",
    "lease_until",
)
_SENT_COLUMNS = Change._fields
_EARLY_COLUMNS = ("smsc", "smsc_id", "state", "error", "done_at", "received_at")
_changes = unfolded({name: outbox.c[name].type for name in _SENT_COLUMNS})
# Results come again after a commit whose answer was lost; a receipt may have come since.
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == _changes.c.id, outbox.c.state == State.SENDING.value)
    .values({outbox.c[name]: _changes.c[name] for name in _SENT_COLUMNS if name != "id"})
)
_OUTGOING = tuple(outbox.c[name] for name in Outgoing._fields)

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
