"""Another system sends over the API of a daemon that works, and hears what became of it."""

from __future__ import annotations

from typing import Any

import pytest_twisted
import treq
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from tests.acceptance.conftest import Daemons, Operator
from tests.ports import free_port
from tests.waiting import DEADLINE, until

reactor: Any = _reactor
MOBILE = "989131234567"


@pytest_twisted.ensureDeferred
async def test_what_the_api_takes_is_delivered_once(operator: Operator, daemons: Daemons) -> None:
    """By a token that was made beside the daemon; a second time it is only answered again."""
    port = free_port()
    daemon = daemons(operator.port, more=f'[web]\nlisten = "127.0.0.1:{port}"')
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    permissions = ("--may", "message.send", "--may", "outbox.see")
    ran = await daemon.peyk("token", "add", "billing", *permissions)
    assert ran.returncode == 0, ran.stderr
    address = f"http://127.0.0.1:{port}/api/v1/messages"
    headers: Any = {"Authorization": f"Bearer {ran.stdout.strip()}", "Idempotency-Key": "letter-1"}
    asked = {"messages": [{"mobile": MOBILE, "text": "آب شما فردا وصل می‌شود."}]}
    answers = []
    for _ in range(2):
        response = await treq.post(address, headers=headers, json=asked, persistent=False)
        assert response.code == 202, await response.text()
        answers.append(await response.json())
    assert answers[0] == answers[1]
    one = f"{address}/{answers[0]['messages'][0]['id']}"
    await until(lambda: operator.answers_to(MOBILE), "it is sent")
    deadline = reactor.seconds() + DEADLINE
    while True:
        response = await treq.get(one, headers=headers, persistent=False)
        found = await response.json()
        if found["is_final"]:
            break
        assert reactor.seconds() < deadline, found
        await deferLater(reactor, 0.1)
    assert found["state"] == "delivered"
    assert operator.answers_to(MOBILE) == [asked["messages"][0]["text"]]
    assert daemon.complaints() == []
