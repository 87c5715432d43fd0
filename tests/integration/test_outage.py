"""The database fails: before a commit, or after one that nobody heard of."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.database import Database
from core.nodes.number import Node
from core.sending import claim_for_each
from core.tables import outbox
from gateway.inbound import RETRY_SECONDS
from gateway.messages import DeliveryState, Temporary
from tests.integration.conftest import World, Worlds

REFUSED = Temporary.APPLICATION_ERROR.value


def test_arrivals_are_refused_until_the_database_is_back(world: World) -> None:
    """The operator keeps them; results are kept in memory, and none is lost."""
    connection = world.bind()
    world.deliver(connection, "before")
    world.database.fails_before = True
    (failed,) = world.deliver(connection, "during")
    (refused,) = world.deliver(connection, "during")
    world.respond(connection)
    world.clock.advance(RETRY_SECONDS)
    assert connection.answers[failed] == connection.answers[refused] == REFUSED
    assert world.inbound.database_error == "the server is gone"
    world.database.fails_before = False
    world.clock.advance(RETRY_SECONDS)
    assert not world.inbound.database_error
    assert world.states == ["accepted"]
    (again,) = world.deliver(connection, "during")
    assert connection.answers[again] == 0
    assert len(world.received) == 2


def test_what_waits_behind_a_failing_batch_is_refused_too(world: World) -> None:
    """Nobody waits for an answer longer than it takes to know that there is none."""
    connection = world.bind()
    world.hold()
    world.deliver(connection, "in work")
    world.deliver(connection, "waiting")
    world.database.fails_before = True
    world.release()
    assert list(connection.answers.values()) == [REFUSED, REFUSED]


def test_a_commit_that_was_not_heard_of_is_answered_once(world: World) -> None:
    """It took effect: the answer goes out, and the redelivery is known."""
    connection = world.bind()
    world.database.fails_after = 1
    (refused,) = world.deliver(connection, "010")
    assert connection.answers == {refused: REFUSED}
    assert not connection.submitted
    world.clock.advance(RETRY_SECONDS)
    (again,) = world.deliver(connection, "010")
    assert connection.answers[again] == 0
    assert len(connection.submitted) == 1
    assert world.received == ["answered"]


def test_a_redelivery_in_a_commit_that_was_not_heard_of_stays_known(world: World) -> None:
    """It was taken as known, and refused; the operator delivers it a third time."""
    first = world.bind()
    world.deliver(first, "010")
    world.lose(first)
    second = world.bind()
    world.database.fails_after = 1
    (refused,) = world.deliver(second, "010")
    assert second.answers == {refused: REFUSED}
    world.clock.advance(RETRY_SECONDS)
    (again,) = world.deliver(second, "010")
    assert second.answers[again] == 0
    assert world.received == ["answered"]


def test_an_outage_swallows_no_equal_text(world: World) -> None:
    """A redelivery that was acknowledged before the outage is settled in spite of it."""
    first = world.bind()
    world.deliver(first, "010")
    world.lose(first)
    second = world.bind()
    world.deliver(second, "010")
    world.database.fails_before = True
    world.deliver(second, "110")
    world.database.fails_before = False
    world.clock.advance(RETRY_SECONDS)
    world.deliver(second, "010")
    assert world.received == ["answered"] * 2


def test_results_that_are_stored_again_undo_nothing(world: World) -> None:
    """A receipt that had come early was applied in the commit that was not heard of."""
    connection = world.bind()
    world.deliver(connection, "010")
    ((row_id, _),) = connection.unanswered
    world.receipt(connection, f"id{row_id}", DeliveryState.DELIVERED)
    world.database.fails_after = 1
    world.respond(connection)
    world.clock.advance(RETRY_SECONDS)
    assert world.states == ["delivered"]


def test_rows_in_hand_are_not_sent_again_by_recovery(worlds: Worlds) -> None:
    """What is queued in memory, in flight, or answered and not stored belongs to somebody."""
    world = worlds(window=2)
    connection = world.bind()
    world.deliver(connection, *(f"text {number}" for number in range(5)))
    world.database.fails_before = True
    world.respond(connection, 1)
    world.database.fails_before = False
    world.pass_time(2 * RETRY_SECONDS)
    while connection.unanswered:
        world.respond(connection)
    assert len(connection.submitted) == 5
    assert set(world.states) == {"accepted"}


def test_recovery_waits_for_a_claim_that_is_under_way(world: World) -> None:
    """Rows that a slow claim brings look like lost ones until a sender has them."""
    receiver = world.bind("receiver")
    world.deliver(receiver, "010")
    assert world.states == ["queued"]
    world.is_claiming = True
    world.database.fails_before = True
    world.deliver(receiver, "110")
    world.database.fails_before = False
    connection = world.bind()
    wanted = [("main", ["100034122"], 10)]
    (claimed,) = world.database.transact("claim", claim_for_each, 0, wanted, world.now())
    world.clock.advance(RETRY_SECONDS)
    world.senders["main"].hand_over(claimed.rows)
    world.is_claiming = False
    world.senders["main"].pump()
    world.pass_time(2 * RETRY_SECONDS)
    world.respond(connection)
    world.pass_time(2)
    assert len(connection.submitted) == 1
    assert world.states == ["accepted"]


def test_rows_of_a_claim_that_was_not_heard_of_go_out(world: World) -> None:
    """They are marked as ours and nobody has them; recovery gives them back."""
    world.deliver(world.bind("receiver"), "010")
    connection = world.bind()  # claims at once …
    assert len(connection.submitted) == 1
    world.lose(connection)
    world.pass_time(2)
    wanted = [("main", ["100034122"], 10)]
    world.database.transact("claim", claim_for_each, 0, wanted, world.now())
    assert world.states == ["sending"]
    second = world.bind()
    world.database.fails_before = True
    world.deliver(second, "110")
    world.database.fails_before = False
    world.pass_time(2 * RETRY_SECONDS)
    assert [sms.id for sms in second.submitted] == [row.id for row in world.rows(outbox)]


def test_a_node_is_held_again_after_its_session_ended(postgresql_database: Database) -> None:
    """Otherwise the next daemon would take the same number, and this one's messages."""
    first = Node(postgresql_database)
    first.hold()
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    postgresql_database.transact("test", lambda connection: connection.execute(cut).all())
    first.hold()
    other = Database(postgresql_database.url.render_as_string(hide_password=False))
    second = Node(other)
    assert (first.number, second.number) == (0, 1)
    for node in (first, second):
        node.release()
    other.close()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_recovery_is_tried_until_it_succeeds(world: World, times: int) -> None:
    """One retry a second, however long it takes."""
    connection = world.bind()
    world.database.fails_before = True
    world.deliver(connection, "010")
    for _ in range(times):
        world.clock.advance(RETRY_SECONDS)
        assert world.inbound.database_error
    world.database.fails_before = False
    world.clock.advance(RETRY_SECONDS)
    assert not world.inbound.database_error
