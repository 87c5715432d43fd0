"""Whatever comes in whatever order, again and after restarts: nothing twice, nobody is stuck."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Database
from core.dialogues.types import Event, Input
from core.ids import IdMaker
from core.recovery import recover_after_start
from core.secrecy import Keys
from core.suspects import Unconfirmed
from core.tables import outbox
from tests.conftest import Clock
from tests.talkers import CODE, TIMEOUT_MS
from tests.unit.core.dialogues.conftest import Handsets, screens

DIALS = st.tuples(st.just(Event.BEGIN), st.sampled_from([CODE, "*1522*text#"]))
KEYS = st.tuples(st.just(Event.ANSWER), st.sampled_from(["x", "text", "1", "two", "bye"]))
ENDS = st.tuples(st.sampled_from([Event.ABORT, Event.TIMEOUT, Event.CONFIRM]), st.just(""))
INPUTS = st.one_of(DIALS, KEYS, KEYS, ENDS)
AGAIN = st.tuples(st.just("again"), st.integers(1, 6))
"""One of the last inputs is delivered again."""
PASSING = st.tuples(st.just("pass"), st.sampled_from([1, TIMEOUT_MS // 1000, 60]))
RESTART = st.tuples(st.just("restart"), st.just(0))
DOINGS = st.lists(st.one_of(INPUTS, INPUTS, AGAIN, AGAIN, PASSING, RESTART), max_size=12)

_fingerprints = count(1)
_mobiles = count(989_170_000_000)


class Rig:
    """One mobile, and a network that delivers again what may not have been acknowledged."""

    def __init__(self, handsets: Handsets, *, turns: bool) -> None:
        self.handsets = handsets
        self.mobile = str(next(_mobiles))
        self.turns = turns
        self.session = "0"
        self.came: list[Input] = []
        self.stored_as: dict[int, int] = {}

    def input(self, event: Event, text: str) -> None:
        """Something new comes."""
        if event is Event.BEGIN:
            self.session = str(int(self.session) + 1)
        turn = str(len(self.came) + 1) if self.turns else ""
        one = self.handsets.make(event, text, mobile=self.mobile, session=self.session, turn=turn)
        one = one._replace(fingerprint=next(_fingerprints))
        self.came.append(one)
        self.handsets.run(one)

    def again(self, back: int) -> None:
        """Something comes that came before."""
        for one in self.came[-back : len(self.came) - back + 1]:
            lost = Unconfirmed(one.id, one.door, one.fingerprint, one.received_at)
            same = one._replace(id=self.handsets.desk.ids.one(), connection=2)
            is_last = one is self.came[-1]
            # The last one of a network that marks its inputs is known without suspicion.
            unconfirmed = [] if self.turns and is_last and self._is_known(one) else [lost]
            self.handsets.run(same, unconfirmed=unconfirmed)

    def _is_known(self, one: Input) -> bool:
        return any(
            row.mobile == self.mobile and row.last_input_id == one.id and row.ended_at is None
            for row in self.handsets.sessions
        )

    def restart(self) -> None:
        """Another process has nothing but the database."""
        old = self.handsets.desk
        self.handsets.desk = replace(old, ids=IdMaker(0, self.handsets.clock))
        desk, now = self.handsets.desk, self.handsets.clock()
        self.handsets.database.transact("recover", recover_after_start, desk, now)


@given(doings=DOINGS, turns=st.booleans())
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_is_done_twice_and_nobody_is_stuck(
    sqlite_database: Database,
    keys: Keys,
    doings: list[tuple[object, object]],
    turns: bool,  # noqa: FBT001 - drawn
) -> None:
    """Each input is worked on at most once, and a new dial always gets a screen."""
    handsets = Handsets(sqlite_database, keys, Clock())
    handsets.desk = replace(handsets.desk, limits=handsets.no_limits)
    rig = Rig(handsets, turns=turns)
    rig.restart()  # ids go on where the last example has left them
    for doing, what in doings:
        match doing, what:
            case Event(), str():
                rig.input(doing, what)
            case "again", int():
                rig.again(what)
            case "pass", int():
                handsets.clock.advance(what)
                handsets.tidy()
            case _:
                rig.restart()
    steps = [step for step in handsets.steps if step.mobile == rig.mobile]
    assert len({step.fingerprint for step in steps}) == len(steps)
    texts = {row.inbox_id for row in handsets.rows(outbox) if row.mobile == rig.mobile}
    assert texts <= {step.id for step in steps}
    sent = [row for row in handsets.rows(outbox) if row.mobile == rig.mobile]
    assert len(sent) == 2 * len(texts)
    assert len(screens(handsets.run(handsets.make(Event.BEGIN, CODE, mobile=rig.mobile)))) == 1
