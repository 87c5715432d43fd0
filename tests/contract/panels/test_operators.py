"""What every operator must do for the daemon: SMPP and each of the panels alike."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from core.tables import inbox
from tests.contract.panels.conftest import SmppOperator, numbers, queue, tell, until
from tests.contract.panels.servers import Fault
from tests.integration.conftest import MOBILE


@pytest_twisted.ensureDeferred
async def test_a_message_is_accepted_and_delivered(operator: Any) -> None:
    """Its receipt settles it, with the operator's id and time."""
    world = operator.world
    queue(world, MOBILE, parts=["بخش نخست ", "و بخش دوم"])
    await until(world, lambda: operator.taken)
    await until(world, lambda: set(tell(world, "state")) <= {"accepted", "delivered"})
    operator.settle(0, "delivered")
    await until(world, lambda: set(tell(world, "state")) == {"delivered"})
    assert operator.taken == [(MOBILE[-10:], "بخش نخست و بخش دوم")]


@pytest_twisted.ensureDeferred
async def test_a_message_that_could_not_be_delivered_has_failed(operator: Any) -> None:
    """With the operator's word for why."""
    world = operator.world
    if isinstance(operator, SmppOperator):
        operator.will_settle("failed")
    queue(world, MOBILE)
    await until(world, lambda: operator.taken)
    operator.settle(0, "failed")
    await until(world, lambda: tell(world, "state") == ["undeliverable"])
    assert tell(world, "error") != [None]


@pytest_twisted.ensureDeferred
async def test_a_blocked_mobile_gets_nothing(operator: Any) -> None:
    """And is not tried again."""
    world = operator.world
    operator.block(MOBILE)
    queue(world, MOBILE)
    await until(world, lambda: tell(world, "state") == ["suppressed"])
    assert operator.taken == []


@pytest_twisted.ensureDeferred
async def test_what_is_refused_for_now_goes_later(operator: Any) -> None:
    """Once."""
    world = operator.world
    for fault in (Fault.BUSY, Fault.THROTTLED):
        operator.fault(fault)
        queue(world, MOBILE)
        await until(world, lambda: "waiting" in tell(world, "state"))
        await until(world, lambda: "waiting" not in tell(world, "state"), step=0.3)
    await until(world, lambda: set(tell(world, "state")) <= {"accepted", "delivered"})
    assert operator.taken == [(MOBILE[-10:], "یک پیام")] * 2


@pytest_twisted.ensureDeferred
async def test_no_answer_makes_no_second_message(operator: Any) -> None:
    """Whoever can be asked is; else it stays uncertain, for people to decide."""
    world = operator.world
    operator.fault(Fault.SILENT)
    queue(world, MOBILE, again=False)
    ends = "accepted" if operator.knows_doubts else "uncertain"
    await until(world, lambda: tell(world, "state") == [ends], step=0.5)
    assert len(operator.taken) <= 1


@pytest_twisted.ensureDeferred
async def test_texts_come_in_once_and_are_answered(operator: Any) -> None:
    """By the operator that they came through."""
    world = operator.world
    people = numbers(3)
    for mobile in people:
        operator.text(mobile, "راهنما")
    await until(world, lambda: len(operator.taken) == 3)
    assert sorted(world.received) == ["answered"] * 3
    assert sorted(row.mobile for row in world.rows(inbox)) == people
    assert sorted(mobile for mobile, _text in operator.taken) == [each[-10:] for each in people]
