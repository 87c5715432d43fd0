"""USSD inputs from a connection to the database and back: nothing twice, nothing lost."""

from __future__ import annotations

import pytest

from core.tables import suspects, ussd_sessions, ussd_steps
from gateway.control import ControlError
from gateway.dials import OVER, UNKNOWN_CODE
from gateway.messages import ScreenKind, SendStatus, Temporary, UssdEvent
from gateway.pushes import Pushes
from gateway.screens import RETRY_SECONDS
from tests.integration.conftest import FakeConnection, World, Worlds
from tests.talkers import CODE, MENU

REFUSED = Temporary.APPLICATION_ERROR.value


def test_a_dial_is_acknowledged_and_its_screen_shown_where_it_came(world: World) -> None:
    """On the same connection of the same bind, with what the network wants back."""
    other, connection = world.bind("main"), world.bind("receiver")
    sequence = world.dial(connection, CODE, turn="4")
    assert connection.answers == {sequence: 0}
    (screen,) = connection.screens
    assert (screen.kind, screen.text, screen.session, screen.turn) == (
        ScreenKind.ASK,
        MENU,
        "1",
        "4",
    )
    assert (screen.mobile, screen.code) == ("989131234567", CODE)
    assert not other.screens
    world.type(connection, "1")
    assert connection.screens[-1].kind is ScreenKind.LAST


@pytest.mark.parametrize(
    ("dialled", "heard"),
    [("*1522*2*1#", "*1522*2*1#"), ("", "*1522#"), ("2*1", "*1522*2*1#"), ("*۱۵۲۲#", "*1522#")],
)
def test_what_was_dialled_is_told_whole(world: World, dialled: str, heard: str) -> None:
    """However much of it the network tells apart from the code."""
    world.dial(world.bind(), dialled)
    assert world.talker.heard[0].text == heard


def test_a_code_that_no_line_has_gets_a_word(world: World) -> None:
    """Whoever was in a session before; and a late answer gets another one."""
    connection = world.bind()
    world.dial(connection, CODE, mobile="989131110000")
    world.type(connection, "bye", mobile="989131110000")
    world.shown(connection)
    for mobile in ("989131110000", "989131234567"):
        world.dial(connection, "*99#", code="*99#", mobile=mobile)
        assert connection.screens[0].code == "*99#"
        assert world.shown(connection) == [UNKNOWN_CODE]
    world.type(connection, "1", session="unheard of")
    world.type(connection, "1", session="unheard of", code="")
    assert world.shown(connection) == ["over", OVER]
    assert len(world.rows(ussd_sessions)) == 1  # the first mobile's own


def test_who_is_no_mobile_gets_into_nobodys_session(world: World) -> None:
    """Though the network calls both sessions the same."""
    connection = world.bind()
    world.dial(connection, CODE)
    world.shown(connection)
    world.dial(connection, CODE, mobile="OPERATOR")
    world.type(connection, "text", mobile="OPERATOR")
    assert [(screen.mobile, screen.text) for screen in connection.screens] == [
        ("OPERATOR", UNKNOWN_CODE),
        ("OPERATOR", OVER),
    ]
    assert [session.steps for session in world.rows(ussd_sessions)] == [1]


def test_a_screen_that_is_not_taken_is_written_again_for_a_while(world: World) -> None:
    """Then it is dropped and counted, and the session goes on if it can."""
    connection = world.bind()
    world.dial(connection, CODE)
    for pause in RETRY_SECONDS:
        assert world.shown(connection, SendStatus.THROTTLED) == [MENU]
        world.clock.advance(pause)
    assert world.shown(connection, SendStatus.TEMPORARY) == [MENU]
    world.clock.advance(10)
    assert not connection.screens
    counted = world.inbound.screens.counters
    assert (counted["retried"], counted["dropped"]) == (len(RETRY_SECONDS), 1)
    world.type(connection, "x")
    assert world.shown(connection) == [MENU]
    assert (counted["shown"], len(world.inbound.screens)) == (1, 0)


def test_a_screen_that_is_late_does_not_cover_a_newer_one(world: World) -> None:
    """Who has dialled again meanwhile sees the new session."""
    connection = world.bind()
    world.dial(connection, CODE)
    world.shown(connection, SendStatus.THROTTLED)
    world.dial(connection, "*1522*1#", session="2")
    assert [screen.session for screen in connection.screens] == ["2"]
    world.clock.advance(RETRY_SECONDS[0])
    assert world.shown(connection) == ["balance not_registered"]
    assert world.inbound.screens.counters["dropped"] == 1


def test_a_screen_finds_another_connection_of_its_bind(world: World) -> None:
    """What ended between commit and screen is not the only way."""
    first, second = world.bind(), world.bind()
    world.hold()
    world.dial(first, CODE)
    first.is_open = False
    world.release()
    assert [screen.text for screen in second.screens] == [MENU]


def test_a_redelivery_is_shown_again_and_not_done_again(world: World) -> None:
    """The acknowledgement and the screen got lost with their connection."""
    first = world.bind()
    world.dial(first, CODE)
    world.type(first, "text")
    world.lose(first)
    second = world.bind()
    again = world.type(second, "text")
    assert second.answers == {again: 0}
    assert world.shown(second) == ["sent"]
    assert [step.event for step in world.rows(ussd_steps)] == ["begin", "answer"]
    second.answer_enquire_link()
    world.inbound.flush()
    assert len(world.rows(suspects)) == 1  # the dial, which has not come again


