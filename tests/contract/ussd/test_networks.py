"""USSD as every network brings it: what is dialled, typed, given up and delivered again."""

from __future__ import annotations

import pytest_twisted
from twisted.internet.defer import Deferred, ensureDeferred

from gateway.messages import SendStatus, UssdEvent
from tests.contract.ussd.drivers import CODE, LAST, Menu, Network, Seen

ALI, SARA = "989161234567", "989131234567"
SCREEN = "بدهی اشتراک ۱۰۰۰۰۰۰۱: ۱۲۳۴۰۰۰ ریال\n۱ پرداخت\n۲ پیامک\n۰ بازگشت\n۰۰ فهرست اصلی\nپایان"


@pytest_twisted.ensureDeferred
async def test_a_session_from_dialling_to_its_last_screen(network: Network, menu: Menu) -> None:
    """What is dialled begins it, whole; each answer gets its screen; the last one ends it."""
    phone = network.phone(ALI)
    assert await phone.dial("*1522*2*1#") == Seen("begin *1522*2*1#", asks=True)
    assert await phone.type("2") == Seen("answer 2", asks=True)
    assert await phone.type("۱۲") == Seen("answer ۱۲", asks=True)
    assert await phone.type(LAST) == Seen("answer 0", asks=False)
    assert not phone.has_session
    await menu.until(lambda: len(menu.results) == menu.screens)
    assert {each.session for each in menu.inputs} == {menu.inputs[0].session}
    assert menu.inputs[0].mobile.endswith(ALI)
    assert menu.inputs[0].code in (CODE, "1522", "")
    turns = [each.turn for each in menu.inputs if each.turn]
    assert len(set(turns)) == len(turns)
    assert menu.failed == []


@pytest_twisted.ensureDeferred
async def test_who_hangs_up_ends_the_session(network: Network, menu: Menu) -> None:
    """The end is told where the network can; what is shown after it reaches nobody."""
    phone = network.phone(ALI)
    await phone.dial(CODE)
    await phone.abort()
    assert not phone.has_session
    await _end_is_heard(network, menu)


@pytest_twisted.ensureDeferred
async def test_the_network_loses_patience(network: Network, menu: Menu) -> None:
    """A screen that nobody answers ends the session, as if given up where it cannot be told."""
    phone = network.phone(ALI)
    await phone.dial(CODE)
    await phone.time_out()
    assert not phone.has_session
    await _end_is_heard(network, menu)


async def _end_is_heard(network: Network, menu: Menu) -> None:
    if network.tells_the_end:
        await menu.until(lambda: len(menu.inputs) == 2)
        told = menu.inputs[1]
        assert told.event in (UssdEvent.ABORT, UssdEvent.TIMEOUT)
        assert (told.session, told.text) == (menu.inputs[0].session, "")
    await _late_screen_reaches_nobody(menu)


async def _late_screen_reaches_nobody(menu: Menu) -> None:
    await menu.until(lambda: len(menu.results) == menu.screens)
    menu.show(menu.inputs[0], menu.connections[0])
    await menu.until(lambda: len(menu.results) == menu.screens)
    assert menu.results[-1].status not in (SendStatus.ACCEPTED, SendStatus.UNCERTAIN)


@pytest_twisted.ensureDeferred
async def test_what_was_not_acknowledged_comes_again(network: Network, menu: Menu) -> None:
    """The same input, to the last letter; the screen then reaches the handset that waits."""
    phone = network.phone(ALI)
    await phone.dial(CODE)
    menu.mute = True
    waiting: Deferred[Seen] = ensureDeferred(phone.type("2"))
    await menu.until(lambda: len(menu.inputs) == 2)
    menu.mute = False
    await network.lose_answer()
    assert await waiting == Seen("answer 2", asks=True)
    first, again = menu.inputs[1:]
    assert first == again
    assert await phone.type("3") == Seen("answer 3", asks=True)
    assert menu.inputs[-1] != again


@pytest_twisted.ensureDeferred
async def test_two_mobiles_do_not_hear_each_other(network: Network, menu: Menu) -> None:
    """Interleaved sessions keep apart, in whatever order they are answered."""
    ali, sara = network.phone(ALI), network.phone(SARA)
    menu.text_for = lambda heard: f"{heard.session} {heard.text}"
    one, two = await ali.dial("*1522*1#"), await sara.dial("*1522*2#")
    mine, hers = one.text.split()[0], two.text.split()[0]
    assert mine != hers
    assert await sara.type("5") == Seen(f"{hers} 5", asks=True)
    assert await ali.type("6") == Seen(f"{mine} 6", asks=True)
    await ali.type(LAST)
    assert not ali.has_session
    assert await sara.type("7") == Seen(f"{hers} 7", asks=True)


@pytest_twisted.ensureDeferred
async def test_dialling_anew_begins_anew(network: Network, menu: Menu) -> None:
    """Another session with another name; a screen for the old one reaches nobody."""
    phone = network.phone(ALI)
    await phone.dial(CODE)
    assert await phone.dial("*1522*3#") == Seen("begin *1522*3#", asks=True)
    begins = [each for each in menu.inputs if each.event is UssdEvent.BEGIN]
    assert begins[0].session != begins[1].session
    await _late_screen_reaches_nobody(menu)
    assert await phone.type("1") == Seen("answer 1", asks=True)


@pytest_twisted.ensureDeferred
async def test_a_full_persian_screen_arrives_whole(network: Network, menu: Menu) -> None:
    """Eighty units of UCS-2, with Persian digits and line breaks."""
    menu.text_for = lambda _: SCREEN
    assert len(SCREEN) == 80
    assert await network.phone(ALI).dial(CODE) == Seen(SCREEN, asks=True)
    await menu.until(lambda: len(menu.results) == menu.screens)
    assert menu.failed == []
