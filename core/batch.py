"""The batch: everything that arrived while the database was busy, in one transaction.

``process`` is that transaction. The gateway lends it a ``Mind`` for each line, pure
functions that read a text and write a reply, so that the core need not know what people
type and the gateway need not know SQL. The number of statements does not depend on how
much there is. ``run`` adds what happens when a batch fails: it is done again one by one,
so that a poisonous message is set aside and the others go through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy import Connection

from core.calls import (
    MISREAD,
    Call,
    Candidate,
    Misreading,
    Outcome,
    Problem,
    Refusal,
    Understanding,
)
from core.database import Database, DatabaseUnavailable, by_index_only
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.inbox import (
    Arrival,
    Part,
    Stored,
    Unconfirmed,
    drop_suspects,
    forget_suspects,
    last_id,
    note_unconfirmed,
    only_stored,
    recover_suspects,
    reopen_suspects,
    set_marks,
    store_messages,
    store_parts,
    take_overdue_parts,
    take_redelivered,
)
from core.operations import REGISTRY
from core.operations.operation import supports
from core.outbox import (
    Answer,
    Outgoing,
    ReceiptFor,
    Sent,
    as_outgoing,
    forget_early_receipts,
    recover,
    store_answers,
    store_receipts,
    store_results,
)
from core.secrecy import Keys
from core.shelf import Asker
from core.terms import Terms

log = structlog.get_logger(__name__)

SMS = "sms"
ANSWERED = "answered"
SET_ASIDE = "set_aside"
INCOMPLETE = "incomplete"
UNANSWERABLE = "unanswerable"


class Mind(Protocol):
    """What the gateway lends the transaction for one line. Pure, and never raises."""

    @property
    def utility(self) -> str:
        """The key of its data."""

    @property
    def terms(self) -> Terms:
        """What the utility has set for itself."""

    def understand(self, text: str) -> Understanding:
        """All readings of a text."""

    def choose(
        self, understanding: Understanding, supported: Callable[[Call], bool]
    ) -> Candidate | Problem:
        """The one reading that the data supports."""

    def reply(self, outcome: Outcome, language: str = "") -> Sequence[str]:
        """The words for an outcome, cut into the parts of a message.

        In the language of the ``Understanding`` where the utility has replies in it.
        """


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a batch needs that is the same for all of them."""

    node: int
    ids: IdMaker
    keys: Keys
    minds: Mapping[str, Mind]
    """By line."""
    join: Callable[[str, Sequence[Part]], str]
    """The text of a long message: bind, parts in order → text."""
    suspect_ms: int = 3_600_000
    """How long an arrival whose acknowledgement is not sure may be delivered again. Longer,
    and a person's equal text of the next day would be taken for it and go unanswered."""


@dataclass(slots=True)
class Batch:
    """What has come since the last one."""

    arrivals: list[Arrival] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    receipts: list[ReceiptFor] = field(default_factory=list)
    unconfirmed: list[Unconfirmed] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    """By bind: arrivals up to this id are surely acknowledged."""
    confirmed_suspects: list[int] = field(default_factory=list)
    now: int = 0

    def __len__(self) -> int:
        return len(self.arrivals) + len(self.sent) + len(self.receipts)


@dataclass(slots=True)
class Done:
    """What a committed batch leaves to do."""

    outgoing: list[tuple[str, list[Outgoing]]] = field(default_factory=list)
    """For each answer that goes out at once: the bind, and its rows."""
    queued: bool = False
    """Whether there are answers that no bind could take at once."""
    redelivered: dict[int, int] = field(default_factory=dict)
    """Arrivals that were recognised: their id → the id under which they are stored."""
    refused: set[int] = field(default_factory=set)
    """Arrivals that could not be stored at all: to be refused for now."""
    operations: list[tuple[str, str]] = field(default_factory=list)
    """Operation and outcome of each message that was worked on, for the counters."""


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
    masked = "".join("*" if sign.isdigit() else sign for sign in arrival.text)
    outcome = Outcome(MISREAD, Refusal.FAILED.value, {})
    mind = desk.minds.get(arrival.line) if arrival.profile else None
    texts = mind.reply(outcome) if mind else ()
    answer = _answer(desk, arrival, texts, None) if texts else None
    reason = f"{type(error).__name__} while working on it"
    stored = Stored(
        arrival,
        SET_ASIDE,
        masked,
        outcome=outcome.kind,
        error=reason,
        reply_id=answer.ids[0] if answer else None,
    )
    return _store(connection, desk, [stored], [answer] if answer else [])


def recover_after_start(connection: Connection, desk: Desk, now: int) -> tuple[int, int]:
    """Put right what a killed process of this node left; returns (suspects, messages)."""
    desk.ids.begin_after(last_id(connection))
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
    forget_suspects(connection, now - desk.suspect_ms)
    forget_early_receipts(connection, now - RECEIPT_WAIT_MS)
    return _give_up_on_parts(connection, desk, now - PARTS_WAIT_MS)


