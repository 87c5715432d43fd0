"""A session over SMPP with a daemon that is killed in the midst of it."""

from __future__ import annotations

import pytest_twisted
from twisted.internet.defer import Deferred

from core.demo import FIRST_NUMBER, code_of
from core.text import persian_digits
from gateway.smpp.smsc_ussd import HandsetSession
from tests.acceptance.conftest import DEADLINE, Daemon, Daemons, Operator, reactor, until
from tests.acceptance.test_codes import last_reading, query

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
