"""How the daemon is: what its parts say of themselves, judged and put in plain words.

Pure: the daemon fills a ``Snapshot``, ``assess`` judges it, ``to_json`` makes what the
control socket and later ``/health`` give out. Instants are UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

_INSTANTS = frozenset(
    {
        "now",
        "started_at",
        "since",
        "last_traffic",
        "next_attempt",
        "last_round",
        "at",
        "seen_at",
        "taken_over_at",
    }
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BindHealth:
    """One bind."""

    name: str
    smsc: str
    up: bool
    """Whether it is bound now."""
    state: str
    """In words: ``bound``, ``waiting`` …"""
    since: int
    """When it came into that state."""
    window: int
    in_flight: int
    """How many submit_sm wait for their response."""
    queued: int
    """How many messages the daemon holds for it beyond those."""
    rate: float
    """Messages a second as set; 0 is no limit."""
    held_seconds: float
    """For how long the SMSC's throttling still holds everything back; 0 when it does not."""
    last_traffic: int | None
    """When the SMSC last sent anything."""
    reconnects: int
    last_error: str
    next_attempt: int | None = None
    """When it tries to connect again."""
    slowed_to: float = 0.0
    """Messages a second that throttling has left for now; 0 when it takes nothing away."""
    share: float = 1.0
    """How much of the rate is this daemon's: 0 … 1; the others have the rest."""
    down_since: int | None = None
    """From when on it has not been bound, whatever was tried since; None while it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelHealth:
    """One SMS panel; what is counted is counted since the daemon started."""

    name: str
    kind: str
    up: bool
    """Whether it can be asked to send."""
    since: int
    """When it came up or went down."""
    queued: int
    """Parts of messages that the daemon holds for it."""
    in_flight: int
    """Parts that it was asked to send, and whose result is not stored."""
    in_doubt: int
    """Messages that it may or may not have taken."""
    owed: int
    """Messages of which it has not said what became."""
    rate: float
    held_seconds: float
    """For how long its throttling still holds everything back."""
    credit: float | None
    """In its own unit; None where it has not said."""
    credit_low: float
    """Below it somebody should pay."""
    texts: int
    """Texts that came through it."""
    states: int
    """Last states that it told."""
    failures: int
    """Requests that failed."""
    last_error: str
    next_attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorHealth:
    """One USSD door over HTTP, and what has come to it since the daemon started."""

    name: str
    dialect: str
    path: str
    waiting: int
    """Requests that wait for their answer now."""
    requests: int
    """Those that were understood."""
    screens: int
    """Those that were answered with a screen."""
    refused: int
    """Those that could not be taken or stored (503)."""
    late: int
    """Those that were not answered in time."""
    gone: int
    """Those whose sender did not wait."""
    rejected: int
    """Those that were not understood (4xx)."""
    forbidden: int
    """Those that lacked the secret or came from elsewhere (403)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdHealth:
    """USSD sessions; what is counted is counted since the daemon started."""

    open: int
    """About how many sessions are open, those of other daemons among them."""
    most: int
    """How many may be: beyond it the oldest are ended."""
    opened: int
    ended: int
    expired: int
    """Sessions that nothing came in for too long, or that made room for others."""
    limited: int
    """Inputs that were refused: too many from one mobile."""
    late: int
    """Inputs of sessions that were over."""
    unknown: int
    """Dials of a code that no line has."""
    repeated: int
    """Inputs that were delivered again."""
    shown: int
    """Screens that a network took."""
    retried: int
    """How often a screen was written again."""
    dropped: int
    """Screens that did not go out."""
    uncertain: int
    """Screens of which the network did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHealth:
    """Something that the utility is going to send by itself."""

    utility: str
    template: str
    what: str
    """The report that it is made of, or the outage that it tells of."""
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerHealth:
    """What the utility sends by itself; what is counted is counted since the daemon started."""

    leads: bool
    """Whether this daemon keeps the schedules: one of those that share the database does."""
    paused: bool
    last_round: int | None
    """When this daemon last looked at them."""
    planned: tuple[PlannedHealth, ...]
    """The next ones."""
    overdue: tuple[PlannedHealth, ...]
    """Those that should have been begun and were not."""
    missed: int
    """Times of schedules that passed while no daemon ran, and that nothing was begun for."""
    broken: int
    """Templates whose schedules cannot be kept: the log says why."""
    events: int
    """Events that were handled …"""
    messages: int
    """… the messages of them …"""
    put_off: int
    """… those that are made later …"""
    set_aside: int
    """… and what cannot be made: the log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHealth:
    """What waits."""

    arrivals: int
    """Arrivals in memory that are not committed yet."""
    reading_paused: bool
    """Whether so many wait that nothing more is read from the networks."""
    waiting: int
    """Outbox messages that are due or waiting for another attempt."""
    sending: int
    """Outbox messages handed to a bind whose end is not known yet."""
    oldest_waiting_seconds: float | None
    """For how long the oldest message that is due has been; None when none is."""
    oldest_answer_seconds: float | None = None
    """The same of answers to people, which nothing goes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """The database."""

    name: str
    """Its URL without the password."""
    reachable: bool
    schema_current: bool
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHealth:
    """What became of what one operator was given, counted since the daemon started."""

    smsc: str
    accepted: int
    refused: int
    """Attempts that it did not take, for now or for good."""
    delivered: int
    undelivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskHealth:
    """Where the data are; in bytes."""

    free: int
    wal: int
    """SQLite's write-ahead log; 0 on PostgreSQL."""


