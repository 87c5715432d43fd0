"""Screens of USSD sessions on their way to the handsets, and what became of them.

A screen goes out on the connection that its input came on, else on another one of the same
bind or door. One that the network does not take for now is tried again for a few seconds:
later nobody looks at it any more, and the session times out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import structlog

from gateway.messages import Connection, Screen, SendResult, SendStatus
from gateway.outbound import Clock

log = structlog.get_logger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""The pause before each further attempt."""
_AGAIN = frozenset({SendStatus.THROTTLED, SendStatus.TEMPORARY, SendStatus.UNSENT})


class ToShow(NamedTuple):
    """A screen, and the connection to prefer for it."""

    connection: Connection | None
    door: str
    screen: Screen


@dataclass(slots=True)
class _UnderWay:
    shown: ToShow
    attempts: int


class Screens:
    """Shows screens, and counts what became of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connections: dict[str, list[Connection]] = {}
        self._under_way: dict[int, _UnderWay] = {}
        self._newest: dict[str, int] = {}
        """By mobile: the last of its screens that are under way."""
        self.counters: Counter[str] = Counter()
        """``shown``, ``retried``, ``dropped`` and ``uncertain`` screens."""

    def __len__(self) -> int:
        """How many have not come back."""
        return len(self._under_way)

    def bound(self, door: str, connection: Connection) -> None:
        """A connection of a bind or door is up."""
        self._connections.setdefault(door, []).append(connection)

    def lost(self, door: str, connection: Connection) -> None:
        """It has ended."""
        self._connections[door].remove(connection)

    def door_for(self, doors: Iterable[str]) -> str | None:
        """The first of these doors with a connection that is open."""
        return next((door for door in doors if self._open(door, None)), None)

    def show(self, screens: Sequence[ToShow]) -> None:
        """Write screens, those of one connection at once; each comes back through ``came_back``."""
        by_connection: dict[int, tuple[Connection, list[Screen]]] = {}
        for each in screens:
            connection = self._open(each.door, each.connection)
            if connection is None:
                self._drop(each.door, SendStatus.UNSENT)
                continue
            self._under_way.setdefault(each.screen.id, _UnderWay(each, 0)).attempts += 1
            self._newest[each.screen.mobile] = each.screen.id
            by_connection.setdefault(connection.id, (connection, []))[1].append(each.screen)
        for connection, own in by_connection.values():
            connection.show(own)

    def came_back(self, results: Sequence[SendResult]) -> None:
        """What became of screens that were written."""
        for screen_id, status, _smsc_id, _code in results:
            one = self._under_way.get(screen_id)
            if one is None:
                log.error("ussd.result_without_screen", screen=screen_id)
            elif status in _AGAIN and one.attempts <= len(RETRY_SECONDS):
                self.counters["retried"] += 1
                self._clock.callLater(RETRY_SECONDS[one.attempts - 1], partial(self._again, one))
            else:
                self._forget(one.shown.screen)
                if status is SendStatus.ACCEPTED:
                    self.counters["shown"] += 1
                else:
                    self._drop(one.shown.door, status)

    def _again(self, one: _UnderWay) -> None:
        connection, door, screen = one.shown
        # A later screen of the same handset must not be covered by this one.
        is_newest = self._newest.get(screen.mobile) == screen.id
        if is_newest and self._open(door, connection) is not None:
            self.show([one.shown])
        else:
            self._forget(screen)
            self._drop(door, SendStatus.UNSENT)

    def _forget(self, screen: Screen) -> None:
        del self._under_way[screen.id]
        if self._newest.get(screen.mobile) == screen.id:
            del self._newest[screen.mobile]

    def _drop(self, door: str, status: SendStatus) -> None:
        is_uncertain = status is SendStatus.UNCERTAIN
        self.counters["uncertain" if is_uncertain else "dropped"] += 1
        log.warning("ussd.screen_dropped", bind=door, result=status.value)

    def _open(self, door: str, preferred: Connection | None) -> Connection | None:
        if preferred is not None and preferred.is_open:
            return preferred
        return next((each for each in self._connections.get(door, ()) if each.is_open), None)
