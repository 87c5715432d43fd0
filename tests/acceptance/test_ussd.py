"""Sessions over SMPP with a daemon that runs: killed in their midst, and from a terminal."""

from __future__ import annotations

import json
from datetime import datetime

import pytest_twisted
from twisted.internet.defer import Deferred

from core import demo
from core.database import Database
from core.demo import FIRST_NUMBER, code_of
from core.jalali import TEHRAN
from core.secrecy import Keys
from core.text import persian_digits
from gateway.smpp.smsc_door import open_door
from gateway.smpp.smsc_ussd import HandsetSession
from tests.acceptance.conftest import KEY, Daemon, Daemons, Operator, reactor
from tests.acceptance.test_codes import last_reading, query
from tests.waiting import DEADLINE, until

MOBILE = "989160000001"
CODE = """
ussd = "default"

[[lines]]
number = "*1522#"
profile = "kerman-water"
binds = ["operator"]
"""


async def shown(session: HandsetSession) -> str:
    """The next screen."""
    changed: Deferred[HandsetSession] = Deferred()
    session.on_change = lambda _: None if changed.called else changed.callback(session)
    await changed.addTimeout(DEADLINE, reactor)
    return session.screens[-1]


async def typed(operator: Operator, session: HandsetSession, *answers: str) -> str:
    """Type these, one a screen; the last screen."""
    for answer in answers:
        operator.ussd.type(session, answer)
        await shown(session)
    return session.screens[-1]


def _readings(daemon: Daemon) -> int:
    asked = "SELECT count(*) AS sent FROM readings WHERE source = 'ussd'"
    return int(query(daemon, asked).sent)


async def _killed(operator: Operator, daemon: Daemon) -> None:
    """Kill the daemon and start it again."""
    daemon.end()
    await until(lambda: not operator.bound, "the operator notices")
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound again")


@pytest_twisted.ensureDeferred
async def test_a_session_goes_on_after_a_kill(operator: Operator, daemons: Daemons) -> None:
    """The next input continues it, and what is confirmed while it dies is booked once."""
    daemon = daemons(operator.port, more=CODE)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    number, code = str(FIRST_NUMBER), code_of(FIRST_NUMBER)
    session = operator.ussd.dial(MOBILE, "*1522#")
    await shown(session)
    await typed(operator, session, "3", number)
    await _killed(operator, daemon)
    reading = str(last_reading(daemon, FIRST_NUMBER) + 7)
    assert persian_digits(reading) in await typed(operator, session, code, reading)

    operator.ussd.type(session, "1")
    bill = shown(session)
    await _killed(operator, daemon)
    assert "شناسه پرداخت" in await bill
    assert _readings(daemon) == 1
    assert len(session.screens) == len(set(session.screens))
    assert not daemon.complaints()


LORESTAN = """
ussd = "default"

[smsc]
control = "smsc.sock"

[[lines]]
number = "100066133"
profile = "lorestan-water"
binds = ["operator"]

[[lines]]
number = "*1522#"
profile = "lorestan-water"
binds = ["operator"]
sms_line = "100066133"
"""


@pytest_twisted.ensureDeferred
async def test_the_menu_is_walked_from_a_terminal(operator: Operator, daemons: Daemons) -> None:
    """Annex 3 by hand and dialled at once; what is to be kept comes as a text."""
    daemon = daemons(operator.port, more=LORESTAN)
    database = Database(daemon.url)
    keys, today = Keys(KEY.encode()), datetime.now(TEHRAN).date()
    demo.fill(database, keys, today=today, utility="lorestan-water", subscribers=3)
    database.close()
    number = demo.number_of(1, "lorestan-water")
    code = code_of(int(number), "lorestan-water")
    door = await open_door(operator, str(daemon.data / "smsc.sock"), lambda: None)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")

    by_hand = await daemon.peyk(
        "ussd", "--from", "09161234567", "--script", f"1,1,{number},{code},1", "*1522#"
    )
    assert by_hand.returncode == 0, by_hand.stderr
    screens = by_hand.stdout.split("┌")[1:]
    assert "آبفای لرستان" in screens[0]
    assert "۲ حق انشعاب" in screens[1]
    assert persian_digits(number) in screens[-2]
    assert "SMS from 100066133:" in screens[-1].splitlines()

    at_once = await daemon.peyk(
        "ussd", "--from", "09161234568", "--json", "--script", "", f"*1522*2*1*{number}*{code}#"
    )
    (balance,) = json.loads(at_once.stdout)["screens"]
    assert "ریال" in balance["text"]
    await door.stopListening()
    assert not daemon.complaints()
