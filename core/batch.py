"""The batch: everything that arrived while the database was busy, in one transaction.

``process`` is that transaction. The gateway lends it a ``Mind`` for each line, pure
functions that read a text and write a reply, so that the core need not know what people
type and the gateway need not know SQL. The number of statements does not depend on how
much there is. ``run`` adds what happens when a batch fails: it is done again one by one,
so that a poisonous message is set aside and the others go through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy import Connection

from core.calls import (
    MISREAD,
    Call,
    Candidate,
    Outcome,
    Problem,
    Understanding,
)
from core.database import by_index_only
from core.dialogues.exchange import Exchange, Worked
from core.dialogues.limits import Limits, OpenSessions
from core.dialogues.types import Input, Shown, Talker
from core.dialogues.work import work_on_inputs
from core.events import Events
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.inbox import ANSWERED, UNANSWERABLE, Arrival, Part, Stored, store_messages
from core.nodes.beside import Beside, suspect_the_dead
from core.operations import REGISTRY
from core.operations.operation import supports
from core.optouts import OptOuts
from core.outbox import Answer, Outgoing, Sent, as_outgoing, store_answers
from core.parts import store_parts
from core.receipts import ReceiptFor, store_receipts
from core.results import store_results
from core.secrecy import Keys
from core.shelf import Asker
from core.statements import sent_together
from core.suspects import (
    Arrived,
    Unconfirmed,
    drop_suspects,
    note_unconfirmed,
    set_marks,
    take_redelivered,
)
from core.terms import Terms
from core.text import without_digits

log = structlog.get_logger(__name__)

SMS = "sms"


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
    talkers: Mapping[str, Talker] = field(default_factory=dict)
    """By USSD line."""
    limits: Limits = field(default_factory=Limits)
    """How much is dialled at most."""
    beside: Beside = field(default_factory=Beside)
    """The other daemons on the same database."""
    sessions: OpenSessions = field(default_factory=OpenSessions)

    def exchange(self, error: str = "") -> Exchange:
        """What working on USSD inputs needs; with ``error`` none of their calls are run."""
        return Exchange(
            self.node, self.ids, self.keys, self.talkers, self.limits, self.sessions, error
        )


@dataclass(slots=True)
class Batch:
    """What has come since the last one."""

    arrivals: list[Arrival] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    receipts: list[ReceiptFor] = field(default_factory=list)
    unconfirmed: list[Unconfirmed] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    """By bind: arrivals up to this id are surely acknowledged."""
    confirmed_suspects: list[int] = field(default_factory=list)
    now: int = 0

    def __len__(self) -> int:
        return len(self.arrivals) + len(self.inputs) + len(self.sent) + len(self.receipts)


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
    unwanted: list[int] = field(default_factory=list)
    """Rows that are with a daemon to be sent, to people who have just opted out of them."""
    operations: list[tuple[str, str]] = field(default_factory=list)
    """Operation and outcome of each message that was worked on, for the counters."""
    screens: list[Shown] = field(default_factory=list)
    """To be shown on handsets, at once and before anything else."""
    dialled: Counter[str] = field(default_factory=Counter)
    """What became of USSD sessions and inputs: the words of ``core.dialogues.exchange``."""
    happened: bool = False
    """Whether events were stored that templates may be made of."""
    dead: list[int] = field(default_factory=list)
    """Daemons that were found to have died."""
    became: Counter[str] = field(default_factory=Counter)
    """How many messages came into which state, by results and receipts."""
    more_open: int = 0
    """By how many there are more sessions open than before."""
    set_aside: int = 0
    """Messages that could not be worked on."""


def process(connection: Connection, desk: Desk, batch: Batch) -> Done:
    """Everything of one batch, inside one transaction."""
    by_index_only(connection)
    note_unconfirmed(connection, batch.unconfirmed)
    set_marks(connection, desk.node, batch.marks)
    drop_suspects(connection, batch.confirmed_suspects)
    came: list[Arrived] = [*batch.arrivals, *batch.inputs]
    since = batch.now - desk.suspect_ms
    dead = suspect_the_dead(connection, desk.beside, since) if came else []
    redelivered = take_redelivered(connection, came, since)
    done = _answer_arrivals(connection, desk, batch.arrivals, redelivered)
    add_worked(done, work_on_inputs(connection, desk.exchange(), batch.inputs, redelivered))
    done.dead = dead
    done.became += store_results(connection, batch.sent, batch.now, desk.node)
    done.became += store_receipts(connection, batch.receipts, batch.now)
    return done


def add_worked(done: Done, worked: Worked) -> None:
    """What USSD inputs have left to do."""
    done.redelivered |= worked.repeated
    done.operations += worked.operations
    done.unwanted += worked.unwanted
    done.queued |= bool(worked.notes)
    done.happened |= worked.happened
    done.screens, done.dialled, done.more_open = worked.shown, worked.counters, worked.more_open


def _answer_arrivals(
    connection: Connection, desk: Desk, arrivals: Sequence[Arrival], redelivered: dict[int, int]
) -> Done:
    if not arrivals:
        return Done(redelivered=redelivered)
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


def _unanswered(desk: Desk, arrival: Arrival) -> Stored:
    """A message to no line of ours, or from no mobile: kept for people to see.

    Not as it came: whoever sent it may have written a secret code all the same.
    """
    mind = desk.minds.get(arrival.line)
    masked = mind.understand(arrival.text).masked if mind else without_digits(arrival.text)
    return Stored(arrival, UNANSWERABLE, masked)


def _work_on(connection: Connection, desk: Desk, arrivals: Collection[Arrival]) -> Done:
    """Understand messages, run their operations, store what came of them and the replies."""
    stored: list[Stored] = []
    readings: list[_Read] = []
    for arrival in arrivals:
        mind = desk.minds.get(arrival.line) if arrival.profile else None
        if mind is None:
            stored.append(_unanswered(desk, arrival))
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
    ordered = _alike_together(readings)
    # All are run, then all are answered: in turn, the processor would begin anew each time.
    worked = [_run(desk, reading, facts) for reading in ordered]
    answers = [_answer(desk, *each) for each in zip(ordered, worked, strict=True)]
    stored += map(_stored, ordered, worked, answers)
    with sent_together(connection):
        facts.store(connection)
        done = store_work(connection, desk, stored, answers)
    done.unwanted = facts.of(OptOuts).in_hand
    done.happened = facts.of(Events).waits
    return done


def _alike_together(readings: Sequence[_Read]) -> Sequence[_Read]:
    """In an order in which processor and interpreter do not begin anew with each message.

    What one person has sent stays in order, since it may be about the same thing: all of it
    goes where the first of it belongs.
    """
    first: dict[str, str] = {}
    for reading in readings:
        first.setdefault(reading.arrival.mobile, _first_operation(reading))
    return sorted(readings, key=lambda reading: first[reading.arrival.mobile])


def _first_operation(reading: _Read) -> str:
    candidates = reading.understanding.candidates
    return candidates[0].call.operation if candidates else MISREAD


class _Worked(NamedTuple):
    """What came of a message."""

    outcome: Outcome
    masked: str
    subscriber_id: int | None


def _run(desk: Desk, reading: _Read, facts: Facts) -> _Worked:
    """Run the operation that a message means."""
    _arrival, mind, asker, understanding = reading

    def supported(call: Call) -> bool:
        return supports(desk.keys, asker, call, facts)

    chosen = mind.choose(understanding, supported)
    if isinstance(chosen, Problem):
        outcome = Outcome(MISREAD, chosen.kind.value, chosen.facts)
        return _Worked(outcome, understanding.masked, None)
    call, masked = chosen
    outcome = REGISTRY[call.operation](desk.keys, asker, call, facts)
    about = facts.identities.subscribers_of(asker, call)
    return _Worked(outcome, masked, about[0].id if len(about) == 1 else None)


def _answer(desk: Desk, reading: _Read, worked: _Worked) -> Answer:
    outcome = worked.outcome
    words = reading.mind.reply(outcome, reading.understanding.language)
    return answer_to(desk, reading.arrival, words, worked.subscriber_id, outcome.operation)


def _stored(reading: _Read, worked: _Worked, answer: Answer) -> Stored:
    (operation, kind, _facts), masked, about = worked
    return Stored(reading.arrival, ANSWERED, masked, operation, kind, about, answer.ids[0])


def answer_to(
    desk: Desk,
    arrival: Arrival,
    texts: Sequence[str],
    subscriber_id: int | None,
    operation: str = MISREAD,
) -> Answer:
    """The reply to a message, with ids of its own and the way it can go out."""
    return Answer(
        desk.ids.take(len(texts)),
        arrival.id,
        arrival.mobile,
        arrival.line,
        texts,
        subscriber_id,
        arrival.received_at,
        arrival.via,
        operation,
    )


def store_work(
    connection: Connection, desk: Desk, stored: Sequence[Stored], answers: Sequence[Answer]
) -> Done:
    """Store messages with what came of them, and their replies."""
    store_messages(connection, stored)
    store_answers(connection, answers, desk.node)
    return Done(
        outgoing=[(answer.via, as_outgoing(answer)) for answer in answers if answer.via],
        queued=any(answer.via is None for answer in answers),
        operations=[(one.operation, one.outcome) for one in stored],
    )
