"""What is wrong, judged from the health snapshot and what was counted. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.health import (
    ROUND_LIMIT_SECONDS,
    OperatorHealth,
    SchedulerHealth,
    Snapshot,
    in_words,
)
from gateway.settings.alerts import AlertSettings

MEGABYTE: Final = 1_048_576
WEBHOOK_SECONDS: Final = 900
"""So long may the receiver of a webhook be away before people are told."""


class Kind(StrEnum):
    """Kinds of trouble."""

    BIND_DOWN = "bind_down"
    PANEL_DOWN = "panel_down"
    PANEL_CREDIT = "panel_credit"
    QUEUE_OLD = "queue_old"
    REFUSED = "refused"
    """An operator refuses too much of what it is given."""
    UNDELIVERED = "undelivered"
    """Too much of what an operator took is not delivered."""
    DATABASE = "database"
    READING_PAUSED = "reading_paused"
    DISK = "disk"
    WAL = "wal"
    SCHEDULE_LATE = "schedule_late"
    SCHEDULE_BROKEN = "schedule_broken"
    CAMPAIGN_FAILED = "campaign_failed"
    SCHEDULER = "scheduler"
    SET_ASIDE = "set_aside"
    DAEMON_GONE = "daemon_gone"
    WEBHOOK = "webhook"
    """Another system takes nothing of what it is to be told."""


OF_ALL: Final = frozenset(
    {
        Kind.QUEUE_OLD,
        Kind.SCHEDULE_LATE,
        Kind.SCHEDULE_BROKEN,
        Kind.CAMPAIGN_FAILED,
        Kind.DAEMON_GONE,
        Kind.WEBHOOK,
    }
)
"""What one daemon judges for all that share a database: the one that keeps the schedules."""
_OF_DATABASE: Final = frozenset({*OF_ALL, Kind.WAL, Kind.SCHEDULER})
"""What cannot be told while the database is away."""


class Trouble(NamedTuple):
    """Something that is wrong now."""

    kind: Kind
    about: str
    """Which bind, operator, template; empty where there is one only."""
    detail: str = ""
    """Figures and reasons, in plain words that need no translation."""


class Found(NamedTuple):
    """What a look at the daemon has come to."""

    troubles: tuple[Trouble, ...]
    unjudged: frozenset[Kind] = frozenset()
    """Kinds of which it cannot be said now whether there is trouble."""


class Window:
    """What was counted within the last while, from counters that only grow."""

    def __init__(self, seconds: float) -> None:
        self._length = seconds * 1000
        self._samples: deque[tuple[int, Mapping[str, int]]] = deque()

    def add(self, now: int, counters: Mapping[str, int]) -> None:
        """The counters as they are now (UTC milliseconds)."""
        self._samples.append((now, counters))
        # One sample from before the window stays: what came since is counted from it.
        while len(self._samples) > 1 and self._samples[1][0] <= now - self._length:
            self._samples.popleft()

    def within(self, name: str) -> int:
        """By how much one has grown."""
        if not self._samples:
            return 0
        return self._samples[-1][1].get(name, 0) - self._samples[0][1].get(name, 0)


class _Queue:
    """Whether what waits goes out: the oldest of it, or anything at all."""

    def __init__(self) -> None:
        self._oldest: int | None = None
        self._accepted: int | None = None
        self._goes_out = False
        self.moved_at = 0
        """When anything last showed that it moves."""

    def look(self, snapshot: Snapshot) -> None:
        """How it is now."""
        seconds = snapshot.queues.oldest_waiting_seconds
        oldest = None if seconds is None else snapshot.now - round(seconds * 1000)
        accepted = sum(each.accepted for each in snapshot.operators)
        self._goes_out = self._accepted is not None and accepted > self._accepted
        if oldest is None or oldest != self._oldest or self._goes_out:
            self.moved_at = snapshot.now
        self._oldest, self._accepted = oldest, accepted

    def is_doubtful(self, snapshot: Snapshot, limit: float) -> bool:
        """Whether it is old and nothing shows yet that it moves: no alert of it is over."""
        return (snapshot.queues.oldest_waiting_seconds or 0) > limit and not self._goes_out


class Judge:
    """Looks at one snapshot after the other."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._traffic = Window(settings.failures_window)
        self._set_aside = Window(settings.set_aside_window)
        self._away_since: int | None = None
        self._queue = _Queue()

    def look(self, snapshot: Snapshot) -> Found:
        """What is wrong in it."""
        self._traffic.add(snapshot.now, _counters(snapshot.operators))
        self._set_aside.add(snapshot.now, {"": snapshot.set_aside})
        unjudged: set[Kind] = set()
        if not snapshot.database.reachable:
            unjudged |= _OF_DATABASE
        else:
            self._queue.look(snapshot)
        if snapshot.scheduler is None or not snapshot.scheduler.leads:
            unjudged |= OF_ALL
        found = [each for each in self._all(snapshot) if each.kind not in unjudged]
        if self._queue.is_doubtful(snapshot, self._settings.queue_old):
            unjudged.add(Kind.QUEUE_OLD)
        return Found(tuple(found), frozenset(unjudged))

    def _all(self, snapshot: Snapshot) -> Iterator[Trouble]:
        yield from self._database(snapshot)
        yield from self._binds(snapshot)
        yield from self._panels(snapshot)
        yield from self._queues(snapshot)
        for operator in snapshot.operators:
            yield from self._failures(operator.smsc)
        if snapshot.scheduler is not None:
            yield from self._schedules(snapshot, snapshot.scheduler)
        for peer in snapshot.peers:
            if not peer.alive:
                yield Trouble(Kind.DAEMON_GONE, f"{peer.node}", peer.host)
        yield from self._webhooks(snapshot)
        aside = self._set_aside.within("")
        if aside:
            yield Trouble(Kind.SET_ASIDE, "", str(aside))
        yield from self._disk(snapshot)

    def _database(self, snapshot: Snapshot) -> Iterator[Trouble]:
        database = snapshot.database
        if database.reachable:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = snapshot.now
        away = snapshot.now - (self._away_since or snapshot.now)
        if not database.reachable and away >= self._settings.database_down * 1000:
            yield Trouble(Kind.DATABASE, "", database.last_error)
        if database.reachable and snapshot.queues.reading_paused:
            yield Trouble(Kind.READING_PAUSED, "", str(snapshot.queues.arrivals))

    def _binds(self, snapshot: Snapshot) -> Iterator[Trouble]:
        paused = snapshot.paused
        for bind in snapshot.binds:
            # A bind that is away comes back in many states one after the other.
            since = bind.down_since if bind.down_since is not None else bind.since
            seconds = (snapshot.now - since) / 1000
            is_paused = f"bind:{bind.name}" in paused
            if not bind.up and not is_paused and seconds >= self._settings.bind_down:
                yield Trouble(Kind.BIND_DOWN, bind.name, bind.last_error or bind.state)

    def _panels(self, snapshot: Snapshot) -> Iterator[Trouble]:
        for panel in snapshot.panels:
            seconds = (snapshot.now - panel.since) / 1000
            if f"panel:{panel.name}" in snapshot.paused:
                continue
            if not panel.up and seconds >= self._settings.bind_down:
                yield Trouble(Kind.PANEL_DOWN, panel.name, panel.last_error)
            # Of one that is down it is known as well, and may be the reason.
            if panel.credit is not None and panel.credit < panel.credit_low:
                yield Trouble(Kind.PANEL_CREDIT, panel.name, f"{panel.credit:,.0f}")

    def _queues(self, snapshot: Snapshot) -> Iterator[Trouble]:
        """Answers that wait for long, or a queue of whatever that does not move.

        That a campaign's messages wait for hours is as it should be, while they go out.
        """
        queues, limit = snapshot.queues, self._settings.queue_old
        oldest, answer = queues.oldest_waiting_seconds, queues.oldest_answer_seconds
        still = (snapshot.now - self._queue.moved_at) / 1000
        if answer is not None and answer > limit:
            yield Trouble(Kind.QUEUE_OLD, "", f"{in_words(answer)}, {queues.waiting}")
        elif oldest is not None and min(oldest, still) > limit:
            yield Trouble(Kind.QUEUE_OLD, "", f"{in_words(oldest)}, {queues.waiting}")

    def _failures(self, smsc: str) -> Iterator[Trouble]:
        for kind, bad, good in (
            (Kind.REFUSED, "refused", "accepted"),
            (Kind.UNDELIVERED, "undelivered", "delivered"),
        ):
            failed = self._traffic.within(f"{bad}:{smsc}")
            total = failed + self._traffic.within(f"{good}:{smsc}")
            if total >= self._settings.failures_least and failed / total > self._settings.failures:
                yield Trouble(kind, smsc, f"{failed}/{total} ({100 * failed // total} %)")

    def _schedules(self, snapshot: Snapshot, scheduler: SchedulerHealth) -> Iterator[Trouble]:
        for planned in scheduler.overdue:
            late = (snapshot.now - planned.at) / 1000
            if late >= self._settings.schedule_late:
                about = f"{planned.utility}/{planned.template}"
                yield Trouble(Kind.SCHEDULE_LATE, about, in_words(late))
        if scheduler.broken:
            yield Trouble(Kind.SCHEDULE_BROKEN, "", str(scheduler.broken))
        for failed in scheduler.failed:
            about = f"{failed.utility}/{failed.template}"
            yield Trouble(Kind.CAMPAIGN_FAILED, about, failed.error)
        silent = (snapshot.now - (scheduler.last_round or snapshot.started_at)) / 1000
        if scheduler.leads and not scheduler.paused and silent > ROUND_LIMIT_SECONDS:
            yield Trouble(Kind.SCHEDULER, "", in_words(silent))

    def _webhooks(self, snapshot: Snapshot) -> Iterator[Trouble]:
        """Those that were given up, and those that have been tried for long."""
        for webhook in snapshot.webhooks:
            seconds = 0.0 if webhook.since is None else (snapshot.now - webhook.since) / 1000
            if webhook.gave_up:
                yield Trouble(Kind.WEBHOOK, webhook.name, f"disabled; {webhook.error}")
            elif webhook.enabled and seconds >= WEBHOOK_SECONDS:
                yield Trouble(Kind.WEBHOOK, webhook.name, webhook.error)

    def _disk(self, snapshot: Snapshot) -> Iterator[Trouble]:
        disk = snapshot.disk
        if disk is None:
            return
        free, wal = disk.free // MEGABYTE, disk.wal // MEGABYTE
        if free < self._settings.disk_free:
            yield Trouble(Kind.DISK, "", f"{free} MB")
        if self._settings.wal and wal > self._settings.wal:
            yield Trouble(Kind.WAL, "", f"{wal} MB")


def _counters(operators: tuple[OperatorHealth, ...]) -> dict[str, int]:
    names = ("accepted", "refused", "delivered", "undelivered")
    return {f"{name}:{each.smsc}": getattr(each, name) for each in operators for name in names}
