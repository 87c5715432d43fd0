"""Metrics in Prometheus's own text: what was counted, and how the daemon is at this moment.

Names and labels are part of the interface: ``config/ops`` has alert rules and a dashboard
that are made of them, and ``docs/monitoring.md`` has them as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gateway.health import Health, ServiceState, Snapshot, Status
from gateway.health.snapshot import DOOR_COUNTS, SCREEN_COUNTS, SESSION_COUNTS
from gateway.tally import Buckets, Tally

TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_LEVELS: Final = {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.DOWN: 2}
Labels = tuple[str, ...]
Values = Mapping[Any, float]
"""Numbers by the values of the labels: a tuple of texts."""


class Seen(NamedTuple):
    """The daemon at the moment of a scrape."""

    health: Health
    counters: Mapping[str, int]
    """Of the inbound side: redelivered, refused."""
    runs: int
    """Campaigns that this daemon is producing."""
    database_bytes: int | None
    """None where the database does not say."""


class Exposition:
    """The daemon's metrics: a registry of its own, beside whatever a library registers."""

    def __init__(self, tally: Tally) -> None:
        self._collector = _Daemon(tally)
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self, seen: Seen) -> bytes:
        """All of them."""
        self._collector.seen = seen
        return generate_latest(self._registry)


class _Daemon(Collector):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.seen: Seen | None = None

    def collect(self) -> Iterator[Metric]:
        yield from _counted(self._tally)
        if self.seen is None or self.seen.health.snapshot is None:
            return
        seen, snapshot = self.seen, self.seen.health.snapshot
        yield from _daemon(seen, snapshot)
        yield from _queues(seen, snapshot)
        yield from _binds(snapshot)
        yield from _panels(snapshot)
        yield from _ussd(snapshot)
        yield from _own_messages(seen, snapshot)
        yield from _webhooks(snapshot)


def _counter(name: str, help_: str, labels: Labels, of: Values) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for values, count in of.items():
        family.add_metric(values, count)
    return family


def _gauge(name: str, help_: str, labels: Labels, of: Values) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for values, number in of.items():
        family.add_metric(values, number)
    return family


