"""The control door of the simulated operator, called as the command calls it."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from gateway.messages import InboundSms, OutboundSms
from gateway.smpp import smsc_control
from gateway.smpp.handsets import international
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


@pytest.mark.parametrize(
    ("request_line", "words"),
    [
        (b"no json", "Expecting value"),
        (b"[" * 60_000, "recursion"),
        (b'{"cmd": "send", "from": "0", "to": "1", "text": "", "wait": NaN}', "wait is a number"),
        (b"[]", "a request is a JSON object"),
        (b'{"cmd": "dance"}', "cmd is one of send, dial, type, abort, status, faults, stop"),
        (b'{"cmd": "send", "from": "0913"}', "send needs from, to and text"),
        (b'{"cmd": "send", "from": "0", "to": "1", "text": "", "wait": "x"}', "wait is a number"),
        (b'{"cmd": "faults", "drop": "many"}', "drop is a number"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_door_tells_what_is_wrong_with_a_request(
    tmp_path: Path, request_line: bytes, words: str
) -> None:
    """A foolish line gets one answer in words, and then the door is closed."""
    path = str(tmp_path / "smsc")
    port = await open_door(SimulatedSmsc(), path, lambda: None)

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(5)
            caller.connect(path)
            caller.sendall(request_line + b"\n")
            with caller.makefile("rb") as lines:
                return lines.read()

    told = json.loads(await deferToThread(ask))
    assert (told["type"], told["code"]) == ("error", "bad_request")
    assert words in told["message"]
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_nobody_answers_a_silent_line(binder: Binder, tmp_path: Path) -> None:
    """Without an answer the command ends after its wait, with nothing and no error."""
    smsc, _ = await binder(SimulatedSmsc())
    path = str(tmp_path / "smsc")
    port = await open_door(smsc, path, lambda: None)
    found = await deferToThread(
        lambda: list(smsc_control.send_text(path, "09131234567", LINE, "010", 0.05))
    )
    assert found == []
    assert smsc._watchers == {}
    await port.stopListening()


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("09131234567", "989131234567"),
        ("9131234567", "989131234567"),
        ("+989131234567", "989131234567"),
        ("00989131234567", "989131234567"),
        ("989131234567", "989131234567"),
        ("4915112345678", "4915112345678"),
    ],
)
def test_a_mobile_is_written_as_an_smsc_writes_it(typed: str, written: str) -> None:
    """However a person types a mobile, the text comes from its international number."""
    assert international(typed) == written
