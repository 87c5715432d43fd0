"""Several daemons on one database: a bind's rate is for all of them, and nobody's work is lost."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select, text
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from core.batch import Desk
from core.database import Database
from core.nodes import LAPSE_MS, Me, leave
from core.nodes.beside import Beside
from core.nodes.leader import Leadership
from core.nodes.number import Node, NodeTaken
from core.outbox import Answer, Outgoing, Result, Sent, State, store_answers
from core.results import store_results
from core.sending import claim
from core.tables import nodes, outbox
from gateway.messages import OutboundSms, Screen, SendResult, SendStatus, Temporary
from gateway.outbound import Sender, SenderSettings
from gateway.peers import Peers, Threads

BIND, LINE = "mci", "100034122"
RATE = 100.0
LEASE = 30.0
_rows = count(1)


def at_once(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    """The thread of a test."""
    return maybeDeferred(function, *arguments)


class Member:
    """One of several daemons: its bind, and an operator that takes whatever it sends."""

    id = 1
    is_open = True
    acknowledged = confirmed = 0

    def __init__(self, database: Database, clock: Clock, *, shift: float = 0.0) -> None:
        self.clock = clock
        self.database = database
        self.shift = shift
        self.node = Node(database)
        self.gone: list[float] = []
        self.settled: list[Sent] = []
        self.is_up = True
        self.lost_number = False
        self.desk = cast("Desk", SimpleNamespace(beside=Beside(), suspect_ms=3_600_000))
        settings = SenderSettings(BIND, BIND, 50, RATE, receipts=True, shared=True)
        self.sender = Sender(settings, clock, self._settled)
        me = Me(self.node.number, round(clock.seconds() * 1000), "1", "host")
        self.peers = Peers(
            me,
            database,
            self.node,
            self.desk,
            {BIND: self.sender},
            threads=Threads(at_once, at_once),
            clock=clock,
            lease=LEASE,
            binds_up=lambda: [BIND] if self.is_up else [],
            on_more=lambda: None,
            on_taken=self._number_lost,
            now_ms=lambda: round(clock.seconds() * 1000),
        )
        self.peers.join()
        self.sender.bound(self)
        self._next_beat = clock.seconds()

    def _number_lost(self) -> None:
        self.lost_number = True

    def _settled(self, _bind: str, sent: Sequence[Sent]) -> None:
        self.settled += sent
        self.sender.committed(len(sent))

    def step(self) -> None:
        """Beat when it is time to, and never have nothing to send."""
        if self.clock.seconds() >= self._next_beat + self.shift:
            self._next_beat += 1.0
            self.peers.beat()
        if len(self.sender.queued) < self.sender.room:
            self.sender.hand_over([row(next(_rows)) for _ in range(self.sender.room)])
        self.sender.pump()

    def kill(self) -> None:
        """End as a process does that is killed."""
        self.is_up = False
        self.sender.stop()
        self.node.release()

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Take them."""
        self.gone += [self.clock.seconds()] * len(messages)
        self.sender.sent([SendResult(sms.id, SendStatus.ACCEPTED, "", 0) for sms in messages])

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Not used here."""

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Not used here."""

    def show(self, screens: Sequence[Screen]) -> None:
        """Not used here."""

    def pause_reading(self) -> None:
        """Not used here."""

    def resume_reading(self) -> None:
        """Not used here."""


def row(key: int) -> Outgoing:
    """A message to send."""
    return Outgoing(key, "989131234567", LINE, "سلام", 1, 1, key, 5, 0, 3, True, None)  # noqa: FBT003


@pytest.fixture
def join(postgresql_database: Database) -> Iterator[Callable[..., Member]]:
    """Let a daemon join: ``join(clock, shift=…)``; each beats at a moment of its own."""
    members: list[Member] = []

    def make(clock: Clock, *, shift: float = 0.0) -> Member:
        members.append(Member(postgresql_database, clock, shift=shift))
        return members[-1]

    yield make
    for member in members:
        member.kill()


def go(clock: Clock, members: Sequence[Member], seconds: float) -> None:
    """Let time pass, ten milliseconds at a time."""
    for _ in range(round(seconds * 100)):
        for member in members:
            member.step()
        clock.advance(0.01)