class ServiceState(StrEnum):
    """How a service is."""

    RUNNING = "running"
    PAUSED = "paused"
    DOWN = "down"
    """It should run, and does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHealth:
    """Something that people can pause: a bind, a door, the scheduler."""

    name: str
    """As ``peyk service`` calls it: ``bind:main``, ``scheduler``."""
    state: ServiceState
    since: int | None = None
    """From when on it has been so, where that is known."""
    paused_by: str = ""
    detail: str = ""
    """Why it was paused, or what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHealth:
    """Another daemon on the same database, as this one sees it."""

    node: int
    host: str
    version: str
    alive: bool
    started_at: int
    seen_at: int
    """When it was last heard of."""
    taken_over_at: int | None
    """When another daemon took what this one was to send."""
    binds_up: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The daemon at one moment."""

    version: str
    now: int
    started_at: int
    lines: tuple[str, ...]
    binds: tuple[BindHealth, ...]
    queues: QueueHealth
    database: DatabaseHealth
    panels: tuple[PanelHealth, ...] = ()
    doors: tuple[DoorHealth, ...] = ()
    ussd: UssdHealth | None = None
    """None where no code is dialled."""
    scheduler: SchedulerHealth | None = None
    node: int = 0
    """Which of the daemons on this database it is …"""
    peers: tuple[PeerHealth, ...] = ()
    """… and the others."""
    services: tuple[ServiceHealth, ...] = ()
    operators: tuple[OperatorHealth, ...] = ()
    set_aside: int = 0
    """Messages that could not be worked on since the daemon started."""
    disk: DiskHealth | None = None
    """None where it cannot be told."""

    @property
    def paused(self) -> dict[str, ServiceHealth]:
        """The services that are paused, by name."""
        return {each.name: each for each in self.services if each.state is ServiceState.PAUSED}


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


def to_json(health: Health) -> dict[str, Any]:
    """What ``peyk health --json`` prints: instants as ISO 8601 in UTC."""
    found: dict[str, Any] = {"status": health.status.value, "problems": list(health.problems)}
    if health.snapshot:
        found["uptime_seconds"] = (health.snapshot.now - health.snapshot.started_at) // 1000
        found |= _with_iso(asdict(health.snapshot))
    return found


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


def in_words(seconds: float) -> str:
    """A duration as people say it: ``42 s``, ``3 min``, ``5 h 12 min``, ``2 d 3 h``."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def _with_iso(value: Any, key: str = "") -> Any:
    if key in _INSTANTS and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if isinstance(value, dict):
        return {inner: _with_iso(each, inner) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_iso(each) for each in value]
    return value