def test_after_a_kill_the_session_goes_on(worlds: Worlds) -> None:
    """Another process has nothing but the row."""
    killed = worlds()
    connection = killed.bind()
    killed.dial(connection, CODE)
    killed.type(connection, "x")
    world = worlds(clock=killed.clock)
    assert world.recovered[0] == 2
    assert world.desk.sessions.count == 1
    connection = world.bind()
    world.type(connection, "x")  # delivered again: its acknowledgement may not have got out
    assert world.shown(connection) == [MENU]
    world.type(connection, "1")
    assert world.shown(connection) == ["balance not_registered"]
    assert [step.text for step in world.rows(ussd_steps)] == ["*****#", "x", "*"]


def test_while_the_database_is_away_inputs_are_refused(world: World) -> None:
    """Nothing of them has happened; what comes again is done once."""
    connection = world.bind()
    world.dial(connection, CODE)
    world.shown(connection)
    world.database.fails_after = 1
    sequence = world.type(connection, "text")
    assert connection.answers[sequence] == REFUSED
    assert not connection.screens
    world.pass_time(3)
    again = world.type(connection, "text")
    assert connection.answers[again] == 0
    # It had been committed, though nobody heard of it: the handset gets its screen now.
    assert world.shown(connection) == ["sent"]
    assert len(world.rows(ussd_steps)) == 2


def test_what_is_confirmed_when_it_is_acknowledged_leaves_no_suspect(world: World) -> None:
    """As with a door over HTTP: whoever asks again repeats the turn."""

    class Door(FakeConnection):
        @property
        def confirmed(self) -> int:
            return self.acknowledged

        @confirmed.setter
        def confirmed(self, value: int) -> None:
            """It is as many as were acknowledged."""

    door = Door("door")
    world.inbound.bound("door", door)
    world.dial(door, CODE, turn="1")
    world.type(door, "text", turn="2")
    world.type(door, "text", turn="2")
    assert world.shown(door) == [MENU, "sent", "sent"]
    assert len(world.rows(ussd_steps)) == 2
    world.lose(door)
    assert not world.rows(suspects)


def test_an_abort_is_acknowledged_and_shows_nothing(world: World) -> None:
    """The session is over."""
    connection = world.bind()
    world.dial(connection, CODE)
    world.shown(connection)
    sequence = world.dial(connection, "", event=UssdEvent.ABORT)
    assert (connection.answers[sequence], connection.screens) == (0, [])
    assert world.inbound.counters["ussd_ended"] == 1


def test_a_session_of_ours_begins_on_a_bind_that_is_up(world: World) -> None:
    """With a screen that asks or tells; every mistake is told to who wanted it."""
    binds = {CODE: ["main"]}
    pushes = Pushes(world.database, world.desk, world.inbound, world.in_thread, binds, world.now)
    wanted = {"mobile": "09131234567", "line": CODE, "node": "survey"}
    with pytest.raises(ControlError, match="no bind that could begin"):
        pushes.push(wanted)
    connection = world.bind()
    for wrong in ({"line": "*15#"}, {"node": "serve"}, {"mobile": "0913"}):
        with pytest.raises(ControlError):
            pushes.push({**wanted, **wrong})
    came: list[object] = []
    pushes.push(wanted).addCallback(came.append)
    assert came == [{"asks": True}]
    (screen,) = connection.screens
    assert (screen.kind, screen.text, screen.mobile) == (
        ScreenKind.OPEN,
        "survey",
        "989131234567",
    )
    assert world.shown(connection) == ["survey"]
    pushes.push(wanted).addErrback(lambda failure: came.append(failure.type))
    assert came[1:] == [ControlError]
    world.type(connection, "x", session="5")
    assert world.shown(connection) == [MENU]
    pushes.push({**wanted, "mobile": "09130000000", "node": "notice"})
    assert [screen.kind for screen in connection.screens] == [ScreenKind.NOTIFY]


def test_after_a_kill_no_session_of_ours_is_taken_for_one_from_before(worlds: Worlds) -> None:
    """Nobody delivers them again, though nobody has acknowledged them either."""
    world = worlds()
    for mobile in ("09130000001", "09130000002"):
        world.bind()
        push = Pushes(
            world.database, world.desk, world.inbound, world.in_thread, {CODE: ["main"]}, world.now
        ).push
        came: list[object] = []
        push({"mobile": mobile, "line": CODE, "node": "survey"}).addBoth(came.append)
        assert came == [{"asks": True}]
        world = worlds(clock=world.clock)
        assert world.recovered[0] == 1


@pytest.mark.parametrize("typed", ["\0", "1\ud83d", "\udc00x", "x" * 5000, "\u202e۱"])
def test_whatever_is_typed_is_answered(world: World, typed: str) -> None:
    """Also what no database can store."""
    connection = world.bind()
    dialled = world.dial(connection, f"*1522*{typed}#", session=typed or "1", turn=typed)
    answered = world.type(connection, typed, session=typed or "1")
    assert connection.answers == {dialled: 0, answered: 0}
    assert world.shown(connection) == [MENU, MENU]
    assert not any(step.error for step in world.rows(ussd_steps))
