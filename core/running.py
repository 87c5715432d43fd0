"""A batch that is committed whatever is in it: one by one where it must be.

A failing batch is done again item by item, so that a poisonous message is set aside and the
others go through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import structlog
from sqlalchemy import Connection

from core.batch import Batch, Desk, Done, add_worked, answer_to, process, store_work
from core.calls import (
    MISREAD,
    Outcome,
    Refusal,
)
from core.database import Database, DatabaseUnavailable
from core.dialogues.types import Input
from core.dialogues.work import work_on_inputs
from core.inbox import SET_ASIDE, Arrival, Stored
from core.text import without_digits

log = structlog.get_logger(__name__)


def run(database: Database, desk: Desk, batch: Batch) -> Done:
    """Commit a batch, whatever is in it.

    Raises ``DatabaseUnavailable`` when the database cannot take it now; then nothing of it
    may be acknowledged.
    """
    try:
        done = database.transact("batch", process, desk, batch)
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception(
            "batch.failed",
            arrivals=len(batch.arrivals),
            inputs=len(batch.inputs),
            sent=len(batch.sent),
        )
        done = _one_by_one(database, desk, batch)
    desk.sessions.add(done.more_open)
    desk.beside.forget(done.dead)
    return done


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
    items += (Batch(inputs=[one], now=batch.now) for one in batch.inputs)
    for item in items:
        try:
            _merge(done, database.transact("batch.single", process, desk, item))
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.exception(
                "batch.poison",
                arrivals=[one.id for one in item.arrivals],
                inputs=[one.id for one in item.inputs],
            )
            for arrival in item.arrivals:
                _set_aside(database, done, arrival.id, _keep, desk, arrival, error)
            for one in item.inputs:
                _set_aside(database, done, one.id, _keep_input, desk, one, error)
    return done


def _merge(done: Done, more: Done) -> None:
    done.outgoing += more.outgoing
    done.queued |= more.queued
    done.happened |= more.happened
    done.unwanted += more.unwanted
    done.redelivered |= more.redelivered
    done.operations += more.operations
    done.screens += more.screens
    done.dialled += more.dialled
    done.became += more.became
    done.more_open += more.more_open
    done.dead += more.dead


P = ParamSpec("P")


def _set_aside(
    database: Database,
    done: Done,
    arrival_id: int,
    keep: Callable[Concatenate[Connection, P], Done],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Keep what cannot be worked on, and tell the subscriber that it failed."""
    done.set_aside += 1
    try:
        _merge(done, database.transact("batch.set_aside", keep, *args, **kwargs))
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("batch.not_kept", arrival=arrival_id)
        done.refused.add(arrival_id)


def _keep(connection: Connection, desk: Desk, arrival: Arrival, error: Exception) -> Done:
    # Whatever the text holds may be what the failure is about, a secret code among it.
    masked = without_digits(arrival.text)
    outcome = Outcome(MISREAD, Refusal.FAILED.value, {})
    mind = desk.minds.get(arrival.line) if arrival.profile else None
    texts = mind.reply(outcome) if mind else ()
    answer = answer_to(desk, arrival, texts, None) if texts else None
    reason = _reason(error)
    stored = Stored(
        arrival,
        SET_ASIDE,
        masked,
        outcome=outcome.kind,
        error=reason,
        reply_id=answer.ids[0] if answer else None,
    )
    return store_work(connection, desk, [stored], [answer] if answer else [])


def _keep_input(connection: Connection, desk: Desk, one: Input, error: Exception) -> Done:
    """Have the session told that its operation failed; what is in it is for people to see."""
    exchange = desk.exchange(_reason(error))
    done = Done()
    add_worked(done, work_on_inputs(connection, exchange, [one], {}))
    return done


def _reason(error: Exception) -> str:
    return f"{type(error).__name__} while working on it"
