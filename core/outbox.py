"""Messages on their way out: their states, and how answers and notices are queued.

A row is one part of a message. ``docs/states.md`` draws the states; ``core.sending`` says
what a submission makes of a row, ``core.receipts`` what a receipt does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    SmallInteger,
    bindparam,
    case,
    insert,
    literal,
    select,
    true,
)

from core.bulk import as_rows, unfolded_once
from core.statements import change
from core.tables import outbox


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
    HELD = "held"
    """Its campaign is paused."""
    SUPPRESSED = "suppressed"
    """The receiver wants none."""
    CANCELLED = "cancelled"


class Result(StrEnum):
    """What became of one submission: the words of the gateway's ``SendStatus``, and one more."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNCERTAIN = "uncertain"
    UNSENT = "unsent"
    BLOCKED = "blocked"
    """Refused because the mobile is on the operator's block list."""


RETRY_MS = (5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000)
"""The pause before each further attempt of an answer; the last one repeats."""
UNCERTAIN_PAUSE_MS = 1_000
THROTTLED_PAUSE_MS = 1_000
ANSWER_ATTEMPTS = 12
ANSWER_VALID_MS = 86_400_000
"""An answer that could not be sent for a day helps nobody any more."""
LEASE_MS = 300_000
PRIORITIES = range(10)
"""0 goes first: answers to people. What the utility sends of its own accord is 1 to 9."""
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
    template_id: int | None = None
    """The template that it was made by; None for answers to people."""
    policy_id: int | None = None
    """How it is tried again; None: as answers are."""
    operation: str = ""
    """What it answers, for the counters; not stored, so that a claimed row has none."""

    @property
    def asked_at(self) -> int | None:
        """When the message came that it answers: UTC milliseconds; None where not known."""
        if self.operation and self.expires_at is not None:
            return self.expires_at - ANSWER_VALID_MS
        return None


STORED: Final = Outgoing._fields[:-1]
"""The columns that a row is read from."""


class Sent(NamedTuple):
    """What became of one submission of a row."""

    row: Outgoing
    result: Result
    smsc: str
    smsc_id: str
    code: int


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
    operation: str = ""
    """What it answers, for the counters."""


def store_answers(connection: Connection, answers: Sequence[Answer], node: int) -> None:
    """Queue the replies of a batch in one statement; those with a bind are ``sending``."""
    rows = [
        (
            row_id,
            part,
            len(texts),
            inbox_id,
            subscriber_id,
            mobile,
            line,
            words,
            now,
            int(bool(via)),
        )
        for ids, inbox_id, mobile, line, texts, subscriber_id, now, via, _operation in answers
        for part, (row_id, words) in enumerate(zip(ids, texts, strict=True), 1)
    ]
    _store(connection, rows, 0, node)


def as_outgoing(answer: Answer) -> list[Outgoing]:
    """The rows of an answer as the bind that takes it wants them."""
    ids, _inbox_id, mobile, line, texts, _subscriber_id, now, _via, operation = answer
    trials = (0, 0, ANSWER_ATTEMPTS, True, now + ANSWER_VALID_MS, None, None, operation)
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
    rows = [
        (row_id, part, len(texts), None, subscriber_id, mobile, line, words, now, 0)
        for ids, mobile, line, texts, subscriber_id, now in notices
        for part, (row_id, words) in enumerate(zip(ids, texts, strict=True), 1)
    ]
    _store(connection, rows, NOTICE_PRIORITY, None)


def _store(
    connection: Connection, rows: Sequence[tuple[object, ...]], priority: int, node: int | None
) -> None:
    if rows:
        parameters: dict[str, object] = {**as_rows(rows)}
        change(connection, _STORE, parameters | {"first": priority, "sender": node})


# What is the same for all, or follows from the rest, is not unfolded for each.
_rows = unfolded_once(
    {
        name: outbox.c[name].type
        for name in ("id", "part", "parts", "inbox_id", "subscriber_id", "mobile", "line", "text")
    }
    | {"created_at": BigInteger(), "goes": SmallInteger()}
)
_new = _rows.c
_goes = _new.goes == 1
_STORE: Final = insert(outbox).from_select(
    (
        "id", "message_id", "part", "parts", "inbox_id", "subscriber_id", "mobile", "line", "text",
        "priority", "state", "attempts", "max_attempts", "resend_uncertain", "created_at",
        "due_at", "expires_at", "changed_at", "node", "lease_until",
    ),
    select(
        _new.id,
        # The parts of a message have ids in a row.
        _new.id - _new.part + 1,
        _new.part, _new.parts, _new.inbox_id, _new.subscriber_id, _new.mobile, _new.line, _new.text,
        bindparam("first", type_=SmallInteger),
        case((_goes, State.SENDING.value), else_=State.QUEUED.value),
        literal(0), literal(ANSWER_ATTEMPTS), true(),
        _new.created_at,
        _new.created_at,
        _new.created_at + ANSWER_VALID_MS,
        _new.created_at,
        case((_goes, bindparam("sender", type_=SmallInteger))),
        case((_goes, _new.created_at + LEASE_MS)),
    ),
)  # fmt: skip
