"""Several daemons on one database: what one stored is another's to know when it has died."""

from __future__ import annotations

import time

from core.database import Database
from core.nodes import Me, beat, take_over
from core.nodes.number import Node
from core.tables import inbox, suspects
from tests.integration.conftest import Worlds


def test_what_a_dead_daemon_did_not_acknowledge_is_known_to_the_others(
    worlds: Worlds, faulty: Database
) -> None:
    """The operator delivers it at once to another one, which does not answer it again."""
    if faulty.is_sqlite:
        return  # there is one daemon
    mine, dies = Node(faulty), Node(faulty)
    lives = worlds(node=mine.number)
    other = worlds(node=dies.number, clock=lives.clock)
    lives.desk.beside.set({dies.number: 1})
    other.deliver(other.bind(), "010")
    # As long as it lives, an equal text is a person's.
    connection = lives.bind()
    lives.deliver(connection, "010")
    lives.respond(connection)
    lives.inbound.flush()
    assert lives.received == ["answered"] * 2

    dies.release()
    deadline = time.monotonic() + 60
    while lives.desk.beside.nodes:
        # The server sees the end of a session a moment later.
        assert time.monotonic() < deadline
        lives.deliver(connection, "something else")
    (again,) = lives.deliver(connection, "010")
    assert connection.answers[again] == 0
    assert [row.text for row in lives.rows(inbox)].count("010") == 2
    lives.desk.beside.set({dies.number: 1})
    assert not lives.desk.beside.nodes
    lives.desk.beside.set({dies.number: 2})
    assert lives.desk.beside.nodes == (dies.number,)
    mine.release()


def test_what_came_to_a_daemon_that_is_given_up_is_suspected(worlds: Worlds) -> None:
    """Also when nothing else came meanwhile."""
    lives = worlds(node=0)
    dies = worlds(node=1, clock=lives.clock)
    dies.deliver(dies.bind(), "010")
    now = lives.now()
    lives.database.transact("join", beat, Me(1, 1, "1", "there"), {}, now)
    done = lives.database.transact("beat", beat, Me(0, 1, "1", "here"), {}, now + 60_000)
    (gone,) = done.others
    messages = lives.database.transact("take over", take_over, gone, now + 60_000, 0)
    assert messages == 1
    assert len(lives.rows(suspects)) == 1
    assert lives.database.transact("again", take_over, gone, now + 60_000, 0) is None
