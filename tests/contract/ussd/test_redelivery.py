"""What an operator delivers again because it never read our answer: done once, shown again."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from sqlalchemy import select
from twisted.internet.defer import Deferred, ensureDeferred

from core.secrecy import Keys
from core.tables import readings
from gateway.smpp.dialects import PRESETS
from tests.contract.ussd.daemons import daemon_of
from tests.contract.ussd.drivers import CODE, Seen
from tests.contract.ussd.over_smpp import SmppNetwork
from tests.integration.conftest import World
from tests.talking import OWNER
from tests.waiting import until
from tests.walks import talker_of

LORESTAN = "lorestan-water"


def _declared(world: World) -> list[int]:
    found = select(readings.c.reading).where(readings.c.source == "ussd")
    return world.database.read("test", lambda c: list(c.execute(found).scalars()))


@pytest.mark.parametrize("dialect", PRESETS)
@pytest_twisted.ensureDeferred
async def test_a_reading_counts_once(
    dialect: str, samples: Path, tmp_path: Path, keys: Keys
) -> None:
    """Confirmed and booked; acknowledgement and screen are lost with the connection."""
    world = daemon_of(samples, tmp_path / "db", keys)
    world.talkers[CODE] = talker_of(LORESTAN)
    network = SmppNetwork(world.inbound, PRESETS[dialect])
    await network.start()
    phone = network.phone(OWNER)
    asked = await phone.dial("*1522*3*2#")
    assert asked.asks
    await phone.type("15760")

    network.smsc.faults.silent = True
    booked: Deferred[Seen] = ensureDeferred(phone.type("1"))
    await until(lambda: _declared(world), "the reading is stored")
    reconnecting = ensureDeferred(network.lose_answer())
    network.smsc.faults.silent = False
    await reconnecting

    assert "ثبت شد" in (await booked).text
    assert _declared(world) == [15760]
    assert world.inbound.counters["ussd_repeated"] == 1
    assert (await phone.type("0")).text.startswith("صورتحساب")
    assert network.smsc.ussd.totals.late == 0
    await network.stop()
    world.database.close()
