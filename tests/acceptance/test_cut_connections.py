"""The operator cuts the connection at any moment.

Nothing is lost, nothing answered twice but what was in flight, and equal texts of one
mobile stay two messages.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import pytest_twisted
from twisted.internet import reactor as _reactor

from tests.acceptance.conftest import LINE, Daemon, Operator
from tests.acceptance.load import TEXT, Load
from tests.waiting import until

reactor: Any = _reactor
SEED, CUTS = 1405, 20


@pytest_twisted.ensureDeferred
async def test_cut_connections_lose_nothing_and_repeat_only_what_was_in_flight(
    operator: Operator, daemon: Daemon
) -> None:
    """Under load the connection is cut again and again; the daemon comes back by itself."""
    dice = Random(SEED)  # noqa: S311 - to be the same again
    load = Load(operator)
    load.begin()
    cut: set[int] = set()
    for _ in range(CUTS):
        await until(lambda: operator.bound, "the daemon is bound again")
        (esme,) = operator.bound
        cut.add(esme.connection)
        dice.choice((_after_a_message, _at_a_moment, _after_a_silence))(operator, dice)
        await until(partial(_is_gone, operator, esme.connection), "the connection is cut")
    load.end()
    await load.all_answered()
    doubles = load.doubles(cut)
    print(  # noqa: T201 - what the run was like
        f"seed {SEED}: {len(load.mobiles)} messages, {CUTS} cuts, "
        f"{operator.totals.redelivered} redelivered, "
        f"sent twice: {sum(doubles.values())} {sorted(doubles.values())}"
    )
    assert daemon.is_running
    load.assert_stored_once(daemon.url)


def _after_a_message(operator: Operator, dice: Random) -> None:
    """Cut between any two messages or answers: all before it were read, none after it."""
    operator.faults.close_after = round(dice.uniform(1, 2500))


def _at_a_moment(operator: Operator, dice: Random) -> None:
    """Cut with whatever is on the wire."""
    reactor.callLater(dice.uniform(0, 0.3), operator.disconnect)


def _after_a_silence(operator: Operator, dice: Random) -> None:
    """Cut when nothing of what the daemon wrote last has been read."""

    def cut() -> None:
        operator.faults.silent = False
        operator.disconnect()

    def fall_silent() -> None:
        operator.faults.silent = True
        reactor.callLater(dice.uniform(0.005, 0.05), cut)

    reactor.callLater(dice.uniform(0, 0.3), fall_silent)


def _is_gone(operator: Operator, connection: int) -> bool:
    return connection not in {found.connection for found in operator.bound}


@pytest_twisted.ensureDeferred
async def test_two_equal_texts_of_one_mobile_get_two_answers(
    operator: Operator, daemon: Daemon
) -> None:
    """Whoever asks the same again is answered again: at once, and on a new connection."""
    mobile, other = "989120000001", "989120000002"
    for _ in range(2):
        operator.send_text(mobile, LINE, TEXT)
    await until(lambda: len(operator.answers_to(mobile)) == 2, "both are answered")
    # Its answer shows that the daemon has read all that the operator sent before.
    await operator.ask(other, TEXT)
    operator.disconnect()
    await until(lambda: not operator.bound, "the connection is cut")
    await operator.ask(mobile, TEXT)
    assert len(operator.answers_to(mobile)) == 3
    assert len(operator.answers_to(other)) == 1


@pytest_twisted.ensureDeferred
async def test_an_equal_text_after_a_kill_is_answered(operator: Operator, daemon: Daemon) -> None:
    """A kill makes a redelivery only of what the operator may not know to be taken."""
    mobile, other = "989120000001", "989120000002"
    await operator.ask(mobile, TEXT)
    await operator.ask(other, TEXT)
    daemon.end()
    await until(lambda: not operator.bound, "the operator sees the loss")
    daemon.start()
    await operator.ask(mobile, TEXT)
    assert len(operator.answers_to(mobile)) == 2


@pytest_twisted.ensureDeferred
async def test_a_cut_before_the_answer_only_delays_it(operator: Operator, daemon: Daemon) -> None:
    """The operator cuts right after an acknowledgement: its answer comes all the same, once."""
    mobile = "989120000003"
    operator.send_text(mobile, LINE, TEXT)
    operator.faults.close_after = 1  # that is the acknowledgement, before the submit_sm is read
    await until(lambda: operator.totals.connections_lost == 1, "the connection is cut")
    await until(lambda: not operator.waiting, "the text is acknowledged")
    await until(lambda: operator.answers_to(mobile), "it is answered")
    await operator.ask("989120000004", TEXT)
    load = Load(operator)
    load.mobiles = [mobile, "989120000004"]
    load.assert_stored_once(daemon.url)
