"""A batch that is committed whatever is in it: one by one where it must be.

A failing batch is done again item by item, so that a poisonous message is set aside and the
others go through.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from core.batch import SET_ASIDE, Batch, Desk, Done, answer_to, process, store_work
from core.calls import (
    MISREAD,
    Outcome,
    Refusal,
)
from core.database import Database, DatabaseUnavailable
from core.inbox import Arrival, Stored
from core.text import without_digits

log = structlog.get_logger(__name__)


def run(database: Database, desk: Desk, batch: Batch) -> Done:
    """Commit a batch, whatever is in it.

    Raises ``DatabaseUnavailable`` when the database cannot take it now; then nothing of it
    may be acknowledged.
    """
    try:
        return database.transact("batch", process, desk, batch)
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("batch.failed", arrivals=len(batch.arrivals), sent=len(batch.sent))
    return _one_by_one(database, desk, batch)


def _one_by_one(database: Database, desk: Desk, batch: Batch) -> Done:
    """Do each item of a failed batch by itself, and set aside what fails again."""
    done = Done()
    rest = Batch(
        unconfirmed=batch.unconfirmed,
        marks=batch.marks,
        confirmed_suspects=batch.confirmed_suspects,
        now=batch.now,
    )
    items = [rest]
    items += (Batch(sent=[one], now=batch.now) for one in batch.sent)
    items += (Batch(receipts=[one], now=batch.now) for one in batch.receipts)
    items += (Batch(arrivals=[one], now=batch.now) for one in batch.arrivals)
    for item in items:
        try:
            _merge(done, database.transact("batch.single", process, desk, item))
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.exception("batch.poison", arrivals=[one.id for one in item.arrivals])
            for arrival in item.arrivals:
                _set_aside(database, desk, arrival, error, done)
    return done


def _merge(done: Done, more: Done) -> None:
    done.outgoing += more.outgoing
    done.queued |= more.queued
    done.redelivered |= more.redelivered
    done.operations += more.operations


def _set_aside(
    database: Database, desk: Desk, arrival: Arrival, error: Exception, done: Done
) -> None:
    """Keep a message that cannot be worked on, and tell the subscriber that it was kept."""
    try:
        _merge(done, database.transact("batch.set_aside", _keep, desk, arrival, error))
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("batch.not_kept", arrival=arrival.id)
        done.refused.add(arrival.id)


def _keep(connection: Connection, desk: Desk, arrival: Arrival, error: Exception) -> Done:
    # Whatever the text holds may be what the failure is about, a secret code among it.
    masked = without_digits(arrival.text)
    outcome = Outcome(MISREAD, Refusal.FAILED.value, {})
    mind = desk.minds.get(arrival.line) if arrival.profile else None
    texts = mind.reply(outcome) if mind else ()
    answer = answer_to(desk, arrival, texts, None) if texts else None
    reason = f"{type(error).__name__} while working on it"
    stored = Stored(
        arrival,
        SET_ASIDE,
        masked,
        outcome=outcome.kind,
        error=reason,
        reply_id=answer.ids[0] if answer else None,
    )
    return store_work(connection, desk, [stored], [answer] if answer else [])
