"""``kill -9`` at any moment.

No acknowledged message is without its answer, and none is answered twice but those whose
submission was in flight.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from random import Random
from threading import Timer

import pytest
import pytest_twisted

from tests.acceptance.conftest import Daemon, Daemons, Operator
from tests.acceptance.load import Load
from tests.waiting import until

SEED = int(os.environ.get("PEYK_KILL_SEED", "1404"))


def _has_got(operator: Operator, submits: int) -> bool:
    return operator.totals.submits >= submits


def processor_seconds(daemon: Daemon) -> float:
    """What the daemon has used: unlike time, it says how fast it is on a machine that is busy."""
    assert daemon.process is not None
    stat = Path(f"/proc/{daemon.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("engine", "kills"), [("sqlite", 20), ("postgresql", 6)])
@pytest_twisted.ensureDeferred
async def test_a_killed_daemon_answers_every_message_and_none_twice(
    engine: str, kills: int, operator: Operator, daemons: Daemons, request: pytest.FixtureRequest
) -> None:
    """Under load the daemon is killed again and again, and nothing is lost or repeated."""
    dice = Random(SEED)  # noqa: S311 - to be the same again
    url = request.getfixturevalue("postgresql_filled") if engine == "postgresql" else ""
    daemon = daemons(operator.port, url=url)
    load = Load(operator)
    load.begin()
    killed: set[int] = set()
    starting: list[float] = []
    spent = answered = 0.0
    for _ in range(kills):
        began = time.monotonic()
        daemon.start()
        await until(lambda: operator.bound, "the daemon is bound again")
        starting.append(time.monotonic() - began)
        before_load = processor_seconds(daemon)
        (esme,) = operator.bound
        before = operator.totals.submits
        # Mostly in the midst of a run, now and then at the first answers after a start.
        moment = before + round(dice.uniform(1, 1500) * dice.choice((0.02, 1, 1, 1)))
        await until(partial(_has_got, operator, moment), "some more are answered")
        spent += processor_seconds(daemon) - before_load
        # By a thread of its own: at any point of what operator and daemon are doing.
        Timer(dice.uniform(0, 0.03), daemon.kill).start()
        await until(lambda: not daemon.is_running, "the daemon is dead")
        killed.add(esme.connection)
        answered += operator.totals.submits - before
        await until(lambda: not operator.bound, "the operator sees the loss")
    load.end()
    daemon.start()
    await load.all_answered()
    daemon.end()
    doubles = load.doubles(killed)
    print(  # noqa: T201 - what the run was like
        f"seed {SEED}, {engine}: {len(load.mobiles)} messages, "
        f"{answered / spent:.0f} in a second of its processor, "
        f"{kills} kills, {operator.totals.redelivered} redelivered, "
        f"sent twice: {sum(doubles.values())} {sorted(doubles.values())}, "
        f"start {max(starting):.2f} s at most"
    )
    assert answered / spent >= 500
    load.assert_stored_once(daemon.url)
    assert not daemon.complaints()
