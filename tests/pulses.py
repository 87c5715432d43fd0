"""How a daemon is, as tests say it: a bind that is down and one that is up, alerts, counts."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred, succeed

from core.alerts import Alert
from core.minutes import Counts
from gateway.health import (
    BindHealth,
    DatabaseHealth,
    PlannedHealth,
    QueueHealth,
    SchedulerHealth,
    Snapshot,
    assess,
)
from gateway.pulse import Beat, spans
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN


class FakePulse:
    """A daemon of which the tests say how it is."""

    def __init__(self, now_ms: Clock) -> None:
        now = now_ms()
        bind = BindHealth(
            name="operator",
            smsc="mci",
            up=False,
            state="waiting",
            since=now - 7_500_000,
            window=50,
            in_flight=0,
            queued=7,
            rate=100,
            held_seconds=0,
            last_traffic=None,
            reconnects=2,
            last_error="<b>refused</b>",
        )
        planned = tuple(
            PlannedHealth(utility=each, template=f"t-{each}", what="overdue", at=now + 60_000)
            for each in (KERMAN, LORESTAN)
        )
        scheduler = SchedulerHealth(
            leads=True, paused=False, last_round=now, planned=planned, overdue=(), missed=0,
            broken=0, events=0, messages=0, put_off=0, set_aside=0,
        )  # fmt: skip
        self.snapshot = Snapshot(
            version="1",
            now=now,
            started_at=now - 90_000_000,
            lines=(),
            binds=(bind, replace(bind, name="second", up=True, last_error="")),
            queues=QueueHealth(
                arrivals=0,
                reading_paused=False,
                waiting=1250,
                sending=3,
                oldest_waiting_seconds=42.0,
            ),
            database=DatabaseHealth(name="x", reachable=True, schema_current=True),
            scheduler=scheduler,
        )
        self.counted = {now // 60_000 * 60_000: Counts(received=1234, sent=1200, delivered=999)}
        self.counted[now // 60_000 * 60_000 - 120_000] = Counts(failed=1, sent=1)
        self.felt = 0

    def forget(self) -> None:
        """Nothing is remembered."""

    def feel(self) -> Deferred[Beat]:
        """How it is."""
        self.felt += 1
        hour, day = spans(self.snapshot.now, self.counted)
        words = "disk full", "دیسک پر است"
        alert = Alert(1, "disk:", *words, self.snapshot.now, None, None, None)
        late = alert._replace(trouble=f"schedule_late:{LORESTAN}/x", persian="دیر شد")
        health = assess(self.snapshot, 60)
        return succeed(Beat(self.snapshot, health, hour, day, [alert, late]))