def _number(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _count(name: str, help_: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_, value=value)


def _histogram(name: str, help_: str, labels: Labels, of: Mapping[Any, Buckets]) -> Metric:
    family = HistogramMetricFamily(name, help_, labels=labels)
    for values, buckets in of.items():
        family.add_metric(values, buckets.cumulative(), buckets.total)
    return family


def _by_one(of: Mapping[str, float]) -> dict[Labels, float]:
    return {(key,): value for key, value in of.items()}


def _counted(tally: Tally) -> Iterator[Metric]:
    yield _counter(
        "peyk_texts_received",
        "Texts and parts of texts that came in and are stored.",
        ("line",),
        _by_one(tally.received),
    )
    yield _counter("peyk_ussd_inputs", "USSD inputs.", ("line",), _by_one(tally.dialled))
    yield _counter(
        "peyk_operations",
        "What subscribers asked for, and what came of it.",
        ("operation", "outcome"),
        tally.operations,
    )
    yield _counter(
        "peyk_parts_submitted",
        "Parts of messages that were submitted.",
        ("bind", "line", "kind"),
        tally.submitted,
    )
    yield _counter(
        "peyk_submissions",
        "What became of submissions.",
        ("operator", "result"),
        tally.results,
    )
    yield _counter("peyk_receipts", "Delivery receipts.", ("operator", "state"), tally.receipts)
    yield _histogram(
        "peyk_answer_seconds",
        "From a text to the submission of its answer. Answers that had to wait in the outbox "
        "are not in it: peyk_outbox_oldest_due_seconds tells of those.",
        ("line", "operation"),
        tally.answers,
    )
    yield _histogram(
        "peyk_ussd_answer_seconds",
        "From a USSD input to the commit after which its screen is shown.",
        ("line",),
        {(line,): buckets for line, buckets in tally.screens.items()},
    )
    yield _histogram(
        "peyk_batch_size",
        "Texts, inputs, results and receipts of one transaction.",
        (),
        {(): tally.batch_sizes},
    )
    yield _histogram(
        "peyk_batch_seconds", "How long a transaction took.", (), {(): tally.batch_seconds}
    )


def _daemon(seen: Seen, snapshot: Snapshot) -> Iterator[Metric]:
    yield _gauge(
        "peyk_info",
        "Which daemon it is.",
        ("version", "node"),
        {(snapshot.version, str(snapshot.node)): 1},
    )
    yield _number("peyk_status", "0 healthy, 1 degraded, 2 down.", _LEVELS[seen.health.status])
    yield _number("peyk_problems", "What /health complains of.", len(seen.health.problems))
    uptime = (snapshot.now - snapshot.started_at) / 1000
    yield _number("peyk_uptime_seconds", "Since the daemon started.", uptime)
    database = snapshot.database
    yield _number("peyk_database_up", "Whether the database answers.", database.reachable)
    if seen.database_bytes is not None:
        yield _number("peyk_database_bytes", "The size of the database.", seen.database_bytes)
    if snapshot.disk is not None:
        yield _number("peyk_disk_free_bytes", "Where the data are.", snapshot.disk.free)
        yield _number("peyk_wal_bytes", "SQLite's write-ahead log.", snapshot.disk.wal)
    yield _gauge(
        "peyk_service_paused",
        "Whether somebody has paused it.",
        ("service",),
        {(each.name,): each.state is ServiceState.PAUSED for each in snapshot.services},
    )
    yield _gauge(
        "peyk_peer_up",
        "Whether another daemon on the same database is heard of.",
        ("node", "host"),
        {(str(peer.node), peer.host): peer.alive for peer in snapshot.peers},
    )


def _queues(seen: Seen, snapshot: Snapshot) -> Iterator[Metric]:
    queues = snapshot.queues
    yield _number("peyk_arrivals_waiting", "Arrivals in memory, not stored.", queues.arrivals)
    yield _number("peyk_reading_paused", "Whether they are too many.", queues.reading_paused)
    yield _counter(
        "peyk_arrivals_not_taken",
        "Arrivals that were refused for now, or were known already.",
        ("why",),
        {(why,): seen.counters.get(why, 0) for why in ("refused", "redelivered")},
    )
    if snapshot.database.reachable:
        yield _number("peyk_outbox_waiting", "Parts that are due, or later.", queues.waiting)
        yield _number("peyk_outbox_sending", "Parts that are with a daemon.", queues.sending)
        yield _number(
            "peyk_outbox_oldest_due_seconds",
            "For how long the oldest part that is due has been; 0 when none is.",
            queues.oldest_waiting_seconds or 0,
        )


def _binds(snapshot: Snapshot) -> Iterator[Metric]:
    binds = {(bind.name,): bind for bind in snapshot.binds}

    def gauge(name: str, help_: str, what: str) -> Metric:
        of = {key: float(getattr(bind, what)) for key, bind in binds.items()}
        return _gauge(f"peyk_bind_{name}", help_, ("bind",), of)

    yield gauge("up", "Whether it is bound.", "up")
    yield gauge("window", "Submissions that may wait for their response.", "window")
    yield gauge("in_flight", "Submissions that do.", "in_flight")
    yield gauge("queued", "Parts that the daemon holds for it beyond those.", "queued")
    yield gauge("held_seconds", "For how long throttling still holds it back.", "held_seconds")
    yield gauge("rate_share", "How much of its rate is this daemon's.", "share")
    yield _counter(
        "peyk_bind_reconnects",
        "How often it was connected again.",
        ("bind",),
        {key: bind.reconnects for key, bind in binds.items()},
    )


def _panels(snapshot: Snapshot) -> Iterator[Metric]:
    panels = {(panel.name,): panel for panel in snapshot.panels}

    def gauge(name: str, help_: str, what: str) -> Metric:
        of = {key: float(getattr(panel, what)) for key, panel in panels.items()}
        return _gauge(f"peyk_panel_{name}", help_, ("panel",), of)

    def counter(name: str, help_: str, what: str) -> Metric:
        of = {key: float(getattr(panel, what)) for key, panel in panels.items()}
        return _counter(f"peyk_panel_{name}", help_, ("panel",), of)

    yield gauge("up", "Whether it can be asked to send.", "up")
    yield gauge("queued", "Parts that the daemon holds for it.", "queued")
    yield gauge("in_flight", "Parts that it was asked to send.", "in_flight")
    yield gauge("in_doubt", "Messages that it may or may not have taken.", "in_doubt")
    yield gauge("owed", "Messages of which it has not said what became.", "owed")
    yield gauge("held_seconds", "For how long throttling still holds it back.", "held_seconds")
    yield gauge("credit_low", "Credit below which somebody should pay.", "credit_low")
    credit = {key: panel.credit for key, panel in panels.items() if panel.credit is not None}
    yield _gauge("peyk_panel_credit", "In the panel's own unit.", ("panel",), credit)
    yield counter("texts", "Texts that came through it.", "texts")
    yield counter("states", "Last states that it told.", "states")
    yield counter("failures", "Requests that failed.", "failures")


def _each(of: object, names: Iterable[str]) -> dict[Labels, float]:
    return {(name,): float(getattr(of, name)) for name in names}


def _ussd(snapshot: Snapshot) -> Iterator[Metric]:
    doors = snapshot.doors
    yield _counter(
        "peyk_door_requests",
        "Requests to USSD doors over HTTP: those that were understood, and what became of all.",
        ("door", "what"),
        {(door.name, *key): n for door in doors for key, n in _each(door, DOOR_COUNTS).items()},
    )
    yield _gauge(
        "peyk_door_waiting",
        "Requests that wait for their answer.",
        ("door",),
        {(door.name,): door.waiting for door in doors},
    )
    ussd = snapshot.ussd
    if ussd is None:
        return
    yield _number("peyk_ussd_sessions_open", "About how many sessions are open.", ussd.open)
    yield _number("peyk_ussd_sessions_most", "How many may be.", ussd.most)
    yield _counter(
        "peyk_ussd_sessions",
        "What became of USSD sessions and inputs.",
        ("what",),
        _each(ussd, SESSION_COUNTS),
    )
    yield _counter(
        "peyk_ussd_screens", "What became of screens.", ("what",), _each(ussd, SCREEN_COUNTS)
    )


def _own_messages(seen: Seen, snapshot: Snapshot) -> Iterator[Metric]:
    yield _number("peyk_campaigns_in_work", "Campaigns that this daemon is producing.", seen.runs)
    scheduler = snapshot.scheduler
    if scheduler is None:
        return
    yield _number("peyk_scheduler_leads", "Whether it keeps the schedules.", scheduler.leads)
    yield _number(
        "peyk_scheduler_overdue",
        "What should have begun and has not.",
        len(scheduler.overdue),
    )
    yield _number(
        "peyk_scheduler_broken", "Templates whose schedules cannot be kept.", scheduler.broken
    )
    yield _count("peyk_scheduler_missed", "Times for which nothing was begun.", scheduler.missed)
    yield _count("peyk_events_handled", "Events that were handled.", scheduler.events)
    yield _count("peyk_event_messages", "Messages that were made of them.", scheduler.messages)
    yield _count("peyk_events_put_off", "Those whose message is made later.", scheduler.put_off)
    yield _count("peyk_events_set_aside", "Those that none can be made of.", scheduler.set_aside)


def _webhooks(snapshot: Snapshot) -> Iterator[Metric]:
    """Of the daemon that tells them; one that somebody has disabled waits for nothing."""
    told = {(each.name,): each for each in snapshot.webhooks if each.enabled or each.gave_up}
    up = {key: each.enabled and each.since is None for key, each in told.items()}
    yield _gauge("peyk_webhook_up", "Whether it takes what it is told.", ("webhook",), up)
    yield _gauge(
        "peyk_webhook_waiting_seconds",
        "How long the call under way has not been taken; 0 without one.",
        ("webhook",),
        {
            key: 0 if each.waiting_since is None else (snapshot.now - each.waiting_since) / 1000
            for key, each in told.items()
        },
    )
    yield _counter(
        "peyk_webhook_calls",
        "Attempts to make a call, by whether they were taken.",
        ("webhook", "result"),
        {
            (*key, result): getattr(each, result)
            for key, each in told.items()
            for result in ("taken", "refused")
        },
    )
