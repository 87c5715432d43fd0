"""What only SMPP has: sessions that we begin, refusals, patience by the clock, the door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from gateway.messages import Screen, ScreenKind, SendStatus, Temporary, UssdEvent
from gateway.smpp import smsc_control
from gateway.smpp.dialects import PRESETS, SessionPlace, UssdDialect
from gateway.smpp.pdus import Unencodable
from gateway.smpp.smsc_control import SmscError
from gateway.smpp.smsc_door import open_door
from gateway.smpp.smsc_ussd import End, HandsetSession, UssdNetwork
from tests.contract.ussd.drivers import CODE, Menu
from tests.contract.ussd.over_smpp import SmppNetwork

ALI = "989161234567"


@pytest_twisted.async_yield_fixture(params=PRESETS)
async def smpp(request: pytest.FixtureRequest, menu: Menu) -> AsyncIterator[SmppNetwork]:
    """A network of each preset."""
    made = SmppNetwork(menu, PRESETS[request.param])
    await made.start()
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def sixdee(menu: Menu) -> AsyncIterator[SmppNetwork]:
    """A network of one preset."""
    made = SmppNetwork(menu, PRESETS["sixdee"])
    await made.start()
    yield made
    await made.stop()


def _ours(kind: ScreenKind) -> Screen:
    return Screen(1, kind, str(2**60 + 77), ALI, CODE, "قرائت کنتور؟")


@pytest_twisted.ensureDeferred
async def test_we_begin_a_session_that_asks(smpp: SmppNetwork, menu: Menu) -> None:
    """The handset shows it, and its answer names the session as the network has room for."""
    opened: list[HandsetSession] = []
    smpp.smsc.ussd.on_opened = opened.append
    menu.connections[0].show([_ours(ScreenKind.OPEN)])
    await menu.until(lambda: bool(menu.results))
    (session,) = opened
    assert (session.code, session.screens, session.asks) == (CODE, ["قرائت کنتور؟"], True)
    smpp.smsc.ussd.type(session, "1234")
    await menu.until(lambda: bool(menu.inputs))
    (answer,) = menu.inputs
    assert (answer.event, answer.text, answer.mobile) == (UssdEvent.ANSWER, "1234", ALI)
    assert int(answer.session) == 77
    await menu.until(lambda: len(session.screens) == 2 and len(menu.results) == 2)
    assert menu.failed == []


@pytest_twisted.ensureDeferred
async def test_we_notify(smpp: SmppNetwork, menu: Menu) -> None:
    """It is shown and confirmed, and nothing waits for an answer."""
    menu.connections[0].show([_ours(ScreenKind.NOTIFY)])
    await menu.until(lambda: bool(menu.inputs))
    assert menu.inputs[0].event is UssdEvent.CONFIRM
    assert smpp.smsc.ussd.live(ALI) is None
    assert smpp.smsc.ussd.totals.opened == 1


@pytest_twisted.ensureDeferred
async def test_a_handset_in_a_session_is_not_asked(sixdee: SmppNetwork, menu: Menu) -> None:
    """One session at a time: the screen of ours comes back, and the other one goes on."""
    phone = sixdee.phone(ALI)
    await phone.dial(CODE)
    menu.connections[0].show([_ours(ScreenKind.OPEN)._replace(id=9)])
    await menu.until(lambda: any(each.id == 9 for each in menu.results))
    assert [each.status for each in menu.failed] == [SendStatus.PERMANENT]
    assert (await phone.type("1")).text == "answer 1"


@pytest_twisted.ensureDeferred
async def test_the_operator_keeps_what_is_refused_for_now(sixdee: SmppNetwork, menu: Menu) -> None:
    """While nothing can be stored the network holds the input, and brings it again."""
    menu.mute = True
    sixdee.smsc.ussd.dial(ALI, CODE)
    await menu.until(lambda: bool(menu.inputs))
    menu.connections[0].refuse([menu.sequences[0]], Temporary.APPLICATION_ERROR)
    await menu.until(lambda: len(menu.inputs) == 2)
    assert menu.inputs[0] == menu.inputs[1]
    assert sixdee.smsc.totals.refused_for_now == 1


@pytest_twisted.ensureDeferred
async def test_throttled_screens_come_back_as_such(sixdee: SmppNetwork, menu: Menu) -> None:
    """The handset goes on waiting, and gets the screen when it is shown again."""
    sixdee.smsc.faults.throttle = 1
    session = sixdee.smsc.ussd.dial(ALI, CODE)
    await menu.until(lambda: bool(menu.results))
    assert menu.results[0].status is SendStatus.THROTTLED
    assert session.screens == []
    menu.show(menu.inputs[0], menu.connections[0])
    await menu.until(lambda: len(menu.results) == 2)
    assert session.asks


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        (PRESETS["sixdee"], 2),
        (PRESETS["default"], 2),
        (PRESETS["mica"], 1),
        (UssdDialect(session=SessionPlace.MOBILE, end_op=0x11, timeout_ops=(0x90,)), 2),
    ],
)
def test_patience_ends_by_the_clock(dialect: UssdDialect, told: int) -> None:
    """So many seconds after the last thing that happened, whoever was to go on."""
    clock = Clock()
    bodies: list[bytes] = []
    network = UssdNetwork(dialect, clock, lambda *parts: bodies.append(parts[2]), timeout=60)
    first = network.dial(ALI, CODE)
    clock.advance(59)
    other = network.dial("989131234567", CODE)
    assert len(network) == 2
    clock.advance(1)
    assert (first.end, other.end) == (End.TIMEOUT, None)
    assert len(bodies) == 1 + told
    clock.advance(59)
    assert other.end is End.TIMEOUT
    assert network.totals.timeouts == 2
    assert clock.getDelayedCalls() == []


def test_what_no_pdu_holds_is_not_typed() -> None:
    """It is told in words for who sits at the terminal."""
    network = UssdNetwork(PRESETS["sixdee"], Clock(), lambda *_: None, timeout=60)
    with pytest.raises(Unencodable, match="no more than 254 octets"):
        network.dial(ALI, f"*1522*{'1' * 300}#")


# --- the control door ---------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_terminal_walks_a_session(sixdee: SmppNetwork, menu: Menu, tmp_path: Path) -> None:
    """Screen for screen until the last; hanging up, foolish codes and no ESME are told."""
    path = str(tmp_path / "smsc")
    port = await open_door(sixdee.smsc, path, lambda: None)

    def walk(code: str, *answers: str | None) -> list[tuple[object, ...]]:
        call = smsc_control.dial(path, "0916 123 4567", code, 5)
        told = [next(call), *(call.send(answer) for answer in answers)]
        return [tuple(each) for each in told]

    assert await deferToThread(walk, "*1522*2#", "5", "0", None) == [
        ("begin *1522*2#", True),
        ("answer 5", True),
        ("answer 0", False),
        ("last",),
    ]
    assert await deferToThread(walk, CODE, None) == [("begin *1522#", True), ("aborted",)]
    assert menu.inputs[-1].event is UssdEvent.ABORT
    with pytest.raises(SmscError) as caught:
        await deferToThread(walk, "salam")
    assert caught.value.code == "bad_request"
    assert "dial such as *1522#" in str(caught.value)
    told = await deferToThread(smsc_control.status, path)
    assert (told["ussd"]["dials"], told["ussd"]["sessions"]) == (2, 0)
    await sixdee.service.stopService()
    with pytest.raises(SmscError) as caught:
        await deferToThread(walk, CODE)
    assert caught.value.code == "no_esme_bound"
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_who_leaves_the_terminal_hangs_up(
    sixdee: SmppNetwork, menu: Menu, tmp_path: Path
) -> None:
    """Ctrl-C in the middle ends the session; without a screen the caller is told so."""
    path = str(tmp_path / "smsc")
    port = await open_door(sixdee.smsc, path, lambda: None)

    def leave() -> None:
        call = smsc_control.dial(path, ALI, CODE, 5)
        next(call)
        call.close()

    await deferToThread(leave)
    await menu.until(lambda: menu.inputs[-1].event is UssdEvent.ABORT)
    menu.mute = True
    waited = await deferToThread(lambda: list(smsc_control.dial(path, ALI, CODE, 0.05)))
    assert waited == [smsc_control.End(smsc_control.NO_SCREEN)]
    assert len(sixdee.smsc.ussd) == 0
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_who_types_too_late_is_told(sixdee: SmppNetwork, menu: Menu, tmp_path: Path) -> None:
    """The network has ended the session meanwhile: that is what the terminal hears next."""
    path = str(tmp_path / "smsc")
    port = await open_door(sixdee.smsc, path, lambda: None)
    call = smsc_control.dial(path, ALI, CODE, 5)
    assert await deferToThread(next, call) == smsc_control.Screen("begin *1522#", asks=True)
    session = sixdee.smsc.ussd.live(ALI)
    assert session is not None
    session.due = 0.0
    sixdee.smsc.ussd.ring()
    assert await deferToThread(call.send, "1") == smsc_control.End("timeout")
    await menu.until(lambda: menu.inputs[-1].event is UssdEvent.ABORT)
    await port.stopListening()
