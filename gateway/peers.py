"""The other daemons on the same database, and what is shared with them.

They share the rate of each bind, and take over what those were to send that are gone.
Says once a second that this daemon lives, on a thread of its own: nothing that keeps the
database's other threads busy makes the others believe that it is dead. On SQLite there are no
others, and nothing to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any, NamedTuple

import structlog
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.python.failure import Failure

from core.batch import Desk
from core.database import Database, DatabaseUnavailable
from core.nodes import (
    LAPSE_MS,
    WHOLE,
    Beaten,
    Me,
    Peer,
    beat,
    is_still,
    leave,
    take_over,
    taken_from,
)
from core.nodes.number import Node, NodeTaken
from gateway.outbound import Clock, Sends

log = structlog.get_logger(__name__)

_Steps = Generator[Deferred[Any], Any, None]


class Threads(NamedTuple):
    """Where blocking work is done: ``in_…(function, *arguments)``."""

    in_own: Callable[..., Deferred[Any]]
    """On a thread that nothing else uses."""
    in_writer: Callable[..., Deferred[Any]]
    """On the one that writes to the outbox."""


class Peers:
    """This daemon among those that share its database; called on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        me: Me,
        database: Database,
        node: Node,
        desk: Desk,
        senders: Mapping[str, Sends],
        *,
        threads: Threads,
        clock: Clock,
        lease: float,
        binds_up: Callable[[], Collection[str]],
        on_more: Callable[[], object],
        on_taken: Callable[[], object],
        now_ms: Callable[[], int | None] = lambda: None,
    ) -> None:
        """``lease``: seconds for which who is not heard of keeps what it was to send.

        ``on_more``: there is more to send, or a greater share of a rate to send it at;
        ``on_taken``: our node number is another daemon's. ``now_ms``: what counts as the time
        of all of them, the database's own where it says nothing.
        """
        self.me = me
        self._desk = desk
        self._database = database
        self._node = node
        self._senders = senders
        self._threads = threads
        self._clock = clock
        self._lease = lease
        self._binds_up = binds_up
        self._on_more = on_more
        self._on_taken = on_taken
        self._now_ms = now_ms
        self._beating: Deferred[None] | None = None
        self._again = False
        self._taking: set[int] = set()
        self._is_stopping = False
        self._unheard_at = -math.inf
        """When a beat failed the last time."""
        self._heard_since: float | None = None
        """From when on the database has answered each beat."""
        self.others: tuple[Peer, ...] = ()
        """The others, as they were at the last beat."""

    def join(self) -> None:
        """Say for the first time that we live, before anything else is done; blocks."""
        if not self._database.is_sqlite:
            self._database.transact("nodes.join", beat, self.me, {}, self._now_ms())

    def beat(self) -> Deferred[None]:
        """Say that we live and which binds are up; called each second, and when one is."""
        if self._database.is_sqlite or self._is_stopping:
            return succeed(None)
        if self._beating is not None:
            self._again = True
            return self._beating
        self._again = False
        beating = self._beating = self._beat()
        beating.addErrback(self._failed)
        beating.addBoth(self._ended)
        return beating

    @inlineCallbacks
    def _beat(self) -> _Steps:
        up = self._binds_up()
        for name, sender in self._senders.items():
            if name not in up:
                # Others may send at this rate from now on.
                sender.turn.give(0, 0)
        applied = {name: self._applied(name) for name in up}
        began = self._clock.seconds()
        done: Beaten = yield self._threads.in_own(self._say, applied)
        self._share(done, applied, began + LAPSE_MS / 1000)
        self._tell_of(done.others)
        self.others = done.others
        if done.is_new:
            yield self._ask_what_is_left()
        for sender in self._senders.values():
            sender.turn.lease(began + self._lease)
        if self._heard_since is None:
            self._heard_since = began
        self._know(done.others, began)
        # Whoever lives has had the time to say so, if we have been heard for that long.
        if began - self._heard_since >= self._lease:
            for peer in done.others:
                if peer.unseen_ms >= self._lease * 1000 and peer.taken_over_at is None:
                    self._take_over(peer)

    def _know(self, others: Collection[Peer], began: float) -> None:
        """Tell batches who may die. After an outage each has its lock again a moment later."""
        heard_for = began - self._unheard_at
        living = {peer.node: peer.started_at for peer in others if peer.is_alive}
        self._desk.beside.set(living if heard_for >= LAPSE_MS / 1000 else {})

    def _applied(self, bind: str) -> int:
        sender = self._senders.get(bind)
        return round(sender.turn.share * WHOLE) if sender and sender.turn.is_shared else 0

    def _say(self, applied: Mapping[str, int]) -> Beaten:
        try:
            self._node.hold()
        except NodeTaken as taken:
            # Perhaps only by our own session, of which the server does not know that it ended.
            if self._database.read("nodes.look", is_still, self.me):
                raise DatabaseUnavailable(str(taken)) from taken
            raise
        return self._database.transact("nodes.beat", beat, self.me, applied, self._now_ms())

    def _share(self, done: Beaten, applied: Mapping[str, int], lapses_at: float) -> None:
        has_grown = False
        for bind, share in done.shares.items():
            sender = self._senders.get(bind)
            if sender and sender.turn.is_shared:
                sender.turn.give(share / WHOLE, lapses_at)
                has_grown |= share > applied[bind]
        if has_grown:
            self._on_more()
        # Who waits for a part of ours is to have it now.
        self._again |= done.shrinks(applied)

    def _tell_of(self, others: Collection[Peer]) -> None:
        before = {(peer.node, peer.started_at) for peer in self.others if peer.is_alive}
        now = {(peer.node, peer.started_at): peer for peer in others if peer.is_alive}
        silent = {(peer.node, peer.started_at) for peer in others if not peer.is_alive}
        for key in before - now.keys():
            if key in silent:
                log.warning("peers.gone", node=key[0])
            else:
                log.info("peers.left", node=key[0])
        for key in now.keys() - before:
            log.info("peers.joined", node=key[0], host=now[key].host)

    @inlineCallbacks
    def _ask_what_is_left(self) -> _Steps:
        """Others may have taken what we had in hand, since we were not heard of."""
        queued = [key for sender in self._senders.values() for key in sender.queued]
        taken = yield self._threads.in_own(
            self._database.read, "nodes.taken", taken_from, self.me.node, queued
        )
        if taken:
            log.warning("peers.given_up", messages=len(taken))
        for sender in self._senders.values():
            sender.disown(taken)

    def _take_over(self, gone: Peer) -> None:
        """Beside the beats: they do not wait for the thread that writes."""
        if gone.node in self._taking:
            return
        self._taking.add(gone.node)
        now = int(self._clock.seconds() * 1000)
        done = self._threads.in_writer(
            self._database.transact,
            "nodes.take_over",
            take_over,
            gone,
            now,
            now - self._desk.suspect_ms,
        )
        done.addCallback(self._taken_over, gone)
        done.addErrback(self._failed)
        done.addBoth(lambda _: self._taking.discard(gone.node))

    def _taken_over(self, messages: int | None, gone: Peer) -> None:
        if messages is not None:
            log.warning("peers.taken_over", node=gone.node, messages=messages)
            self._on_more()

    def _failed(self, failure: Failure) -> None:
        if failure.check(NodeTaken):
            log.critical("peers.node_taken", node=self.me.node, error=failure.getErrorMessage())
            self._is_stopping = True
            for sender in self._senders.values():
                sender.turn.lease(0)
            self._on_taken()
        elif failure.check(DatabaseUnavailable):
            if self._heard_since is not None:
                log.warning("peers.unheard", error=failure.getErrorMessage())
        else:
            log.critical("peers.crashed", failure=failure.getTraceback())
        self._heard_since = None
        self._unheard_at = self._clock.seconds()
        self._desk.beside.set({})

    def _ended(self, _result: object) -> None:
        self._beating = None
        if self._again:
            self.beat()

    @inlineCallbacks
    def stop(self) -> _Steps:
        """Free what is ours; done when the others can see it."""
        if self._database.is_sqlite or self._is_stopping:
            return
        self._is_stopping = True
        for sender in self._senders.values():
            sender.turn.give(0, 0)
        if self._beating is not None:
            yield self._beating
        try:
            yield self._threads.in_own(self._database.transact, "nodes.leave", leave, self.me)
        except DatabaseUnavailable as error:
            log.warning("peers.not_left", error=str(error))
