"""What waits for the next batch, and what is in one, with whom to tell of it afterwards."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.batch import Batch, Done
from core.dialogues.types import Input
from core.outbox import Sent
from core.suspects import Arrived, Unconfirmed
from gateway.ledger import Confirmed, Ledger, as_unconfirmed
from gateway.messages import Delivery


class Waiting(NamedTuple):
    """A delivery that waits for its batch."""

    ledger: Ledger
    delivery: Delivery
    received_at: int


@dataclass(slots=True)
class Work:
    """A batch that is with the database, and whom to tell."""

    batch: Batch
    came: list[tuple[Ledger, int, Arrived]] = field(default_factory=list)
    """Texts and USSD inputs, with their sequence numbers."""
    inputs: list[tuple[Ledger, Input]] = field(default_factory=list)
    receipts: list[tuple[Ledger, int]] = field(default_factory=list)
    settled: Counter[str] = field(default_factory=Counter)
    """By bind: how many of its results are in the batch."""

    def __bool__(self) -> bool:
        batch = self.batch
        return bool(len(batch) or batch.unconfirmed or batch.marks or batch.confirmed_suspects)

    def acknowledge(self, done: Done) -> list[Unconfirmed]:
        """Acknowledge what is committed; returns what cannot be, for a closed connection."""
        stored: dict[Ledger, list[tuple[int, Arrived]]] = {}
        for ledger, sequence, arrival in self.came:
            if arrival.id not in done.refused:
                stored.setdefault(ledger, []).append((sequence, arrival))
        unconfirmed: list[Unconfirmed] = []
        for ledger, arrivals in stored.items():
            unconfirmed += ledger.acknowledge(arrivals, done.redelivered)
        for ledger, sequences in by_ledger(self.receipts).items():
            ledger.connection.acknowledge(sequences)
        return unconfirmed

    def refused(self, done: Done) -> list[tuple[Ledger, int]]:
        """The deliveries that could not be stored, though the others of the batch were."""
        return [
            (ledger, sequence)
            for ledger, sequence, arrival in self.came
            if arrival.id in done.refused
        ]

    def late(self, done: Done, border: int) -> list[Unconfirmed]:
        """An answer so late that the SMSC may have given up on it is as good as none."""
        return [
            as_unconfirmed(ledger.bind, arrival, done.redelivered)
            for ledger, _sequence, arrival in self.came
            if arrival.received_at < border and arrival.id not in done.refused
        ]

    def doubtful(self) -> list[Unconfirmed]:
        """What came in a batch that failed: its commit may have taken effect before that."""
        return [as_unconfirmed(ledger.bind, arrival, {}) for ledger, _, arrival in self.came]


class Notes:
    """What nobody else knows and the database does not know yet; kept until it is committed."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.unconfirmed: list[Unconfirmed] = []
        self.confirmed_suspects: list[int] = []
        self._settled: Counter[str] = Counter()
        self._marks: dict[str, int] = {}

    def settle(self, bind: str, sent: Sequence[Sent]) -> None:
        """Results of a bind."""
        self.sent += sent
        self._settled[bind] += len(sent)

    def collect(self, ledger: Ledger) -> None:
        """What has become sure of a connection's acknowledgements."""
        confirmed = Confirmed()
        ledger.take_confirmed(confirmed)
        self.confirmed_suspects += confirmed.suspects
        if confirmed.mark:
            bind = ledger.bind
            self._marks[bind] = max(confirmed.mark, self._marks.get(bind, 0))

    def take(self, now: int) -> Work:
        """All of it as the beginning of a batch."""
        batch = Batch(
            sent=self.sent,
            unconfirmed=self.unconfirmed,
            marks=self._marks,
            confirmed_suspects=self.confirmed_suspects,
            now=now,
        )
        work = Work(batch, settled=self._settled)
        self.sent, self._settled, self.unconfirmed = [], Counter(), []
        self._marks, self.confirmed_suspects = {}, []
        return work

    def take_back(self, work: Work) -> None:
        """A batch has failed: what was taken for it is still to be recorded."""
        batch = work.batch
        self.sent = batch.sent + self.sent
        for bind, count in work.settled.items():
            self._settled[bind] += count
        self.unconfirmed = batch.unconfirmed + self.unconfirmed
        self._marks = batch.marks | self._marks
        self.confirmed_suspects = batch.confirmed_suspects + self.confirmed_suspects


def by_ledger(deliveries: Sequence[tuple[Ledger, int]]) -> dict[Ledger, list[int]]:
    """The sequence numbers of deliveries, by the connection that they came on."""
    found: dict[Ledger, list[int]] = {}
    for ledger, sequence in deliveries:
        found.setdefault(ledger, []).append(sequence)
    return found


def take_late(waiting: deque[Waiting], border: int) -> list[tuple[Ledger, int]]:
    """Take out what came before ``border``; the oldest wait in front."""
    late: list[tuple[Ledger, int]] = []
    while waiting and waiting[0].received_at < border:
        ledger, delivery, _received_at = waiting.popleft()
        late.append((ledger, delivery.sequence))
    return late
