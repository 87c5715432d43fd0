"""A door between its page and the daemon: who is answered what, and when."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from gateway.messages import (
    Connection,
    Delivery,
    Screen,
    ScreenKind,
    SendResult,
    SendStatus,
    Temporary,
    UssdEvent,
    UssdInput,
)
from gateway.ussd.http.africastalking import AfricasTalking
from gateway.ussd.http.dialect import Asked
from gateway.ussd.http.door import MOST_WAITING, Door

DEADLINE = 5.0


class Daemon:
    """Implements ``messages.BindListener`` and remembers."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.results: list[SendStatus] = []
        self.is_refusing = False
        self.told: list[str] = []

    def bound(self, bind: str, connection: Connection) -> None:
        """Remember."""
        self.told.append(f"{bind} is up")

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Remember."""
        self.told.append(f"{bind} is gone")

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Take, or refuse at once."""
        self.deliveries += deliveries
        if self.is_refusing:
            connection.refuse([one.sequence for one in deliveries], Temporary.APPLICATION_ERROR)

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """No text goes through a door."""
        raise AssertionError(results)

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember."""
        self.results += [one.status for one in results]


class Rig:
    """A door, the daemon behind it, and a gateway before it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.daemon = Daemon()
        self.door = Door("at", AfricasTalking(), self.daemon, self.clock, DEADLINE)
        self.door.open()
        self.answers: dict[int, tuple[int, str]] = {}
        self._asked = 0

    def ask(self, event: UssdEvent = UssdEvent.ANSWER, session: str = "s1") -> int:
        """A request; its sequence number."""
        self._asked += 1
        number = self._asked

        def answer(status: int, body: bytes) -> None:
            assert number not in self.answers
            self.answers[number] = (status, body.decode())

        asked = Asked(UssdInput(event, session, "989161234567", "*1522#", "1", f"={number}"))
        assert self.door.take(asked, answer) == number
        return number

    def show(self, text: str, session: str = "s1", kind: ScreenKind = ScreenKind.ASK) -> SendStatus:
        """A screen; what becomes of it."""
        self.door.show([Screen(len(text), kind, session, "989161234567", "*1522#", text)])
        return self.daemon.results[-1]


def test_a_request_waits_for_its_screen() -> None:
    """Each for that of its own session, and the last one ends it."""
    rig = Rig()
    one, other = rig.ask(UssdEvent.BEGIN), rig.ask(UssdEvent.BEGIN, "s2")
    rig.door.acknowledge([one, other])
    assert rig.answers == {}
    assert rig.show("دو", "s2", ScreenKind.LAST) is SendStatus.ACCEPTED
    assert rig.show("یک") is SendStatus.ACCEPTED
    assert rig.answers == {one: (200, "CON یک"), other: (200, "END دو")}
    assert (rig.door.acknowledged, rig.door.confirmed, rig.door.waiting) == (2, 2, 0)
    assert rig.clock.getDelayedCalls() == []


def test_a_screen_that_nobody_waits_for_is_dropped_for_good() -> None:
    """Above all not shown in answer to a later input; nor can a door begin a session."""
    rig = Rig()
    assert rig.show("۱") is SendStatus.PERMANENT
    first = rig.ask()
    assert rig.show("not stored yet") is SendStatus.PERMANENT
    rig.door.acknowledge([first])
    rig.door.gone(first)
    assert rig.show("۱") is SendStatus.PERMANENT
    rig.door.acknowledge([rig.ask()])
    assert rig.show("push", kind=ScreenKind.OPEN) is SendStatus.PERMANENT
    assert rig.answers == {}
    assert rig.door.counters["gone"] == 1


def test_of_two_requests_of_a_session_each_gets_its_own_screen() -> None:
    """A screen says which turn it answers."""
    rig = Rig()
    first, second = rig.ask(), rig.ask()
    rig.door.acknowledge([first, second])
    for number in (second, first):
        rig.door.show(
            [Screen(number, ScreenKind.ASK, "s1", "98916", "*1522#", str(number), f"={number}")]
        )
    assert rig.answers == {first: (200, "CON 1"), second: (200, "CON 2")}
    rig.door.acknowledge([rig.ask()])
    late = Screen(9, ScreenKind.ASK, "s1", "98916", "*1522#", "of the first", "=1")
    rig.door.show([late])
    assert rig.daemon.results[-1] is SendStatus.PERMANENT


