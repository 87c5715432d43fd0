"""How often what waits is counted."""

from __future__ import annotations

from core.sending import Depths
from gateway.queue_gauge import QUICK_MS, REST, QueueGauge

NOW = 1_790_000_000_000


class Slow:
    """Counts one more each time, and takes its time over it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at = 0.0
        self.counts = 0
        self.gauge = QueueGauge(self.count, lambda: self.at)

    def count(self, _now: int) -> Depths:
        """One more."""
        self.at += self.seconds
        self.counts += 1
        return Depths(self.counts, 0, None)


def test_what_is_counted_quickly_is_counted_for_whoever_asks() -> None:
    """Health tells what is, not what was."""
    slow = Slow()
    slow.seconds = QUICK_MS / 1000 / 2
    assert [slow.gauge.depths(NOW).waiting for _ in range(3)] == [1, 2, 3]


def test_a_long_count_is_rested_from() -> None:
    """However many ask how a campaign of a million is, it is counted a fiftieth of the time."""
    slow = Slow()
    slow.seconds = 0.4
    assert [slow.gauge.depths(NOW).waiting for _ in range(3)] == [1, 1, 1]
    slow.at = 0.4 * REST - 0.1
    assert slow.gauge.depths(NOW).waiting == 1
    slow.at += 0.2
    assert slow.gauge.depths(NOW).waiting == 2
