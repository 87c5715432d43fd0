"""What the daemon's parts say of themselves at one moment. Instants are UTC milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DOOR_COUNTS: Final = (
    "requests", "screens", "refused", "late", "gone", "rejected", "forbidden",
)  # fmt: skip
"""Of ``DoorHealth``, what is counted …"""
SESSION_COUNTS: Final = (
    "opened", "ended", "expired", "limited", "late", "unknown", "repeated",
)  # fmt: skip
"""… and of ``UssdHealth``: of sessions and inputs …"""
SCREEN_COUNTS: Final = ("shown", "retried", "dropped", "uncertain")
"""… and of screens."""


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
class FailedHealth:
    """A campaign that could not be gone on with."""

    utility: str
    template: str
    error: str


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
    failed: tuple[FailedHealth, ...] = ()
    """Campaigns that wait to be mended or given up."""


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
class WebhookHealth:
    """A receiver of what happens, as the daemon that tells it sees it."""

    name: str
    utility: str
    enabled: bool
    gave_up: bool
    """It was disabled because it took nothing for a long time."""
    attempts: int
    """Of the call under way."""
    since: int | None
    """From when on it has taken nothing; None when it takes what it is told."""
    error: str
    waiting_since: int | None = None
    """Since when there has been something to tell that it has not taken yet."""
    taken: int = 0
    """Calls since this daemon started."""
    refused: int = 0
    """Attempts since then that were not taken."""


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
    webhooks: tuple[WebhookHealth, ...] = ()
    """Empty on a daemon that does not tell them."""
    disk: DiskHealth | None = None
    """None where it cannot be told."""

    @property
    def paused(self) -> dict[str, ServiceHealth]:
        """The services that are paused, by name."""
        return {each.name: each for each in self.services if each.state is ServiceState.PAUSED}
