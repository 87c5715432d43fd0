"""The control door of the simulated operator, called as the command calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from gateway.messages import InboundSms, OutboundSms
from gateway.smpp import smsc_control
from gateway.smpp.smsc import SimulatedSmsc
from gateway.smpp.smsc_control import Answer, SmscError
from gateway.smpp.smsc_door import open_door

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.smpp.conftest import Binder, Memory

LINE = "100034122"


@pytest_twisted.ensureDeferred
async def test_the_command_prints_what_came_back(
    binder: Binder, memory: Memory, tmp_path: Path
) -> None:
    """A text typed with a leading 0 is answered, and the answer comes out of the door."""
    smsc, _ = await binder(SimulatedSmsc())
    path = str(tmp_path / "smsc")
    port = await open_door(smsc, path, lambda: None)
    waiting = deferToThread(
        lambda: list(smsc_control.send_text(path, "09131234567", LINE, "۰۱۰", 5))
    )
    await memory.until(lambda: bool(memory.deliveries))
    content = memory.deliveries[0].content
    assert isinstance(content, InboundSms)
    assert (content.source, content.text) == ("989131234567", "۰۱۰")
    memory.connections[0].submit(
        [OutboundSms(1, LINE, content.source, "بدهی", None, receipt=False, validity=None)]
    )
    assert await waiting == [Answer("بدهی", 1)]
    assert (await deferToThread(smsc_control.status, path))["totals"]["messages"] == 1
    assert (await deferToThread(smsc_control.set_faults, path, throttle=2))["throttle"] == 2
    assert smsc.faults.throttle == 2
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_the_command_hears_why_nothing_can_be_sent(tmp_path: Path) -> None:
    """No operator, no ESME and a foolish request are three different clear errors."""
    path = str(tmp_path / "smsc")

    async def code_of(line: str, mobile: str = "09131234567") -> str:
        def call() -> None:
            list(smsc_control.send_text(path, mobile, line, "010", 1))

        with pytest.raises(SmscError) as error:
            await deferToThread(call)
        return error.value.code

    assert await code_of(LINE) == "not_running"
    smsc = SimulatedSmsc()
    stops: list[bool] = []
    port = await open_door(smsc, path, lambda: stops.append(True))
    assert await code_of(LINE) == "no_esme_bound"
    with pytest.raises(SmscError, match="no such fault"):
        await deferToThread(smsc_control.set_faults, path, nonsense=1)
    await deferToThread(smsc_control.stop, path)
    assert stops == [True]
    await port.stopListening()
