"""What becomes of messages, counted by operator since the daemon started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from core.outbox import Result, Sent, State
from core.receipts import ReceiptFor

ACCEPTED, REFUSED, DELIVERED, UNDELIVERED = "accepted", "refused", "delivered", "undelivered"
_RESULTS = {
    Result.ACCEPTED: ACCEPTED,
    Result.PERMANENT: REFUSED,
    Result.TEMPORARY: REFUSED,
    Result.UNCERTAIN: REFUSED,
}
"""What an operator does not take for its own reasons; a block list or too much speed is none."""
_STATES = {
    State.DELIVERED: DELIVERED,
    State.UNDELIVERABLE: UNDELIVERED,
    State.REJECTED: UNDELIVERED,
    State.EXPIRED: UNDELIVERED,
}


class Outcomes:
    """Counts by operator and outcome; every attempt counts."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, sent: Iterable[Sent], receipts: Iterable[ReceiptFor]) -> None:
        """Count what a batch has recorded."""
        self._counts.update(
            (one.smsc, _RESULTS[one.result]) for one in sent if one.smsc and one.result in _RESULTS
        )
        self._counts.update(
            (one.smsc, _STATES[one.state]) for one in receipts if one.state in _STATES
        )

    def of(self, smsc: str) -> dict[str, int]:
        """One operator's counts."""
        names = (ACCEPTED, REFUSED, DELIVERED, UNDELIVERED)
        return {name: self._counts[smsc, name] for name in names}
