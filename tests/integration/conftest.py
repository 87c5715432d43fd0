"""Inbound and outbound on a real database, with connections that are lists in memory.

Time is Twisted's ``Clock``, and the database's "thread" runs what it is given at once, or
when a test says so: every order of events can be had, and none takes time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, TypeVar

import pytest
from sqlalchemy import Table, select
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from core.batch import Desk
from core.calls import Call, Candidate, Outcome, Problem, Understanding
from core.database import Database, DatabaseUnavailable
from core.dialogues.limits import Limits
from core.dialogues.types import Talker
from core.ids import IdMaker
from core.inbox import Part
from core.outbox import Sent
from core.recovery import InHand, recover_after_outage, recover_after_start, tidy
from core.secrecy import Keys
from core.sending import claim_for_each
from core.tables import inbox, outbox
from core.terms import Terms
from gateway.inbound import Inbound
from gateway.messages import (
    Delivery,
    DeliveryState,
    InboundSms,
    OutboundSms,
    PartOf,
    Receipt,
    Screen,
    SendResult,
    SendStatus,
    Temporary,
    UssdEvent,
    UssdInput,
)
from gateway.outbound import Router, Sender, SenderSettings
from tests.conftest import NOW_MS, without_waiting_for_the_disk
from tests.talkers import CODE, FakeTalker

LINE, MOBILE = "100034122", "989131234567"
POISON = "poison 4321"
BLOCKED = frozenset({0x401})
"""By which the operator says that a mobile is on its block list; receipts say 077."""
T = TypeVar("T")

_connections = count(1)


class FakeConnection:
    """Implements ``messages.Connection``: remembers what is written."""

    def __init__(self, bind: str) -> None:
        self.id = next(_connections)
        self.bind = bind
        self.is_open = True
        self.acknowledged = 0
        self.confirmed = 0
        self.answers: dict[int, int] = {}
        """By the delivery's sequence: the command_status of its answer."""
        self.submitted: list[OutboundSms] = []
        self.unanswered: deque[tuple[int, int]] = deque()
        """Of each submission: the row, and how many deliveries were answered before it."""
        self.is_reading = True
        self.gives_back: Callable[[list[SendResult]], None] = list.clear
        self.screens: list[Screen] = []
        """What handsets were shown on it."""
        self.gives_back_screens: Callable[[list[SendResult]], None] = list.clear

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Answer with ESME_ROK."""
        self._answer(sequences, 0)

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Answer with a temporary error."""
        self._answer(sequences, why.value)

    def _answer(self, sequences: Sequence[int], status: int) -> None:
        if self.is_open:
            assert not self.answers.keys() & set(sequences), "answered twice"
            self.answers.update(dict.fromkeys(sequences, status))
            self.acknowledged += len(sequences)

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Take messages, or give them back at once."""
        if not self.is_open:
            self.gives_back([SendResult(sms.id, SendStatus.UNSENT, "", 0) for sms in messages])
            return
        self.submitted += messages
        self.unanswered.extend((message.id, self.acknowledged) for message in messages)

    def answer_enquire_link(self) -> None:
        """The operator shows that it has read everything until now."""
        self.confirmed = self.acknowledged

    def show(self, screens: Sequence[Screen]) -> None:
        """Take screens, or give them back at once."""
        if not self.is_open:
            self.gives_back_screens([SendResult(s.id, SendStatus.UNSENT, "", 0) for s in screens])
            return
        self.screens += screens

    def pause_reading(self) -> None:
        """Read no more."""
        self.is_reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self.is_reading = True


class FakeMind:
    """Implements ``core.batch.Mind``: everything is a call for help but ``POISON``."""

    utility = "water"
    terms = Terms()

    def __init__(self) -> None:
        self.parts = 1
        """How many parts an answer has."""
        self.calls: dict[str, Call] = {}
        """What texts other than cries for help ask for."""

    def understand(self, text: str) -> Understanding:
        """One reading, or none at all."""
        if text == POISON:
            raise RuntimeError("no mind can read this")
        call = self.calls.get(text, Call("help", {}))
        return Understanding((Candidate(call, text),), None, text)

    def choose(
        self, understanding: Understanding, supported: Callable[[Call], bool]
    ) -> Candidate | Problem:
        """The one reading."""
        return understanding.candidates[0]

    def reply(self, outcome: Outcome, language: str = "") -> Sequence[str]:
        """The outcome's own name, as often as there are parts."""
        return [outcome.kind] * self.parts


