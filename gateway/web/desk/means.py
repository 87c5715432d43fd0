"""What pages work with: the parts of the daemon that they are handed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from core.access.audit import Scribe
from core.access.sessions import Lifetime
from core.database import Database
from core.ids import IdMaker
from core.secrecy import Keys
from gateway.minds import LineMind
from gateway.precedence import Precedence
from gateway.profiles import Profile
from gateway.pulse import Pulse
from gateway.settings import Settings
from gateway.ussd.talker import MenuTalker
from gateway.web.desk.live import Live


class Run(Protocol):
    """Runs ``function(connection, …)`` in a named transaction on a thread of the database."""

    def __call__(self, name: str, function: Callable[..., Any], /, *args: Any) -> Deferred[Any]:
        """Fires with what ``function`` returns."""


class InThread(Protocol):
    """Runs a function on a thread that holds up no batch."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> Deferred[Any]:
        """Fires with what ``function`` returns."""


class Means(NamedTuple):
    """The daemon, as pages may use it."""

    settings: Settings
    transact: Run
    """On the one thread that writes: short work, or the batches wait."""
    read: Run
    """On threads that hold up nobody."""
    database: Database
    """For reports, which read page by page: on the thread of ``in_report`` alone."""
    in_report: InThread
    """A thread for what takes seconds, one after the other: nothing else waits for it."""
    in_thread: InThread
    """What needs a processor for a while, such as a password's hash."""
    precedence: Precedence
    """Of messages before pages."""
    ids: IdMaker
    keys: Keys
    minds: Mapping[str, LineMind]
    """By line."""
    profiles: Mapping[str, Profile]
    """By name."""
    now_ms: Callable[[], int]
    on_queued: Callable[[], object]
    """To be called when something was put into the outbox."""
    pulse: Pulse | None
    """How the daemon is, and what it did of late; None where pages are served without one."""
    live: Live | None
    """Where pages that renew themselves are served; None likewise."""
    on_switched: Callable[[], Deferred[None]]
    """To be called when a service was paused or let go on; fires when it has been."""
    lifetime: Lifetime
    """How long somebody stays logged in."""
    talkers: Mapping[str, MenuTalker] = MappingProxyType({})
    """By USSD line."""

    @property
    def scribe(self) -> Scribe:
        """Who writes the audit log."""
        return Scribe(self.ids)

    @property
    def utilities(self) -> Mapping[str, str]:
        """The titles of utilities by the keys of their data, in the order of the lines."""
        return {mind.profile.utility: mind.profile.title for mind in self.minds.values()}

    def lines_of(self, utilities: Collection[str] | None) -> frozenset[str] | None:
        """The lines, dialled ones too, that these utilities have; None: every one."""
        if utilities is None:
            return None
        texted = {line for line, mind in self.minds.items() if mind.utility in utilities}
        dialled = {line for line, each in self.talkers.items() if each.utility in utilities}
        return frozenset(texted | dialled)

    def mind_of(self, utility: str) -> LineMind | None:
        """What speaks for a utility on the first of its texted lines; None where it has none."""
        return next((each for each in self.minds.values() if each.utility == utility), None)

    def utility_of(self, line: str) -> str | None:
        """The utility that a line serves; None for a line that the settings no longer have."""
        mind = self.minds.get(line) or self.talkers.get(line)
        return mind.utility if mind else None
