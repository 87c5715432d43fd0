"""A line with several binds: answers go where one is up, and back when the first one is."""

from __future__ import annotations

import pytest_twisted

from gateway.smpp.settings import Mode
from tests.acceptance.conftest import LINE, Daemons, Operator
from tests.waiting import until

MOBILE = "989131234567"
BIND = """
[[binds]]
name = "{name}"
host = "127.0.0.1"
port = {port}
system_id = "peyk"
password = "demo"
mode = "{mode}"
backoff_first = 0.05
backoff_longest = 0.2
"""


@pytest_twisted.ensureDeferred
async def test_answers_fail_over_and_return(
    operator: Operator, second_operator: Operator, daemons: Daemons
) -> None:
    """Texts come in on a receiver; answers leave on the first transmitter that is up."""
    first, second = operator, second_operator
    more = BIND.format(name="in", port=second.port, mode="receiver")
    more += BIND.format(name="second", port=second.port, mode="transmitter")
    daemon = daemons(first.port, more=more, binds=("operator", "second"))
    daemon.start()
    await until(lambda: first.bound and len(second.bound) == 2, "all are bound")
    assert {bound.mode for bound in second.bound} == {Mode.RECEIVER, Mode.TRANSMITTER}

    second.send_text(MOBILE, LINE, "9")
    await until(lambda: len(first.submits) == 1, "the first takes the answer")
    await first.stop()
    await daemon.until_health(lambda found: found["status"] == "degraded", "the first is down")
    second.send_text(MOBILE, LINE, "9")
    await until(lambda: len(second.submits) == 1, "the second takes the answer")
    await first.open()
    await daemon.until_health(lambda found: found["status"] == "healthy", "the first is back")
    second.send_text(MOBILE, LINE, "9")
    await until(lambda: len(first.submits) == 2, "the first takes answers again")
    assert len(second.submits) == 1


@pytest_twisted.ensureDeferred
async def test_an_answer_waits_for_a_bind_that_can_send(
    operator: Operator, second_operator: Operator, daemons: Daemons
) -> None:
    """Taken while nothing can be sent, answered as soon as something can."""
    transmitters, receivers = operator, second_operator
    await transmitters.stop()
    daemon = daemons(
        transmitters.port, more=BIND.format(name="in", port=receivers.port, mode="receiver")
    )
    daemon.start()
    await until(lambda: receivers.bound, "texts can come in")
    (text,) = receivers.send_text(MOBILE, LINE, "9")
    await until(lambda: text.acknowledged, "it is taken")
    assert not transmitters.submits
    await transmitters.open()
    await until(lambda: transmitters.submits, "it is answered")


@pytest_twisted.ensureDeferred
async def test_a_bind_that_is_paused_leaves_its_messages_to_the_next(
    operator: Operator, second_operator: Operator, daemons: Daemons
) -> None:
    """It unbinds at once, stays away after a restart, and comes back when it is resumed."""
    first, second = operator, second_operator
    more = BIND.format(name="second", port=second.port, mode="transceiver")
    daemon = daemons(first.port, more=more, binds=("operator", "second"))
    daemon.start()
    await until(lambda: first.bound and second.bound, "both are bound")
    done = await daemon.peyk("service", "pause", "bind:operator", "--by", "reza")
    assert done.returncode == 0, done.stderr
    await until(lambda: not first.bound, "the first has unbound")
    second.send_text(MOBILE, LINE, "9")
    await until(lambda: len(second.submits) == 1, "the second takes the answer")

    daemon.end()
    await until(lambda: not second.bound, "the daemon is gone")
    daemon.start()
    await until(lambda: len(second.bound) == 1, "the second is bound again")
    await daemon.until_health(
        lambda found: any("paused by reza" in problem for problem in found["problems"]),
        "health says who has paused it",
    )
    assert not first.bound
    await daemon.peyk("service", "resume", "bind:operator")
    await until(lambda: first.bound, "the first is bound again")
    first.send_text(MOBILE[:-1] + "8", LINE, "9")
    await until(lambda: len(first.submits) == 1, "the first takes answers again")