def _give_up_on_parts(connection: Connection, desk: Desk, before: int) -> Done:
    """Answer long messages whose parts have not all come until ``before``."""
    stored: list[Stored] = []
    answers: list[Answer] = []
    for overdue in take_overdue_parts(connection, before):
        mind = desk.minds.get(overdue.line)
        arrival = overdue.as_arrival(desk.ids.one())
        texts = mind.reply(Outcome(MISREAD, Misreading.INCOMPLETE.value, {})) if mind else ()
        if texts:
            answers.append(_answer(desk, arrival, texts, None))
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
    return _store(connection, desk, stored, answers)


# --- the transaction ----------------------------------------------------------------


def process(connection: Connection, desk: Desk, batch: Batch) -> Done:
    """Everything of one batch, inside one transaction."""
    by_index_only(connection)
    note_unconfirmed(connection, batch.unconfirmed)
    set_marks(connection, desk.node, batch.marks)
    drop_suspects(connection, batch.confirmed_suspects)
    done = _answer_arrivals(connection, desk, batch)
    store_results(connection, batch.sent, batch.now)
    store_receipts(connection, batch.receipts, batch.now)
    return done


def _answer_arrivals(connection: Connection, desk: Desk, batch: Batch) -> Done:
    arrivals = batch.arrivals
    if not arrivals:
        return Done()
    redelivered = take_redelivered(connection, arrivals, batch.now - desk.suspect_ms)
    new = [arrival for arrival in arrivals if arrival.id not in redelivered]
    whole = [arrival for arrival in new if arrival.part is None]
    for joined in store_parts(connection, [arrival for arrival in new if arrival.part]):
        text = desk.join(joined.arrival.bind, joined.parts)
        whole.append(joined.arrival._replace(text=text, part=None))
    done = _work_on(connection, desk, whole)
    done.redelivered = redelivered
    return done


class _Read(NamedTuple):
    """A message whose form has been read."""

    arrival: Arrival
    mind: Mind
    asker: Asker
    understanding: Understanding


def _work_on(connection: Connection, desk: Desk, arrivals: Collection[Arrival]) -> Done:
    """Understand messages, run their operations, store what came of them and the replies."""
    stored: list[Stored] = []
    readings: list[_Read] = []
    for arrival in arrivals:
        mind = desk.minds.get(arrival.line) if arrival.profile else None
        if mind is None:
            stored.append(Stored(arrival, UNANSWERABLE, arrival.text))
            continue
        asker = Asker(
            utility=mind.utility,
            mobile=arrival.mobile,
            at=arrival.received_at,
            terms=mind.terms,
            source=SMS,
            message_id=arrival.id,
            line=arrival.line,
        )
        readings.append(_Read(arrival, mind, asker, mind.understand(arrival.text)))
    facts = Facts.load(
        connection,
        desk.ids,
        [
            Wanted(reading.asker, candidate.call, REGISTRY[candidate.call.operation].needs)
            for reading in readings
            for candidate in reading.understanding.candidates
        ],
    )
    answers: list[Answer] = []
    for reading in readings:
        kept, answer = _work_on_one(desk, reading, facts)
        stored.append(kept)
        answers.append(answer)
    facts.store(connection)
    return _store(connection, desk, stored, answers)


def _work_on_one(desk: Desk, reading: _Read, facts: Facts) -> tuple[Stored, Answer]:
    arrival, mind, asker, understanding = reading

    def supported(call: Call) -> bool:
        return supports(desk.keys, asker, call, facts)

    chosen = mind.choose(understanding, supported)
    subscriber_id = None
    if isinstance(chosen, Problem):
        masked, outcome = understanding.masked, Outcome(MISREAD, chosen.kind.value, chosen.facts)
    else:
        call, masked = chosen
        outcome = REGISTRY[call.operation](desk.keys, asker, call, facts)
        about = facts.identities.subscribers_of(asker, call)
        subscriber_id = about[0].id if len(about) == 1 else None
    words = mind.reply(outcome, understanding.language)
    answer = _answer(desk, arrival, words, subscriber_id)
    kept = Stored(
        arrival, ANSWERED, masked, outcome.operation, outcome.kind, subscriber_id, answer.ids[0]
    )
    return kept, answer


def _answer(
    desk: Desk, arrival: Arrival, texts: Sequence[str], subscriber_id: int | None
) -> Answer:
    return Answer(
        desk.ids.take(len(texts)),
        arrival.id,
        arrival.mobile,
        arrival.line,
        texts,
        subscriber_id,
        arrival.received_at,
        arrival.via,
    )


def _store(
    connection: Connection, desk: Desk, stored: Sequence[Stored], answers: Sequence[Answer]
) -> Done:
    store_messages(connection, stored)
    store_answers(connection, answers, desk.node)
    return Done(
        outgoing=[(answer.via, as_outgoing(answer)) for answer in answers if answer.via],
        queued=any(answer.via is None for answer in answers),
        operations=[(one.operation, one.outcome) for one in stored],
    )