def test_the_end_of_a_session_is_answered_when_it_is_stored() -> None:
    """No screen follows it."""
    rig = Rig()
    ends = [rig.ask(event) for event in (UssdEvent.ABORT, UssdEvent.TIMEOUT, UssdEvent.CONFIRM)]
    assert rig.answers == {}
    rig.door.acknowledge(ends)
    assert set(rig.answers.values()) == {(200, "END ")}


def test_without_a_screen_in_time_the_session_ends() -> None:
    """One that could not even be stored by then may be asked for again."""
    rig = Rig()
    stored, waits = rig.ask(), rig.ask(session="s2")
    rig.door.acknowledge([stored])
    rig.clock.advance(DEADLINE - 0.1)
    assert rig.answers == {}
    rig.clock.advance(0.1)
    assert rig.answers == {stored: (200, "END "), waits: (503, "")}
    rig.door.acknowledge([waits])  # too late for whoever asked
    assert rig.show("۱", "s2") is SendStatus.PERMANENT
    assert rig.door.counters["late"] == 2


def test_what_cannot_be_stored_is_refused() -> None:
    """At once or later, so that the gateway tries again."""
    rig = Rig()
    later = rig.ask()
    rig.door.refuse([later], Temporary.APPLICATION_ERROR)
    rig.daemon.is_refusing = True
    at_once = rig.ask()
    assert rig.answers == {later: (503, ""), at_once: (503, "")}


def test_a_door_takes_no_more_than_it_can_hold() -> None:
    """While reading pauses it takes nothing."""
    rig = Rig()
    rig.door.pause_reading()
    assert rig.answers[rig.ask()] == (503, "")
    rig.door.resume_reading()
    for _ in range(MOST_WAITING):
        rig.ask()
    assert rig.answers[rig.ask()] == (503, "")
    assert len(rig.daemon.deliveries) == MOST_WAITING


def test_a_closing_door_lets_nobody_wait() -> None:
    """And takes nothing any more."""
    rig = Rig()
    waits = rig.ask()
    rig.door.close()
    after = rig.ask()
    assert rig.answers == {waits: (503, ""), after: (503, "")}
    rig.door.close()
    assert rig.daemon.told == ["at is up", "at is gone"]
    assert rig.clock.getDelayedCalls() == []


def test_a_report_is_answered_and_comes_to_nothing() -> None:
    """It is no input."""
    rig = Rig()
    said: list[tuple[int, bytes]] = []
    rig.door.take(Asked(None), lambda status, body: said.append((status, body)))
    assert said == [(200, b"END ")]
    assert rig.daemon.deliveries == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("ask", "acknowledge", "refuse", "show", "gone", "wait")),
            st.integers(0, 9),
        )
    )
)
def test_nobody_waits_for_ever_and_nobody_is_answered_twice(moves: list[tuple[str, int]]) -> None:
    """Whatever the daemon, the gateway and the clock do, and in whatever order."""
    rig = Rig()
    asked: list[int] = []
    for move, number in moves:
        match move:
            case "ask":
                asked.append(rig.ask(list(UssdEvent)[number % 5], f"s{number % 3}"))
            case "acknowledge":
                rig.door.acknowledge(asked[number:])
            case "refuse":
                rig.door.refuse(asked[:number], Temporary.APPLICATION_ERROR)
            case "show":
                rig.show(f"{number}", f"s{number % 3}", list(ScreenKind)[number % 2])
            case "gone":
                rig.door.gone(number)
            case _:
                rig.clock.advance(number / 2)
    assert len(rig.answers) + rig.door.waiting + rig.door.counters["gone"] == len(asked)
    rig.clock.advance(DEADLINE)
    assert len(rig.answers) + rig.door.counters["gone"] == len(asked)
    assert rig.door.waiting == 0
    assert not rig.door._of_session
    assert rig.clock.getDelayedCalls() == []
    assert {status for status, _ in rig.answers.values()} <= {200, 503}
