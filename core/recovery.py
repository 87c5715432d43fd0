"""Putting right what a kill, an outage or the passing of time has left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from core.batch import Desk, Done, answer_to, store_work
from core.calls import (
    MISREAD,
    Misreading,
    Outcome,
)
from core.database import by_index_only
from core.dialogues.tidying import tidy_sessions, true_up
from core.inbox import INCOMPLETE, Stored, last_id
from core.outbox import Answer
from core.parts import take_overdue_parts
from core.receipts import forget_early_receipts
from core.sending import recover, renew_leases, take_over
from core.suspects import (
    Unconfirmed,
    forget_suspects,
    note_unconfirmed,
    only_stored,
    recover_suspects,
    reopen_suspects,
)

log = structlog.get_logger(__name__)


def recover_after_start(connection: Connection, desk: Desk, now: int) -> tuple[int, int]:
    """Put right what a killed process of this node left; returns (suspects, messages)."""
    desk.ids.begin_after(last_id(connection))
    true_up(connection, desk.exchange())
    suspected = recover_suspects(connection, desk.node, now - desk.suspect_ms)
    return suspected, recover(connection, desk.node, (), now)


class InHand(NamedTuple):
    """What a daemon knows of its own, whatever became of the commits that failed."""

    rows: Collection[int]
    """Outbox rows that it is to send, or whose result it is to store."""
    repeated: Collection[int]
    """Suspects whose redelivery it has acknowledged."""
    doubtful: Sequence[Unconfirmed]
    """Arrivals of batches that failed: those which are stored after all come again."""


def recover_after_outage(connection: Connection, node: int, in_hand: InHand, now: int) -> None:
    """Put right what commits left whose answer was lost."""
    reopen_suspects(connection, node, in_hand.repeated)
    note_unconfirmed(connection, only_stored(connection, in_hand.doubtful))
    recover(connection, node, in_hand.rows, now)


PARTS_WAIT_MS = 15 * 60_000
"""How long the parts of a long message are waited for …"""
RECEIPT_WAIT_MS = 86_400_000
"""… and a receipt for the message it is about."""


def tidy(connection: Connection, desk: Desk, now: int) -> Done:
    """What time alone settles: call it about once a minute."""
    by_index_only(connection)
    renew_leases(connection, desk.node, now)
    taken_over = take_over(connection, now)
    if taken_over:
        log.warning("outbox.taken_over", messages=taken_over)
    forget_suspects(connection, now - desk.suspect_ms)
    forget_early_receipts(connection, now - RECEIPT_WAIT_MS)
    done = _give_up_on_parts(connection, desk, now - PARTS_WAIT_MS)
    done.dialled = tidy_sessions(connection, desk.exchange(), now)
    done.queued |= bool(taken_over)
    return done


def _give_up_on_parts(connection: Connection, desk: Desk, before: int) -> Done:
    """Answer long messages whose parts have not all come until ``before``."""
    stored: list[Stored] = []
    answers: list[Answer] = []
    for overdue in take_overdue_parts(connection, before):
        mind = desk.minds.get(overdue.line)
        arrival = overdue.as_arrival(desk.ids.one())
        texts = mind.reply(Outcome(MISREAD, Misreading.INCOMPLETE.value, {})) if mind else ()
        if texts:
            answers.append(answer_to(desk, arrival, texts, None))
        stored.append(
            Stored(
                arrival,
                INCOMPLETE,
                "",
                MISREAD,
                Misreading.INCOMPLETE.value,
                reply_id=answers[-1].ids[0] if texts else None,
            )
        )
    if stored:
        log.warning("inbox.incomplete", messages=len(stored))
    return store_work(connection, desk, stored, answers)
