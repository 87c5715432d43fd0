"""What the daemon counts while it works: plain numbers, read when somebody asks for metrics.

Written on the reactor's thread only, once for each batch or submission, so that counting
costs a message next to nothing; ``gateway.exposition`` gives them names. No label is ever made
of what came over the network: a number that no line has is counted as ``OTHER``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from core.batch import Done
from core.outbox import Outgoing, Result
from gateway.pending import Work

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
OTHER: Final = "other"
"""The line of what was sent to a number that is none of ours."""
NOTHING_SETTLED: Final = "pending"
"""The state of a receipt that settles nothing."""


class Buckets:
    """A histogram: how many were at most so large, and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Each upper bound and how many were no larger, as Prometheus has them."""
        found: list[tuple[str, float]] = []
        so_far = 0
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for bound, count in zip(bounds, self._counts, strict=True):
            so_far += count
            found.append((bound, so_far))
        return found


class Tally:
    """Everything that is counted since the daemon started."""

    def __init__(self, lines: Collection[str]) -> None:
        """``lines``: the numbers of the settings."""
        self._lines = frozenset(lines)
        self.received: Counter[str] = Counter()
        """Texts and their parts, by line."""
        self.dialled: Counter[str] = Counter()
        """USSD inputs, by line."""
        self.operations: Counter[tuple[str, str]] = Counter()
        """By operation and outcome."""
        self.submitted: Counter[tuple[str, str, str]] = Counter()
        """Parts by bind or panel, line, and what they are: answer, notice, template."""
        self.results: Counter[tuple[str, str]] = Counter()
        """What became of submissions, by operator and result."""
        self.receipts: Counter[tuple[str, str]] = Counter()
        """Receipts, by operator and the state that they bring."""
        self.answers: dict[tuple[str, str], Buckets] = {}
        """Seconds from a text to the submission of its answer, by line and operation."""
        self.screens: dict[str, Buckets] = {}
        """Seconds from a USSD input to the commit after which its screen is shown, by line."""
        self.batch_sizes = Buckets(SIZES)
        self.batch_seconds = Buckets(SECONDS)

    def batch(self, work: Work, done: Done, seconds: float) -> None:
        """Count a batch that is committed, and how long it took."""
        batch = work.batch
        self.batch_sizes.add(len(batch))
        self.batch_seconds.add(seconds)
        if batch.arrivals:
            self._add(self.received, [arrival.line for arrival in batch.arrivals])
        if batch.inputs:
            self._dialled(work, batch.now + seconds * 1000)
        self.operations.update(done.operations)
        # Lists, and the enum's members as the texts that they are: it is done for each message.
        self.results.update([
            (sent.smsc, sent.result) for sent in batch.sent if sent.result is not Result.UNSENT
        ])  # fmt: skip
        self.receipts.update([
            (one.smsc, one.state or NOTHING_SETTLED) for one in batch.receipts
        ])  # fmt: skip

    def submitted_to(self, bind: str, rows: Sequence[Outgoing], now_ms: int) -> None:
        """Count parts of messages that are submitted, and how long people waited for them."""
        self.submitted.update([
            (bind, row.line, "answer" if row.operation else _what(row)) for row in rows
        ])  # fmt: skip
        answers = self.answers
        for row in rows:
            if row.operation and row.part == 1 and row.asked_at is not None:
                key = row.line, row.operation
                found = answers.get(key)
                if found is None:
                    found = answers[key] = Buckets(SECONDS)
                found.add((now_ms - row.asked_at) / 1000)

    def _add(self, counter: Counter[str], lines: Sequence[str]) -> None:
        for line, count in Counter(lines).items():
            counter[line if line in self._lines else OTHER] += count

    def _dialled(self, work: Work, now_ms: float) -> None:
        inputs = work.batch.inputs
        self._add(self.dialled, [one.line for one in inputs])
        for one in inputs:
            line = one.line if one.line in self._lines else OTHER
            found = self.screens.get(line)
            if found is None:
                found = self.screens[line] = Buckets(SECONDS)
            found.add((now_ms - one.received_at) / 1000)


def _what(row: Outgoing) -> str:
    if row.template_id is not None:
        return "template"
    return "notice" if row.priority else "answer"
