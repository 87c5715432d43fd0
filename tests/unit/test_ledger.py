"""Which acknowledgements are sure, which are not, and which never got out."""

from __future__ import annotations

from collections.abc import Sequence

from core.inbox import Arrival
from core.suspects import Unconfirmed
from gateway.ledger import Confirmed, Ledger
from gateway.messages import OutboundSms, Screen, Temporary


class Line:
    """A connection whose SMSC reads as far as the test says."""

    id = 1

    def __init__(self) -> None:
        self.is_open = True
        self.acknowledged = 0
        self.confirmed = 0
        self.written: list[int] = []

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Count and remember."""
        self.written += sequences
        self.acknowledged += len(sequences)

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """A refusal is an answer too."""
        self.acknowledged += len(sequences)

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Not used here."""

    def show(self, screens: Sequence[Screen]) -> None:
        """Not used here."""

    def pause_reading(self) -> None:
        """Not used here."""

    def resume_reading(self) -> None:
        """Not used here."""


def arrival(number: int) -> Arrival:
    """A message whose fingerprint is ten times its id."""
    return Arrival(
        number,
        5,
        "mci",
        1,
        "100034122",
        "kerman-water",
        "989131234567",
        "9",
        number * 10,
        None,
        "mci",
    )


def confirmed(ledger: Ledger) -> Confirmed:
    """What is sure by now."""
    found = Confirmed()
    ledger.take_confirmed(found)
    return found


def test_the_mark_moves_as_far_as_the_smsc_has_surely_read() -> None:
    """Refusals in between count as answers on the wire, and never as messages."""
    line = Line()
    ledger = Ledger(1, "mci", line)
    ledger.acknowledge([(1, arrival(11)), (2, arrival(12))], {})
    line.refuse([3], Temporary.QUEUE_FULL)
    ledger.acknowledge([(4, arrival(14))], {})
    line.confirmed = 3
    assert confirmed(ledger).mark == 12
    assert confirmed(ledger).mark == 0
    line.confirmed = 4
    assert confirmed(ledger).mark == 14


def test_what_was_not_read_when_the_connection_was_lost_is_suspect() -> None:
    """With the fingerprint by which its redelivery is known."""
    line = Line()
    ledger = Ledger(1, "mci", line)
    ledger.acknowledge([(1, arrival(11)), (2, arrival(12))], {})
    line.confirmed = 1
    confirmed(ledger)
    assert ledger.take_lost() == [Unconfirmed(12, "mci", 120, 5)]
    assert len(ledger) == 0


def test_a_redelivery_stands_for_the_message_it_repeats() -> None:
    """Confirmed, its suspect is forgotten; lost, the suspect is one again."""
    line = Line()
    ledger = Ledger(1, "mci", line)
    ledger.acknowledge([(1, arrival(21)), (2, arrival(22))], {21: 11, 22: 12})
    line.confirmed = 1
    found = confirmed(ledger)
    assert (found.mark, found.suspects) == (0, [11])
    assert [entry.arrival_id for entry in ledger.take_lost()] == [12]


def test_nothing_is_written_to_a_closed_connection() -> None:
    """What was committed meanwhile is suspect at once."""
    line = Line()
    line.is_open = False
    lost = Ledger(1, "mci", line).acknowledge([(1, arrival(11))], {})
    assert (line.written, [entry.arrival_id for entry in lost]) == ([], [11])
