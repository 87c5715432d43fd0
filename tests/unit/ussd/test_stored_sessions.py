"""Sessions of a shipped menu on a real database: whatever comes, comes again or is cut off."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from core import demo
from core.batch import Batch, Desk, Done
from core.database import Database
from core.dialogues.limits import Limits
from core.dialogues.types import Event, Input
from core.ids import IdMaker
from core.running import run
from core.secrecy import Keys
from core.suspects import Unconfirmed
from core.tables import readings, ussd_sessions, ussd_steps
from gateway.ussd.state import State, restored
from tests.conftest import NOW_MS, Clock
from tests.walks import CODE, talker_of

NAME: Final = "lorestan-water"
TALKER: Final = talker_of(NAME)
OWNER: Final = "989131111111"
"""Registered to the subscription at place 2 of the sample."""
NUMBER: Final = demo.number_of(1, NAME)
SECRET: Final = demo.code_of(int(NUMBER), NAME)
PATHS: Final = (
    "2*1", "3*2*1520", f"3*2*{NUMBER}*{SECRET}*1520", f"3*1*{NUMBER}*{SECRET}*1600", "1*1", "4*1*2",
    f"2*1*{NUMBER}*0000", "7", "",
)  # fmt: skip
ACTION: Final = st.one_of(
    st.tuples(st.just("dial"), st.sampled_from(PATHS)),
    st.tuples(
        st.just("type"),
        st.sampled_from(["1", "1", "1", "0", "00", "9", "2", NUMBER, SECRET, "1520", "99999", "x"]),
    ),
    st.tuples(
        st.sampled_from(["turn", "suspect", "abort", "timeout", "restart", "wait"]), st.just("")
    ),
)


class Line:
    """One mobile on a line of the menu; each batch may be another daemon's."""

    def __init__(self, database: Database, keys: Keys, clock: Clock) -> None:
        self.database, self.keys, self.clock = database, keys, clock
        self.ids = IdMaker(0, clock)
        self.mobile = ""
        self.session = 0
        self.last: Input | None = None
        self.restart()

    def restart(self) -> None:
        """Nothing is known but what is stored."""
        talkers = {CODE: TALKER}
        limits = Limits(sessions=10**6, dials_per_minute=10**6, inputs_per_minute=10**6)
        self.desk = Desk(
            0, self.ids, self.keys, {}, lambda _bind, _parts: "", talkers=talkers, limits=limits
        )

    def hear(self, event: Event, text: str = "", again: Input | None = None, **batch: Any) -> Done:
        """One input."""
        number = self.ids.one()
        made = again._replace(id=number) if again else Input(
            number, self.clock(), "mci", 1, str(self.session), CODE, self.mobile, event, text,
            str(number), number % 2**60,
        )  # fmt: skip
        self.last = again or made
        return run(self.database, self.desk, Batch(inputs=[made], now=self.clock(), **batch))

    def count(self, table: Any, *conditions: Any) -> int:
        """How many rows there are."""
        query = select(func.count()).select_from(table).where(*conditions)
        return self.database.read("test", lambda c: int(c.execute(query).scalar_one()))

    @property
    def state(self) -> State:
        """Where the mobile's session is."""
        query = select(ussd_sessions.c.state).where(
            ussd_sessions.c.mobile == self.mobile, ussd_sessions.c.ended_at.is_(None)
        )
        text = self.database.read("test", lambda c: c.execute(query).scalar())
        return restored(text).state if text else State.OVER


def test_whatever_is_delivered_nothing_is_stuck_or_booked_twice(
    database: Database, keys: Keys, now_ms: Clock
) -> None:
    """Redelivered, cut off, restarted: what was not confirmed is not booked."""
    assert now_ms() == NOW_MS
    demo.fill(database, keys, utility=NAME, subscribers=5, today=date(2026, 9, 21))
    line = Line(database, keys, now_ms)
    mobiles = iter(range(10**7))

    @settings(max_examples=40)
    @given(owned=st.booleans(), actions=st.lists(ACTION, max_size=10))
    def walked(*, owned: bool, actions: list[tuple[str, str]]) -> None:
        line.mobile = OWNER if owned else f"98916{next(mobiles):07}"
        booked = line.count(readings, readings.c.source == "ussd")
        confirmed = 0
        for what, text in [("dial", ""), *actions]:
            confirmed += _do(line, what, text)
        assert line.count(readings, readings.c.source == "ussd") - booked <= confirmed
        line.session += 1
        (shown,) = line.hear(Event.BEGIN, "*1522*7#").screens
        assert TALKER.menus.own.words.no_item in shown.text
        assert line.count(ussd_steps, ussd_steps.c.error.is_not(None)) == 0
        assert line.count(ussd_steps, ussd_steps.c.text.contains(SECRET)) == 0

    walked()


def _do(line: Line, what: str, text: str) -> int:
    """Do it; 1 when it may have confirmed something."""
    line.clock.advance(1)
    last = line.last
    if what == "restart":
        line.restart()
    elif what == "wait":
        line.clock.advance(200)
    elif what in {"turn", "suspect"} and last is not None:
        lost = Unconfirmed(last.id, "mci", last.fingerprint, last.received_at)
        again = last if what == "turn" else last._replace(turn="", connection=2)
        done = line.hear(last.event, again=again, unconfirmed=[lost] if what == "suspect" else [])
        assert all(TALKER.rules.size.fits(shown.text) for shown in done.screens)
    elif what in {"abort", "timeout"}:
        assert not line.hear(Event(what)).screens
    elif text == SECRET and line.state is State.QUESTION:
        # As a reading it is one: nobody can tell that it was meant for a code.
        return 0
    else:
        is_dial = what == "dial"
        line.session += is_dial
        confirms = line.state is State.CONFIRM and not is_dial and text == "1"
        path = "*".join(filter(None, (CODE.removesuffix("#"), text))) + "#"
        done = line.hear(Event.BEGIN if is_dial else Event.ANSWER, path if is_dial else text)
        (shown,) = done.screens
        assert shown.text
        assert TALKER.rules.size.fits(shown.text)
        return int(confirms)
    return 0
