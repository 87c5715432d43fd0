"""Every path of every shipped menu, in every dialect, over real networks and a real database.

What a handset shows must be what the same walk shows without any network: nothing of a
screen is lost on its way, and nothing that is typed. What the screens should say is tested
where the menus are (``tests/unit/ussd``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_twisted
from sqlalchemy import func, select
from twisted.internet.defer import ensureDeferred

from core import demo
from core.calls import Argument
from core.secrecy import Keys
from core.tables import readings, subscribers
from gateway.messages import ScreenKind, UssdEvent
from gateway.ussd.menu import YES
from tests.contract.ussd.daemons import daemon_of
from tests.contract.ussd.drivers import CODE, Phone, Seen
from tests.contract.ussd.networks import NETWORKS
from tests.integration.conftest import World
from tests.talking import OWNER
from tests.walks import DIALLED, SAMPLES, Path_, is_yes, paths_of, talker_of

PLACE = 1
"""Of the sample subscription that strangers ask about."""
OWNED = 2
"""Of the one that ``OWNER`` is registered to."""
BETWEEN = 900.0
"""Seconds between two walks: nothing is left to go on with."""
Transcript = list[Seen]


class Walk(NamedTuple):
    """One walk through one menu."""

    profile: str
    mobile: str
    dialled: str
    typed: tuple[str, ...]


def _walks() -> Iterator[Walk]:
    """Strangers go step by step; who is registered dials as much as can be dialled at once."""
    numbers = count(1)
    for profile in DIALLED:
        menu = talker_of(profile).menus.own
        for path in paths_of(menu):
            mobile = f"98916{next(numbers):07}"
            yield Walk(profile, mobile, CODE, _answers(profile, path))
        for path in paths_of(menu, registered=True):
            rest = [
                answer
                for answer, need in zip(_answers(profile, path), path.needs, strict=True)
                if need is not None
            ]
            yield Walk(profile, OWNER, path.deep(), tuple(rest))


def _answers(profile: str, path: Path_) -> tuple[str, ...]:
    number = demo.number_of(PLACE, profile)
    known = {Argument.NUMBER: number, Argument.CODE: demo.code_of(int(number), profile)}
    return tuple(
        known.get(need, typed) if need else typed
        for typed, need in zip(path.typed, path.needs, strict=True)
    )


WALKS = list(_walks())


class DirectPhone:
    """A handset without a network: inputs are given to the daemon, screens are taken from it."""

    def __init__(self, world: World, mobile: str) -> None:
        self._world = world
        self._connection = world.bind()
        self._about: dict[str, Any] = {"mobile": mobile, "session": mobile[-5:]}

    async def dial(self, dialled: str) -> Seen:
        """Dial; return the first screen."""
        self._world.dial(self._connection, dialled, **self._about)
        return self._screen()

    async def type(self, typed: str) -> Seen:
        """Answer the screen that is shown; return the next one."""
        self._world.type(self._connection, typed, **self._about)
        return self._screen()

    async def abort(self) -> None:
        """Hang up."""
        self._world.dial(self._connection, "", event=UssdEvent.ABORT, **self._about)

    def _screen(self) -> Seen:
        (screen,) = self._connection.screens
        self._world.shown(self._connection)
        return Seen(screen.text, asks=screen.kind is ScreenKind.ASK)


class Walker:
    """Walks through a daemon's menus, one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def walk(self, walk: Walk, phone: Phone | DirectPhone) -> Transcript:
        """Dial, type what is asked for, and confirm; everything that was shown."""
        talker = self._world.talkers[CODE] = talker_of(walk.profile)
        real = self._real(walk)
        seen = [await phone.dial(walk.dialled)]
        seen += [await phone.type(real.get(typed, typed)) for typed in walk.typed]
        if is_yes(talker.menus.own, seen[-1].text):
            seen.append(await phone.type(YES))
        if seen[-1].asks:
            await phone.abort()
        self._world.clock.advance(BETWEEN)
        return seen

    def _real(self, walk: Walk) -> dict[str, str]:
        """A reading that is a little more than the last one, and a bill ID that there is."""
        place = OWNED if walk.mobile == OWNER else PLACE
        number = demo.number_of(place, walk.profile)
        found = (
            select(func.max(readings.c.reading), subscribers.c.bill_id)
            .join(readings, readings.c.subscriber_id == subscribers.c.id)
            .where(subscribers.c.utility == walk.profile, subscribers.c.number == number)
            .group_by(subscribers.c.bill_id)
        )
        last, bill_id = self._world.database.read("test", lambda c: c.execute(found).one())
        told = {SAMPLES[Argument.READING]: str(last + 3)}
        if SAMPLES[Argument.PAYMENT_ID] not in walk.typed:
            told[SAMPLES[Argument.BILL_ID]] = bill_id
        return told


@pytest.fixture(scope="module")
def transcripts(
    samples: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys
) -> list[Transcript]:
    """What each walk shows without a network."""
    world = daemon_of(samples, tmp_path_factory.mktemp("direct") / "db", keys)
    walker = Walker(world)

    async def walk_all() -> list[Transcript]:
        return [await walker.walk(each, DirectPhone(world, each.mobile)) for each in WALKS]

    found: list[Transcript] = pytest_twisted.blockon(ensureDeferred(walk_all()))
    world.database.close()
    return found


@pytest_twisted.async_yield_fixture(params=[name for name in NETWORKS if name != "by_address"])
async def walked(
    request: pytest.FixtureRequest, samples: Path, tmp_path: Path, keys: Keys
) -> AsyncIterator[Any]:
    """A daemon behind a network, and what walks through it."""
    world = daemon_of(samples, tmp_path / "db", keys)
    network = NETWORKS[request.param](world.inbound)
    await network.start()
    walker = Walker(world)

    async def walk(each: Walk) -> Transcript:
        return await walker.walk(each, network.phone(each.mobile))

    yield walk
    await network.stop()
    world.database.close()


@pytest_twisted.ensureDeferred
async def test_every_path_shows_what_it_should(walked: Any, transcripts: list[Transcript]) -> None:
    """Screen for screen, to the last letter, and all of it fits."""
    for walk, expected in zip(WALKS, transcripts, strict=True):
        assert await walked(walk) == expected, walk
        assert all(0 < len(seen.text) <= 80 for seen in expected), walk
