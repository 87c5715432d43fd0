"""What is worked on together: poison among it, its cost, and long texts."""

from __future__ import annotations

import pytest

from core.tables import inbox, inbox_parts, outbox
from gateway.messages import PartOf, SendStatus
from tests.conftest import CountStatements
from tests.integration.conftest import LINE, MOBILE, POISON, World, Worlds


def test_a_poisonous_text_is_set_aside_and_the_others_are_answered(world: World) -> None:
    """It is kept without its figures, and its sender is told that it is kept."""
    connection = world.bind()
    world.hold()
    world.deliver(connection, "first")
    sequences = world.deliver(connection, "before", POISON, "after")
    world.release()
    assert [connection.answers[sequence] for sequence in sequences] == [0, 0, 0]
    assert world.received == ["answered", "answered", "set_aside", "answered"]
    aside = world.rows(inbox)[2]
    assert (aside.text, aside.outcome) == ("poison ****", "failed")
    assert "RuntimeError" in aside.error
    assert [sms.text for sms in connection.submitted].count("failed") == 1
    assert len(connection.submitted) == 4


def test_poison_among_results_loses_none_of_them(world: World) -> None:
    """The batch that is done again one by one carries results as well as texts."""
    connection = world.bind()
    world.deliver(connection, "010", "110")
    world.hold()
    world.deliver(connection, "210")
    world.respond(connection, 2)
    world.deliver(connection, POISON)
    world.release()
    assert world.states[:2] == ["accepted", "accepted"]
    assert world.received[-1] == "set_aside"


def test_a_batch_costs_the_same_for_1_and_200_messages(
    world: World, count_statements: CountStatements
) -> None:
    """Texts, parts, results and receipts: a statement more for each would be the end of speed."""

    def cost(number: int) -> int:
        connection = world.bind()
        world.deliver(connection, *(f"warm {number} {i}" for i in range(number)))
        world.hold()
        world.deliver(connection, f"first {number}")  # everything below waits for it
        world.respond(connection)
        for i in range(number):
            world.deliver(connection, f"text {i}", mobile=f"98913{number:03}{i:04}")
            world.deliver(
                connection, "part", mobile=f"98913{number:03}{i:04}", part=PartOf(1, 2, 1)
            )
        world.release_one()
        with count_statements(world.database) as counted:
            world.release_one()
        assert len(connection.answers) == 3 * number + 1
        world.release()
        return counted.total

    assert cost(1) == cost(200)


def test_an_answer_of_several_parts_goes_out_as_one_message(world: World) -> None:
    """Its parts share a reference and are numbered; each has its own result."""
    world.mind.parts = 3
    connection = world.bind()
    world.deliver(connection, "010")
    parts = [sms.part for sms in connection.submitted]
    assert [(part.total, part.number) for part in parts if part] == [(3, 1), (3, 2), (3, 3)]
    assert len({part.reference for part in parts if part}) == 1
    world.respond(connection, 1)
    world.respond(connection, 1, SendStatus.PERMANENT)
    assert world.states == ["accepted", "rejected", "sending"]


def test_a_long_text_whose_parts_never_come_is_answered_as_incomplete(world: World) -> None:
    """After a quarter of an hour its sender is told, once, and not before."""
    connection = world.bind()
    (part,) = world.deliver(connection, "hello ", part=PartOf(7, 2, 1))
    assert connection.answers == {part: 0}
    world.clock.advance(14 * 60)
    world.tidy()
    assert not world.received
    world.clock.advance(2 * 60)
    world.tidy()
    world.tidy()
    assert world.received == ["incomplete"]
    assert [sms.text for sms in connection.submitted] == ["incomplete"]
    assert {row.payload for row in world.rows(inbox_parts)} == {""}


def test_a_reference_used_again_begins_a_new_message(world: World) -> None:
    """A phone counts to 255 and begins again: no text is made of parts of two."""
    connection = world.bind()
    world.deliver(connection, "old ", part=PartOf(7, 2, 1))
    world.deliver(connection, "new ", part=PartOf(7, 2, 1))
    world.deliver(connection, "text", part=PartOf(7, 2, 2))
    assert [row.text for row in world.rows(inbox)] == ["new text"]


def test_a_part_that_comes_twice_is_one_part(world: World) -> None:
    """It is acknowledged both times, and the message waits for the other one."""
    connection = world.bind()
    for _ in range(2):
        world.deliver(connection, "hello ", part=PartOf(7, 2, 1))
    world.deliver(connection, "world", part=PartOf(7, 2, 2))
    assert list(connection.answers.values()) == [0, 0, 0]
    assert [row.text for row in world.rows(inbox)] == ["hello world"]


@pytest.mark.parametrize("written", ["+{}", "98{}", "+98{}", "0098{}", "00{}"])
def test_a_line_is_known_however_the_smsc_writes_it(world: World, written: str) -> None:
    """Some put the country in front of a short code, and answers go out from the line itself."""
    connection = world.bind()
    world.deliver(connection, "010", line=written.format(LINE))
    assert [(row.line, row.state) for row in world.rows(inbox)] == [(LINE, "answered")]
    assert [sms.source for sms in connection.submitted] == [LINE]


def test_parts_are_joined_across_a_restart(worlds: Worlds) -> None:
    """The first part was acknowledged by a process that is gone."""
    killed = worlds()
    killed.deliver(killed.bind(), "hello ", part=PartOf(7, 2, 1))
    world = worlds(clock=killed.clock)
    world.deliver(world.bind(), "world", part=PartOf(7, 2, 2))
    assert [row.text for row in world.rows(inbox)] == ["hello world"]


def test_what_nobody_can_answer_is_stored_and_acknowledged(world: World) -> None:
    """Neither a name nor a number that is no line of ours gets an answer."""
    connection = world.bind()
    (name,) = world.deliver(connection, "010", mobile="IRANCELL")
    (line,) = world.deliver(connection, "010", line="999")
    assert connection.answers == {name: 0, line: 0}
    assert not connection.submitted
    assert [(row.mobile, row.line) for row in world.rows(inbox)] == [
        ("IRANCELL", LINE),
        (MOBILE, "999"),
    ]
    assert not world.rows(outbox)


def test_reading_is_paused_while_too_much_waits(worlds: Worlds) -> None:
    """Memory is bounded by the daemon, not by the operator's patience."""
    world = worlds(max_waiting=10)
    connection = world.bind()
    world.hold()
    world.deliver(connection, *(f"text {number}" for number in range(5)))
    assert connection.is_reading
    world.deliver(connection, *(f"more {number}" for number in range(11)))
    assert not connection.is_reading
    assert world.inbound.is_paused
    world.release()
    assert connection.is_reading
    assert set(connection.answers.values()) == {0}
    assert len(world.received) == 16
