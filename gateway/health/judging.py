"""A snapshot judged: what is wrong, of which kind, with its figures and in plain words.

Pure. A daemon that cannot answer subscribers is ``down``; all other trouble makes it ``degraded``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.health.snapshot import (
    BindHealth,
    DatabaseHealth,
    PanelHealth,
    QueueHealth,
    Snapshot,
    UssdHealth,
)
from gateway.health.words import in_words

ROUND_LIMIT_SECONDS = 60.0
"""The scheduler goes round every few seconds; a longer silence has something wrong with it."""


class Status(StrEnum):
    """The daemon in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It works, and something needs looking at."""
    DOWN = "down"
    """Subscribers are not answered."""

    @property
    def exit_code(self) -> int:
        """What ``peyk health`` exits with."""
        return {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.DOWN: 2}[self]


class Problem(NamedTuple):
    """Something that is not as it should be."""

    key: str
    """What kind it is: ``bind_down``."""
    words: str
    """In plain English."""
    values: Mapping[str, Any] = {}
    """What the words of other languages are filled in with; ``*_seconds`` are durations."""
    because: str = ""
    """What a network, a database or a person said about it, in their words."""
    utility: str | None = None
    """Whom it concerns; None: everybody."""


@dataclass(frozen=True, slots=True)
class Health:
    """A snapshot judged."""

    status: Status
    found: tuple[Problem, ...]
    """The worst first; empty when all is well."""
    snapshot: Snapshot | None
    """None when nobody answered."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The same in plain words."""
        return tuple(each.words for each in self.found)


def assess(snapshot: Snapshot, oldest_waiting_limit: float) -> Health:
    """Judge ``snapshot``; a message may be due for ``oldest_waiting_limit`` seconds."""
    down = [*_database_problems(snapshot.database)]
    bind_problems = [*_bind_problems(snapshot), *_panel_problems(snapshot)]
    worries = [*_queue_problems(snapshot.queues, oldest_waiting_limit)]
    worries += _ussd_problems(snapshot.ussd)
    worries += _scheduler_problems(snapshot)
    worries += _peer_problems(snapshot)
    ways = [bind.up for bind in snapshot.binds] + [panel.up for panel in snapshot.panels]
    if ways and not any(ways):
        down += bind_problems
    else:
        worries = bind_problems + worries
    status = Status.DOWN if down else Status.DEGRADED if worries else Status.HEALTHY
    return Health(status, (*down, *worries), snapshot)


def not_running(why: str) -> Health:
    """The health of a daemon that does not answer."""
    found = Problem("not_running", f"the daemon is not running: {why}", because=why)
    return Health(Status.DOWN, (found,), None)


def _database_problems(database: DatabaseHealth) -> Iterator[Problem]:
    if not database.reachable:
        because = f": {database.last_error}" if database.last_error else ""
        yield Problem(
            "database_unreachable",
            f"the database {database.name} cannot be reached{because}",
            because=database.last_error,
        )
    elif not database.schema_current:
        words = f"the database {database.name} is of another version: run `peyk init`"
        yield Problem("database_version", words)


def _bind_problems(snapshot: Snapshot) -> Iterator[Problem]:
    if not (snapshot.binds or snapshot.panels or snapshot.doors):
        yield Problem("no_bind", "no bind is configured: nothing comes in and nothing goes out")
    for bind in snapshot.binds:
        yield from _way_problems("bind", bind, snapshot)
        if bind.up and not bind.held_seconds and bind.slowed_to and bind.queued:
            words = (
                f"bind {bind.name} is throttled by its SMSC: {bind.queued} messages wait, "
                f"{bind.slowed_to:.0f} go each second for now"
            )
            values = {"name": bind.name, "queued": bind.queued, "rate": round(bind.slowed_to)}
            yield Problem("bind_slowed", words, values)


def _panel_problems(snapshot: Snapshot) -> Iterator[Problem]:
    for panel in snapshot.panels:
        yield from _way_problems("panel", panel, snapshot)


