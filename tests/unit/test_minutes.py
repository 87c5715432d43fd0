"""What came and went by minute: counted once, stored again and again, added up over daemons."""

from __future__ import annotations

from collections import Counter

from core.database import Database
from core.minutes import KEPT_MS, MINUTE_MS, Counts, Writer, counts_since, forget_counts
from core.minutes import store_counts as store
from gateway.minutes import Minutes
from gateway.pulse import spans

NOW = 1_790_000_000_000 // MINUTE_MS * MINUTE_MS
OURS, THEIRS = Writer(1, NOW - 5000), Writer(2, NOW - 9000)


def test_counters_that_grow_fall_into_minutes() -> None:
    """What was counted before it began to look is not of any minute; nothing is taken twice."""
    clock = [NOW + 1000]
    counters = Counter({"texts": 70, "became_accepted": 70})
    minutes = Minutes(OURS, counters, lambda: clock[0])
    counters.update(texts=3, inputs=2, became_accepted=4, became_delivered=1)
    minutes.look()
    clock[0] += MINUTE_MS
    counters.update(texts=1, became_rejected=1, became_expired=1, became_waiting=5)
    minutes.look()
    first = Counts(received=3, dialled=2, sent=4, delivered=1)
    second = Counts(received=1, failed=2, put_off=5)
    assert minutes.own == {NOW: first, NOW + MINUTE_MS: second}
    taken = minutes.take()
    assert taken == minutes.own
    assert minutes.take() == {}
    minutes.take_back(taken)
    assert minutes.take() == taken


def test_daemons_add_up_and_nothing_is_counted_twice(database: Database) -> None:
    """A minute is written again as it grows; a restart begins rows of its own."""

    def since(*but: Writer) -> dict[int, Counts]:
        return database.read("minutes", counts_since, NOW, *but)

    old = NOW - KEPT_MS
    for counted in ({NOW: Counts(received=1), old: Counts(sent=1)}, {NOW: Counts(received=5)}):
        database.transact("store", store, OURS, counted)
    again = Writer(1, NOW)
    database.transact("store", store, again, {NOW: Counts(received=10)})
    database.transact("store", store, THEIRS, {NOW + MINUTE_MS: Counts(sent=100)})
    assert since() == {NOW: Counts(received=15), NOW + MINUTE_MS: Counts(sent=100)}
    assert since(again) == {NOW: Counts(received=5), NOW + MINUTE_MS: Counts(sent=100)}
    database.transact("forget", forget_counts, NOW)
    assert database.read("all", counts_since, 0) == since()


def test_the_last_hour_and_day_are_whole() -> None:
    """Sixty minutes and 24 hours of Tehran's clocks, empty ones too; the same sums in both."""
    now = NOW + 30_000
    hour, day = spans(
        now,
        {NOW: Counts(sent=1), NOW - 59 * MINUTE_MS: Counts(sent=2)},
        {NOW: Counts(sent=4), NOW - 600 * MINUTE_MS: Counts(received=7)},
    )
    assert [len(hour), len(day)] == [60, 24]
    assert (hour[0].at, hour[0].counts.sent) == (NOW - 59 * MINUTE_MS, 2)
    assert (hour[-1].at, hour[-1].counts.sent) == (NOW, 5)
    assert day[-1].at <= now < day[-1].at + 3_600_000
    assert all((span.at / 1000 + 12_600) % 3600 == 0 for span in day)
    assert sum(span.counts.sent for span in day) == 7
    assert sum(span.counts.received for span in day) == 7
