"""Answers on their way out: window, results, receipts, and binds that come and go."""

from __future__ import annotations

import pytest

from core.outbox import RETRY_MS
from core.tables import early_receipts, outbox
from gateway.messages import DeliveryState, SendStatus
from tests.integration.conftest import LINE, World, Worlds


@pytest.mark.parametrize(
    ("status", "state", "pause"),
    [
        (SendStatus.UNCERTAIN, "waiting", 1),
        (SendStatus.TEMPORARY, "waiting", RETRY_MS[0] // 1000),
        (SendStatus.THROTTLED, "waiting", 1),
    ],
)
def test_what_did_not_get_through_is_tried_again(
    world: World, status: SendStatus, state: str, pause: int
) -> None:
    """After a pause the same message goes out again, and this time it is taken."""
    connection = world.bind()
    world.deliver(connection, "010")
    world.respond(connection, status=status)
    assert world.states == [state]
    assert len(connection.submitted) == 1
    world.pass_time(pause)
    assert len(connection.submitted) == 2
    first, second = connection.submitted
    assert (first.id, first.text) == (second.id, second.text)
    world.respond(connection)
    assert world.states == ["accepted"]


def test_what_is_refused_for_good_is_not_tried_again(world: World) -> None:
    """The operator will not change its mind."""
    connection = world.bind()
    world.deliver(connection, "010")
    world.respond(connection, status=SendStatus.PERMANENT)
    world.pass_time(10)
    assert world.states == ["rejected"]
    assert len(connection.submitted) == 1


def test_a_throttled_bind_sends_nothing_for_a_while(worlds: Worlds) -> None:
    """Neither what was throttled nor what came since; then all of it goes."""
    world = worlds(window=2)
    connection = world.bind()
    world.deliver(connection, "one", "two", "three")
    world.respond(connection, status=SendStatus.THROTTLED)
    world.deliver(connection, "four")
    assert len(connection.submitted) == 2
    for _ in range(10):
        world.pass_time(1)
        world.respond(connection)
    assert world.states == ["accepted"] * 4


def test_the_window_counts_a_message_until_its_result_is_committed(worlds: Worlds) -> None:
    """So a killed daemon can be unsure of one window's messages and of no more."""
    world = worlds(window=2)
    connection = world.bind()
    world.deliver(connection, *(f"text {number}" for number in range(5)))
    assert len(connection.submitted) == 2
    world.hold()
    world.respond(connection)
    assert len(connection.submitted) == 2, "responses have come, and are not stored yet"
    world.release()
    assert len(connection.submitted) == 4


def test_an_answer_waits_in_the_outbox_until_a_bind_is_up(world: World) -> None:
    """It came on a bind that only receives; as soon as one can send, it goes."""
    receiver = world.bind("receiver")
    world.deliver(receiver, "010")
    assert world.states == ["queued"]
    connection = world.bind()
    assert len(connection.submitted) == 1
    world.respond(connection)
    assert world.states == ["accepted"]


def test_answers_fail_over_to_the_second_bind_and_return(worlds: Worlds) -> None:
    """The first of a line's binds that is up takes them."""
    world = worlds(binds=("first", "second"), window=1)
    receiver = world.bind("receiver")
    second = world.bind("second")
    first = world.bind("first")
    world.deliver(receiver, "one", "two")
    assert (len(first.submitted), len(second.submitted)) == (1, 0)
    world.lose(first)
    assert len(second.submitted) == 1, "what was never sent goes at once"
    world.respond(second)
    world.pass_time(2)
    world.respond(second)
    assert world.states == ["accepted"] * 2
    first = world.bind("first")
    world.deliver(receiver, "three")
    assert len(first.submitted) == 1


def test_an_answer_goes_out_on_the_bind_that_brought_the_text(worlds: Worlds) -> None:
    """An operator answers for its own subscribers."""
    world = worlds(binds=("first", "second"))
    first, second = world.bind("first"), world.bind("second")
    world.deliver(second, "010")
    assert (len(first.submitted), len(second.submitted)) == (0, 1)


def test_a_line_answers_only_on_its_own_binds(worlds: Worlds) -> None:
    """A text that comes in on a stranger's bind does not go out on it."""
    world = worlds(binds=("own", "strange"), lines={LINE: ("own",)})
    strange = world.bind("strange")
    world.deliver(strange, "010")
    assert not strange.submitted
    assert len(world.bind("own").submitted) == 1


def test_a_receipt_settles_its_message(world: World) -> None:
    """Delivered stays delivered, whatever comes after it."""
    connection = world.bind()
    world.deliver(connection, "010")
    world.respond(connection)
    (row,) = world.rows(outbox)
    receipt = world.receipt(connection, row.smsc_id, DeliveryState.DELIVERED)
    assert connection.answers[receipt] == 0
    assert world.states == ["delivered"]
    world.receipt(connection, row.smsc_id, DeliveryState.EXPIRED)
    assert world.states == ["delivered"]


def test_a_receipt_may_overtake_the_commit_of_its_response(world: World) -> None:
    """Both are there before either is stored, or the receipt is stored first."""
    connection = world.bind()
    world.deliver(connection, "together", "early")
    (one, _), (two, _) = connection.unanswered
    world.hold()
    world.deliver(connection, "busy")
    world.respond(connection, 1)
    world.receipt(connection, f"id{one}", DeliveryState.DELIVERED)
    world.receipt(connection, f"id{two}", DeliveryState.UNDELIVERABLE)
    world.release()
    assert world.states[:2] == ["delivered", "sending"]
    world.respond(connection, 1)
    assert world.states[:2] == ["delivered", "undeliverable"]
    assert not world.rows(early_receipts)


def test_a_receipt_that_says_nothing_final_changes_nothing(world: World) -> None:
    """ENROUTE is acknowledged and forgotten."""
    connection = world.bind()
    world.deliver(connection, "010")
    world.respond(connection)
    (row,) = world.rows(outbox)
    world.receipt(connection, row.smsc_id, DeliveryState.ENROUTE)
    assert world.states == ["accepted"]


def test_a_connection_that_has_ended_is_handed_nothing(world: World) -> None:
    """Between its end and its loss answers wait in the outbox, not in a circle."""
    receiver, connection = world.bind("receiver"), world.bind()
    connection.is_open = False
    world.deliver(receiver, "010")
    assert world.states == ["queued"]
    world.lose(connection)
    assert len(world.bind().submitted) == 1


def test_a_kill_sends_again_what_was_in_flight_and_nothing_else(worlds: Worlds) -> None:
    """The next process sends what it cannot know to be out; what was settled stays so."""
    killed = worlds(window=1)
    connection = killed.bind()
    killed.deliver(connection, "settled", "in flight", "in memory")
    killed.respond(connection, 1)
    assert killed.states == ["accepted", "sending", "sending"]
    world = worlds(clock=killed.clock)
    assert world.recovered[1] == 2
    again = world.bind()
    world.claim()
    assert [sms.id for sms in again.submitted] == [row.id for row in world.rows(outbox)][1:]