class FaultyDatabase(Database):
    """A database that can be made to fail, before its commits or right after them."""

    fails_before = False
    fails_after = 0
    """So many commits take effect and are not heard of."""

    def transact(self, name: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run and commit, or not."""
        if self.fails_before:
            raise DatabaseUnavailable("the server is gone")
        result = super().transact(name, function, *args, **kwargs)
        if self.fails_after:
            self.fails_after -= 1
            raise DatabaseUnavailable("the connection broke")
        return result


class World:
    """A daemon without a network: ``Inbound`` with its senders, wired as the app does it."""

    def __init__(  # noqa: PLR0913 - a test says only what it is about
        self,
        database: FaultyDatabase,
        keys: Keys,
        *,
        binds: Sequence[str] = ("main",),
        lines: Mapping[str, Sequence[str]] | None = None,
        window: int = 50,
        max_waiting: int = 10_000,
        clock: Clock | None = None,
        node: int = 0,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        panels: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """``panels``: by name, the codes of states that say that a mobile is blocked."""
        self.database = database
        self.clock = clock or _clock()
        self.mind = FakeMind()
        self.talker = FakeTalker()
        self.talkers: dict[str, Talker] = {CODE: self.talker}
        self.desk = Desk(
            node,
            IdMaker(node, self.now),
            keys,
            {LINE: self.mind},
            lambda _bind, parts: _joined(parts),
            talkers=self.talkers,
            limits=limits,
        )
        self.recovered = database.transact("recover", recover_after_start, self.desk, self.now())
        self.senders = {
            bind: Sender(
                SenderSettings(bind, "mci", window, 0, receipts=True, blocked_codes=BLOCKED),
                self.clock,
                self._settle,
            )
            for bind in binds
        }
        self.router = Router(self.senders, lines or {LINE: tuple(binds)})
        self.is_claiming = False
        self.held: deque[Callable[[], None]] | None = None
        self.inbound = Inbound(
            database,
            self.desk,
            self.router,
            profiles={LINE: "water"},
            clock=self.clock,
            in_thread=self.in_thread,
            recover=self._recover,
            smsc_of={**dict.fromkeys(binds, "mci"), "receiver": "mci", **{n: n for n in panels}},
            blocked_errors={**{bind: {"077"} for bind in binds}, **panels},
            max_waiting=max_waiting,
            on_queued=self.claim,
            is_claiming=lambda: self.is_claiming,
        )
        self._sequences = count(1)

    def now(self) -> int:
        """UTC milliseconds."""
        return int(self.clock.seconds() * 1000)

    def _settle(self, bind: str, sent: Sequence[Sent]) -> None:
        self.inbound.settle(bind, sent)

    def _recover(self, in_hand: InHand, now: int) -> None:
        self.database.transact("recover", recover_after_outage, self.desk.node, in_hand, now)

    # --- the database's thread ------------------------------------------------------

    def in_thread(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """Do it at once, or when it is released."""
        done: Deferred[T] = Deferred()

        def run() -> None:
            try:
                result = function(*args)
            except Exception:  # noqa: BLE001 - as a thread pool does
                done.errback()
            else:
                done.callback(result)

        if self.held is None:
            run()
        else:
            self.held.append(run)
        return done

    def hold(self) -> None:
        """From now on the database takes its time: until ``release``."""
        self.held = deque()

    def release(self) -> None:
        """The database has done what it was given, and is quick again."""
        held, self.held = self.held or deque(), None
        for run in held:
            run()

    def release_one(self) -> None:
        """The database has done the first thing it was given, and no more."""
        assert self.held
        self.held.popleft()()

    def claim(self) -> None:
        """Hand due rows to whoever is up, as the app does every second."""
        if self.inbound.database_error:
            return
        wanted = [(bind, lines, 100) for bind, lines in self.router.lines_of().items()]
        found = self.database.transact("claim", claim_for_each, 0, wanted, self.now())
        for bind, rows, _again, _hours in found:
            self.router.senders[bind].hand_over(rows)
            self.router.senders[bind].pump()
        if any(claimed.again for claimed in found):
            self.claim()

    def tidy(self) -> None:
        """What the app does every minute."""
        if self.database.transact("tidy", tidy, self.desk, self.now()).queued:
            self.claim()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in steps of the app's second, and claim what is due."""
        for _ in range(max(1, round(seconds))):
            self.clock.advance(min(1.0, seconds))
            self.claim()

    # --- the operator -----------------------------------------------------------------

    def bind(self, name: str = "main") -> FakeConnection:
        """A bind comes up."""
        connection = FakeConnection(name)
        connection.gives_back = lambda results: self.inbound.sent(name, connection, results)
        connection.gives_back_screens = lambda results: self.inbound.shown(
            name, connection, results
        )
        self.inbound.bound(name, connection)
        return connection

    def deliver(
        self,
        connection: FakeConnection,
        *texts: str,
        mobile: str = MOBILE,
        line: str = LINE,
        part: PartOf | None = None,
    ) -> list[int]:
        """Texts (or one part) come in one read; returns their sequences."""
        deliveries = [
            Delivery(
                next(self._sequences),
                InboundSms(mobile, line, 0, text.encode(), "" if part else text, part),
            )
            for text in texts
        ]
        self.inbound.arrived(connection.bind, connection, deliveries)
        return [delivery.sequence for delivery in deliveries]

    def receipt(
        self,
        connection: FakeConnection,
        smsc_id: str,
        state: DeliveryState,
        error: str = "000",
    ) -> int:
        """A receipt comes; returns its sequence."""
        sequence = next(self._sequences)
        delivery = Delivery(sequence, Receipt(smsc_id, state, error, self.now()))
        self.inbound.arrived(connection.bind, connection, [delivery])
        return sequence

    def dial(  # noqa: PLR0913 - what a network tells
        self,
        connection: FakeConnection,
        text: str,
        *,
        event: UssdEvent = UssdEvent.BEGIN,
        mobile: str = MOBILE,
        session: str = "1",
        turn: str = "",
        code: str = CODE,
    ) -> int:
        """A step of a USSD session comes; returns its sequence."""
        sequence = next(self._sequences)
        given = UssdInput(event, session, mobile, code, text, turn)
        self.inbound.arrived(connection.bind, connection, [Delivery(sequence, given)])
        return sequence

    def type(self, connection: FakeConnection, text: str, **about: Any) -> int:
        """Somebody types something; returns its sequence."""
        return self.dial(connection, text, event=UssdEvent.ANSWER, **about)

    def shown(
        self,
        connection: FakeConnection,
        status: SendStatus = SendStatus.ACCEPTED,
    ) -> list[str]:
        """The operator answers all screens so; returns what they show."""
        screens, connection.screens = connection.screens, []
        results = [SendResult(screen.id, status, "", 0) for screen in screens]
        self.inbound.shown(connection.bind, connection, results)
        return [screen.text for screen in screens]

    def respond(
        self,
        connection: FakeConnection,
        number: int | None = None,
        status: SendStatus = SendStatus.ACCEPTED,
        code: int = 0,
    ) -> None:
        """The operator answers the oldest submissions; None: all of them."""
        results = []
        for _ in range(len(connection.unanswered) if number is None else number):
            row_id, before = connection.unanswered.popleft()
            connection.confirmed = max(connection.confirmed, before)
            smsc_id = f"id{row_id}" if status is SendStatus.ACCEPTED else ""
            results.append(SendResult(row_id, status, smsc_id, code))
        self.inbound.sent(connection.bind, connection, results)

    def lose(self, connection: FakeConnection) -> None:
        """The connection breaks; of what was in flight nothing is known."""
        connection.is_open = False
        left = [SendResult(row, SendStatus.UNCERTAIN, "", 0) for row, _ in connection.unanswered]
        connection.unanswered.clear()
        if left:
            self.inbound.sent(connection.bind, connection, left)
        self.shown(connection, SendStatus.UNCERTAIN)
        self.inbound.lost(connection.bind, connection, "connection lost")

    # --- what is stored -----------------------------------------------------------------

    def rows(self, table: Table) -> list[Any]:
        """All rows of a table, in the order in which they came."""
        query = select(table).order_by(*table.primary_key.columns)
        return list(self.database.read("test", lambda connection: connection.execute(query).all()))

    @property
    def received(self) -> list[str]:
        """The states of all messages in the inbox."""
        return [row.state for row in self.rows(inbox)]

    @property
    def states(self) -> list[str]:
        """The states of all messages in the outbox."""
        return [row.state for row in self.rows(outbox)]


def _clock() -> Clock:
    clock = Clock()
    clock.rightNow = NOW_MS / 1000
    return clock


def _joined(parts: Sequence[Part]) -> str:
    return "".join(part.payload.decode() for part in parts)


Worlds = Callable[..., World]


@pytest.fixture
def faulty(database: Database) -> Iterator[FaultyDatabase]:
    """The database of this test, which can be made to fail."""
    url = database.url.render_as_string(hide_password=False)
    made = without_waiting_for_the_disk(FaultyDatabase(url))
    yield made
    made.close()


@pytest.fixture
def worlds(faulty: FaultyDatabase, keys: Keys) -> Worlds:
    """Make a daemon; another one on the same database is the next start after a kill."""

    def make(**settings: Any) -> World:
        return World(faulty, keys, **settings)

    return make


@pytest.fixture
def world(worlds: Worlds) -> World:
    """A daemon with one bind."""
    return worlds()
