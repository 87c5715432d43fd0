"""Sessions over HTTP with a daemon that runs: each dialect, the real menu, and a kill."""

from __future__ import annotations

import json
from typing import Any

import pytest_twisted
import treq
from twisted.web.http_headers import Headers

from gateway.settings.doors import HttpDialect
from tests.acceptance.conftest import Daemons, Operator
from tests.contract.ussd.over_http import SECRET, HttpPhone
from tests.ports import free_port
from tests.waiting import until

MOBILE = "989160000001"
SETTINGS = """
[web]
listen = "127.0.0.1:{port}"
url = "http://127.0.0.1:{port}"

{doors}

[[lines]]
number = "*1522#"
profile = "lorestan-water"
binds = {names}
"""
DOOR = """
[[ussd_doors]]
name = "{name}"
dialect = "{name}"
path = "/ussd/{name}"
secret = "{secret}"
"""


class Gateway:
    """A gateway that posts to a daemon's door."""

    def __init__(self, port: int, dialect: HttpDialect) -> None:
        self.dialect = dialect
        self.url = f"http://127.0.0.1:{port}/ussd/{dialect}"

    async def post(self, kind: str, body: str) -> bytes:
        """Post; the answer must be one."""
        status, answer = await self.ask(kind, body)
        assert status == 200
        return answer

    async def ask(self, kind: str, body: str, secret: str = SECRET) -> tuple[int, bytes]:
        """Post; status and body."""
        headers = Headers({"content-type": [kind], "authorization": [f"Bearer {secret}"]})
        response: Any = await treq.post(
            self.url, data=body.encode(), headers=headers, persistent=False
        )
        return response.code, await response.content()


@pytest_twisted.ensureDeferred
async def test_sessions_go_on_after_a_kill(operator: Operator, daemons: Daemons) -> None:
    """The next input finds the session in its row, whichever dialect it comes in."""
    names, port = [dialect.value for dialect in HttpDialect], free_port()
    doors = "".join(DOOR.format(name=name, secret=SECRET) for name in names)
    more = SETTINGS.format(port=port, doors=doors, names=json.dumps(names))
    daemon = daemons(operator.port, more=more)
    daemon.start()
    await daemon.until_health_door()
    phones = []
    for number, dialect in enumerate(HttpDialect):
        phone = HttpPhone(Gateway(port, dialect), f"98916000000{number}")
        menu = await phone.dial("*1522#")
        assert menu.asks
        assert "بدهی" in menu.text
        phones.append(phone)
    debts = [await phone.type("2") for phone in phones]
    assert len(set(debts)) == 1

    daemon.kill()
    await until(lambda: not daemon.is_running, "the daemon is gone")
    daemon.start()
    await daemon.until_health_door()
    for phone in phones:
        assert await phone.type("0") == menu
    deep = [await phone.dial("*1522*2#") for phone in phones]
    assert set(deep) == set(debts)
    for phone in phones:
        await phone.abort()

    found = (await daemon.health())["doors"]
    assert [door["name"] for door in found] == names
    assert [(door["requests"], door["screens"]) for door in found] == [(3, 2)] * 3
    assert daemon.complaints() == []