def _way_problems(
    kind: str, way: BindHealth | PanelHealth, snapshot: Snapshot
) -> Iterator[Problem]:
    """What is wrong with a bind or a panel: the first thing that explains the others."""
    pause = snapshot.paused.get(f"{kind}:{way.name}")
    seconds = (snapshot.now - way.since) / 1000
    values: dict[str, Any] = {"name": way.name, "for_seconds": seconds}
    if pause is not None:
        values["for_seconds"] = (snapshot.now - (pause.since or snapshot.now)) / 1000
        values["by"] = pause.paused_by
        words = f"has been paused by {pause.paused_by} for {in_words(values['for_seconds'])}"
        yield Problem(f"{kind}_paused", f"{kind} {way.name} {words}", values, pause.detail)
    elif not way.up:
        error = way.last_error.rstrip(".")
        state = f"{way.state} " if isinstance(way, BindHealth) else ""
        words = f"{kind} {way.name} is down ({state}for {in_words(seconds)})"
        yield Problem(f"{kind}_down", f"{words}: {error}" if error else words, values, error)
    elif isinstance(way, PanelHealth) and way.credit is not None and way.credit < way.credit_low:
        words = (
            f"panel {way.name} has {way.credit:,.0f} of credit left (limit: {way.credit_low:,.0f})"
        )
        values |= {"credit": round(way.credit), "limit": round(way.credit_low)}
        yield Problem("panel_credit", words, values)
    elif way.held_seconds:
        by = " by its SMSC" if kind == "bind" else ""
        words = (
            f"{kind} {way.name} is throttled{by}: {way.queued} messages wait, "
            f"sending goes on in {in_words(way.held_seconds)}"
        )
        values |= {"queued": way.queued, "in_seconds": way.held_seconds}
        yield Problem(f"{kind}_throttled", words, values)


def _queue_problems(queues: QueueHealth, limit: float) -> Iterator[Problem]:
    if queues.reading_paused:
        words = f"reading is paused: {queues.arrivals} arrivals wait for the database"
        yield Problem("reading_paused", words, {"arrivals": queues.arrivals})
    oldest = queues.oldest_answer_seconds
    if oldest is None and not queues.sending:
        # Messages in bulk wait for each other, and that is no trouble while they go out.
        oldest = queues.oldest_waiting_seconds
    if oldest is not None and oldest > limit:
        words = (
            f"the oldest message has been due for {in_words(oldest)} "
            f"(limit: {in_words(limit)}); {queues.waiting} wait"
        )
        values = {"for_seconds": oldest, "limit_seconds": limit, "waiting": queues.waiting}
        yield Problem("queue_old", words, values)


def _ussd_problems(ussd: UssdHealth | None) -> Iterator[Problem]:
    if ussd and ussd.open >= ussd.most:
        words = (
            f"{ussd.open} USSD sessions are open, as many as [ussd] sessions allows: "
            "the oldest are ended"
        )
        yield Problem("ussd_full", words, {"open": ussd.open})


def _scheduler_problems(snapshot: Snapshot) -> Iterator[Problem]:
    scheduler = snapshot.scheduler
    if scheduler is None:
        return
    for planned in scheduler.overdue:
        late = (snapshot.now - planned.at) / 1000
        words = (
            f"the template {planned.template} of {planned.utility} was to be made "
            f"{in_words(late)} ago ({planned.what}), and has not been"
        )
        values = {"template": planned.template, "what": planned.what, "late_seconds": late}
        yield Problem("schedule_overdue", words, values, utility=planned.utility)
    if scheduler.leads and not scheduler.paused:
        seconds = (snapshot.now - (scheduler.last_round or snapshot.started_at)) / 1000
        if seconds > ROUND_LIMIT_SECONDS:
            words = f"the scheduler has not looked at its schedules for {in_words(seconds)}"
            yield Problem("scheduler_silent", words, {"for_seconds": seconds})
    if scheduler.broken:
        words = f"the schedules of {scheduler.broken} templates cannot be kept: the log says why"
        yield Problem("schedules_broken", words, {"count": scheduler.broken})
    for failed in scheduler.failed:
        words = (
            f"a campaign of the template {failed.template} of {failed.utility} has failed: "
            f"{failed.error}; `peyk campaign resume` or `cancel` it"
        )
        values = {"template": failed.template, "error": failed.error}
        yield Problem("campaign_failed", words, values, utility=failed.utility)


def _peer_problems(snapshot: Snapshot) -> Iterator[Problem]:
    for peer in snapshot.peers:
        if not peer.alive:
            seconds = (snapshot.now - peer.seen_at) / 1000
            then = "; others send what it was to send" if peer.taken_over_at else ""
            words = (
                f"the daemon {peer.node} on {peer.host} has not been heard of for "
                f"{in_words(seconds)}{then}"
            )
            values = {"node": peer.node, "host": peer.host, "for_seconds": seconds}
            yield Problem("daemon_silent", words, values)