def most_in(seconds: float, gone: Sequence[float]) -> int:
    """The most that went within any stretch of so many seconds."""
    times = sorted(gone)
    return max(bisect_left(times, at + seconds) - place for place, at in enumerate(times))


def test_a_rate_is_for_all_daemons_together(join: Callable[..., Member]) -> None:
    """Whoever joins, dies or comes back: no minute has more, and all of it is used."""
    clock = Clock()
    clock.advance(1_000)
    first = join(clock)
    members = [first]
    go(clock, members, 70)
    assert 5_940 <= most_in(60, first.gone) <= 6_060
    second, third = join(clock, shift=0.35), join(clock, shift=0.7)
    members += [second, third]
    go(clock, members, 3)
    before = [len(member.gone) for member in members]
    go(clock, members, 60)
    shares = [len(member.gone) - was for member, was in zip(members, before, strict=True)]
    assert all(1_980 <= share <= 2_020 for share in shares)
    assert 5_940 <= sum(shares) <= 6_060
    assert first.desk.beside.nodes == (second.node.number, third.node.number)
    members.remove(second)
    second.kill()
    go(clock, members, LAPSE_MS / 1000 + 2)
    before = [len(member.gone) for member in members]
    go(clock, members, 30)
    shares = [len(member.gone) - was for member, was in zip(members, before, strict=True)]
    assert all(1_485 <= share <= 1_515 for share in shares)
    # Back before anybody took over what it had; it does not count twice.
    members.append(join(clock, shift=0.35))
    go(clock, members, 10)
    third.is_up = False
    go(clock, members, 2)
    third.is_up = True
    go(clock, members, 60)
    gone = [at for member in {*members, second} for at in member.gone]
    assert most_in(60, gone) <= 6_060
    assert len([peer for peer in first.peers.others if peer.is_alive]) == 2


def test_who_cannot_reach_the_database_sends_at_no_rate(join: Callable[..., Member]) -> None:
    """Its share is somebody else's by then."""
    clock = Clock()
    clock.advance(1_000)
    cut, other = join(clock), join(clock)
    go(clock, [cut, other], 5)
    before = len(cut.gone)
    cut._next_beat = float("inf")
    go(clock, [cut, other], LAPSE_MS / 1000 + 2)
    assert len(cut.gone) - before <= RATE / 2 * LAPSE_MS / 1000 + 1
    went = len(cut.gone)
    before = len(other.gone)
    go(clock, [cut, other], 10)
    assert len(cut.gone) == went
    assert len(other.gone) - before >= 990


def hand_over(database: Database, node: int, keys: Sequence[int], now: int) -> None:
    """Answers that this node is sending."""
    answers = [Answer([key], 1, "989131234567", LINE, ["سلام"], None, now, BIND) for key in keys]
    database.transact("hand over", store_answers, answers, node)


def states(database: Database) -> dict[int, tuple[str, int | None]]:
    """Each row's state and node."""

    def read(connection: Connection) -> dict[int, tuple[str, int | None]]:
        rows = connection.execute(select(outbox.c.id, outbox.c.state, outbox.c.node))
        return {key: (state, node) for key, state, node in rows}

    return database.read("states", read)


def test_what_a_silent_daemon_had_is_sent_by_another_and_not_by_both(
    postgresql_database: Database, join: Callable[..., Member]
) -> None:
    """It was stopped, not dead: when it goes on it sends none of what was taken over."""
    clock = Clock()
    clock.advance(1_000)
    database = postgresql_database
    now = round(clock.seconds() * 1000)
    stopped, other = join(clock), join(clock)
    stopped.peers.beat()
    other.peers.beat()
    hand_over(database, stopped.node.number, [10, 11], now)
    sent = len(stopped.gone)
    stopped.sender.hand_over([row(10), row(11)])
    for _ in range(round(LEASE)):
        assert states(database)[10] == (State.SENDING, stopped.node.number)
        clock.advance(1)
        other.peers.beat()
    assert states(database) == {10: (State.QUEUED, None), 11: (State.QUEUED, None)}
    later = round(clock.seconds() * 1000)
    (taken,) = database.transact("claim", claim, other.node.number, [LINE], 1, later)

    stopped.sender.pump()
    stopped.peers.beat()
    clock.advance(1)
    stopped.peers.beat()
    stopped.sender.pump()
    assert len(stopped.gone) == sent
    # What it says of them does not count any more.
    assert {one.row.id for one in stopped.settled} == {10, 11}
    database.transact("results", store_results, stopped.settled, later, stopped.node.number)
    assert states(database)[taken.id] == (State.SENDING, other.node.number)
    accepted = [Sent(taken, Result.ACCEPTED, BIND, "1", 0)]
    database.transact("results", store_results, accepted, later, other.node.number)
    assert states(database)[taken.id] == (State.ACCEPTED, None)


