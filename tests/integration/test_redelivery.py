"""An SMSC delivers again what it got no answer for: known again once, and only then."""

from __future__ import annotations

from twisted.internet.task import Clock

from core.tables import bind_marks, inbox, suspects
from gateway.inbound import TOO_LATE_MS
from gateway.messages import PartOf, Temporary
from tests.integration.conftest import World, Worlds

REFUSED = Temporary.APPLICATION_ERROR.value


def test_a_redelivery_is_acknowledged_and_not_answered_again(world: World) -> None:
    """The acknowledgement got lost with its connection; an equal text later is a new one."""
    first = world.bind()
    world.deliver(first, "010")
    world.lose(first)
    second = world.bind()
    (again,) = world.deliver(second, "010")
    assert second.answers == {again: 0}
    assert world.received == ["answered"]
    world.deliver(second, "010")
    assert world.received == ["answered"] * 2


def test_a_redelivery_is_known_again_when_its_own_acknowledgement_is_lost(world: World) -> None:
    """Connection after connection breaks, and the message stays one message."""
    for _ in range(3):
        connection = world.bind()
        world.deliver(connection, "010")
        world.lose(connection)
    last = world.bind()
    world.deliver(last, "010")
    assert world.received == ["answered"]
    world.pass_time(2)
    world.respond(last)  # which shows that the operator has read the acknowledgement
    world.inbound.flush()
    assert not world.rows(suspects)


def test_a_redelivery_may_come_while_the_first_is_being_committed(world: World) -> None:
    """The connection breaks in the midst of the batch, and the SMSC is quick."""
    first = world.bind()
    world.hold()
    world.deliver(first, "010")
    world.lose(first)
    second = world.bind()
    (again,) = world.deliver(second, "010")
    world.release()
    assert second.answers == {again: 0}
    assert world.received == ["answered"]


def test_an_equal_text_is_new_once_the_acknowledgement_was_read(world: World) -> None:
    """The response to the answer shows that the operator will not deliver it again."""
    first = world.bind()
    world.deliver(first, "010")
    world.respond(first)
    world.lose(first)
    world.deliver(world.bind(), "010")
    assert world.received == ["answered"] * 2


def test_an_equal_text_of_another_mobile_is_new(world: World) -> None:
    """What is known again is a message, not its words."""
    first = world.bind()
    world.deliver(first, "010")
    world.lose(first)
    world.deliver(world.bind(), "010", mobile="989130000000")
    assert world.received == ["answered"] * 2


def test_marks_move_on_only_when_the_operator_has_read(world: World) -> None:
    """An acknowledgement that was written is not one that was read."""
    connection = world.bind()
    world.deliver(connection, "010", "110")
    assert not world.rows(bind_marks)
    world.respond(connection, 1)
    world.inbound.flush()
    (mark,) = world.rows(bind_marks)
    assert mark.confirmed_id == world.rows(inbox)[-1].id


def test_after_a_kill_what_was_not_confirmed_is_known_again(worlds: Worlds) -> None:
    """The next process knows the redelivery, and an equal text of whoever was confirmed."""
    killed = worlds()
    connection = killed.bind()
    killed.deliver(connection, "confirmed")
    killed.respond(connection)
    killed.inbound.flush()
    killed.deliver(connection, "open")
    world = worlds(clock=killed.clock)
    assert world.recovered == (1, 1)
    world.deliver(world.bind(), "open", "confirmed")
    assert world.received == ["answered"] * 3


def test_a_second_kill_does_not_open_what_has_been_settled(worlds: Worlds) -> None:
    """A redelivery that was acknowledged between two kills is no reason to swallow a text."""
    killed = worlds()
    killed.deliver(killed.bind(), "010")
    again = worlds(clock=killed.clock)
    connection = again.bind()
    again.deliver(connection, "010")
    connection.answer_enquire_link()
    again.inbound.flush()
    world = worlds(clock=killed.clock)
    assert world.recovered[0] == 0
    world.deliver(world.bind(), "010")
    assert world.received == ["answered"] * 2


def test_ids_grow_though_the_clock_was_set_back(worlds: Worlds) -> None:
    """Otherwise a restart would give ids that are taken, or that marks have passed already."""
    before = worlds()
    connection = before.bind()
    before.deliver(connection, "010")
    before.respond(connection)
    before.inbound.flush()
    earlier = Clock()
    earlier.rightNow = before.clock.seconds() - 60
    killed = worlds(clock=earlier)
    killed.deliver(killed.bind(), "110")
    world = worlds(clock=earlier)
    assert world.recovered[0] == 1
    world.deliver(world.bind(), "110")
    assert world.received == ["answered"] * 2


def test_suspicion_ends(world: World) -> None:
    """An equal text of the next day is a person's, not the operator's."""
    first = world.bind()
    world.deliver(first, "010")
    world.lose(first)
    world.clock.advance(86_400)
    world.tidy()
    world.deliver(world.bind(), "010")
    assert world.received == ["answered"] * 2
    assert not world.rows(suspects)


def test_a_part_that_comes_again_is_one_part(world: World) -> None:
    """A long text is joined once, however often its parts are delivered."""
    first = world.bind()
    world.deliver(first, "hello ", part=PartOf(7, 2, 1))
    world.lose(first)
    second = world.bind()
    world.deliver(second, "hello ", part=PartOf(7, 2, 1))
    world.deliver(second, "world", part=PartOf(7, 2, 2))
    world.lose(second)
    world.deliver(world.bind(), "world", part=PartOf(7, 2, 2))
    assert [row.text for row in world.rows(inbox)] == ["hello world"]


def test_what_waited_too_long_is_refused(world: World) -> None:
    """An answer that comes when the operator has given up would bring the message twice."""
    connection = world.bind()
    world.hold()
    (in_work,) = world.deliver(connection, "in work")
    (waiting,) = world.deliver(connection, "waiting")
    world.clock.advance(TOO_LATE_MS / 1000 + 1)
    world.release()
    assert connection.answers == {in_work: 0, waiting: REFUSED}
    assert len(world.received) == 1


def test_an_acknowledgement_that_came_late_may_not_have_counted(world: World) -> None:
    """The batch took so long that the operator delivers again what it was answered for."""
    connection = world.bind()
    world.hold()
    world.deliver(connection, "010")
    world.clock.advance(TOO_LATE_MS / 1000 + 1)
    world.release()
    (again,) = world.deliver(connection, "010")
    assert connection.answers[again] == 0
    assert world.received == ["answered"]