def test_after_an_outage_everybody_has_the_time_to_come_back(
    postgresql_database: Database, join: Callable[..., Member]
) -> None:
    """Who is first to reach the database again takes nothing from those who live as well."""
    clock = Clock()
    clock.advance(1_000)
    first, other = join(clock), join(clock)
    go(clock, [first, other], 2)
    hand_over(postgresql_database, other.node.number, [10], round(clock.seconds() * 1000))
    url, first.peers._database = first.peers._database, Database("postgresql:///nowhere?host=/")
    first.peers.beat()
    clock.advance(LEASE + 5)
    first.peers._database.close()
    first.peers._database = url
    first.peers.beat()
    clock.advance(1)
    first.peers.beat()
    assert states(postgresql_database)[10] == (State.SENDING, other.node.number)


def soon(condition: Callable[[], object]) -> None:
    """The server lets go of a lock a moment after its session has ended."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline


def end_sessions(database: Database, space: int) -> None:
    """End the database's sessions that hold a lock, as a server does that is restarted."""

    def end(connection: Connection) -> None:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND classid = :space AND database = (SELECT oid FROM pg_database "
                "WHERE datname = current_database())"
            ),
            {"space": space},
        )

    database.transact("end", end)


def test_a_daemon_whose_number_another_one_took_ends(
    postgresql_database: Database, join: Callable[..., Member]
) -> None:
    """Two of one number would take each other's messages for their own."""
    clock = Clock()
    clock.advance(1_000)
    old = join(clock)
    go(clock, [old], 1)
    end_sessions(postgresql_database, 0x7065796C)
    clock.advance(1)
    new = join(clock)
    while new.node.number != old.node.number:
        new.kill()
        new = join(clock)
    went = len(old.gone)
    old.peers.beat()
    old.step()
    assert old.lost_number
    assert len(old.gone) == went


def test_its_own_session_that_the_server_has_not_missed_is_no_other_daemon(
    postgresql_database: Database, join: Callable[..., Member]
) -> None:
    """The lock is still held by a connection that has broken: it is waited for."""
    clock = Clock()
    clock.advance(1_000)
    member = join(clock)
    ghost, member.node._connection = member.node._connection, None
    member.peers.beat()
    assert not member.lost_number
    assert ghost is not None
    ghost.invalidate()
    ghost.close()
    soon(lambda: member.peers.beat() and member.node._connection)


def test_one_scheduler_at_a_time(postgresql_database: Database) -> None:
    """Whose session ends is replaced, knows it, and never leads beside another."""
    one, two = Leadership(postgresql_database), Leadership(postgresql_database)
    assert (one.hold(), two.hold()) == (True, False)
    end_sessions(postgresql_database, 0x7065796D)
    assert (two.hold(), one.hold()) == (True, False)
    assert (two.hold(), one.hold()) == (True, False)
    two.release()
    soon(one.hold)
    one.release()


def test_who_ends_in_order_leaves_nothing(
    postgresql_database: Database, join: Callable[..., Member]
) -> None:
    """Its share is free at once, and nobody misses it."""
    clock = Clock()
    clock.advance(1_000)
    first, second = join(clock), join(clock)
    go(clock, [first, second], 3)
    second.peers.stop()
    second.kill()
    go(clock, [first], 1.1)
    assert first.sender.turn.share == 1
    assert first.peers.others == ()
    postgresql_database.transact("leave", leave, first.peers.me)
    count_nodes = select(nodes.c.node)
    assert not postgresql_database.read("nodes", lambda c: c.execute(count_nodes).all())


def test_on_sqlite_a_second_daemon_does_not_start(sqlite_database: Database) -> None:
    """On SQLite there is one daemon: the second one says why it does not start."""
    first = Node(sqlite_database)
    with pytest.raises(NodeTaken, match=r"another daemon is running on .*use PostgreSQL"):
        Node(sqlite_database)
    first.release()
    Node(sqlite_database).release()
