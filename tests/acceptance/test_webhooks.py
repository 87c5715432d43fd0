"""Another system is told what happens, though the daemon is killed while it tells."""

from __future__ import annotations

import json
from typing import Any

import pytest_twisted
from twisted.web.server import NOT_DONE_YET, Request

from tests.acceptance.conftest import Daemon, Operator
from tests.listeners import Address
from tests.waiting import until

MOBILE = "989131234567"


class Receiver(Address):
    """Takes what is posted, and acknowledges it only when it likes."""

    acknowledges = False

    def render_POST(self, request: Request) -> Any:  # noqa: N802 - Twisted's
        """Keep it."""
        said = super().render_POST(request)
        return said if self.acknowledges else NOT_DONE_YET

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was posted, each time that it was."""
        return [json.loads(each.body) for each in self.posted]


@pytest_twisted.ensureDeferred
async def test_what_was_not_acknowledged_is_told_again_after_a_kill(
    operator: Operator, daemon: Daemon
) -> None:
    """The same call again, by its id; then the rest, and nothing twice or left out."""
    receiver = Receiver()
    url = ("--url", receiver.url, "--topic", "inbound", "--topic", "message.*")
    added = await daemon.peyk("webhook", "add", "crm", *url)
    assert added.returncode == 0, added.stderr
    await operator.ask(MOBILE, "راهنما")
    await until(lambda: receiver.calls, "the call is made")
    daemon.kill()
    await until(lambda: not daemon.is_running, "the daemon is gone")
    receiver.acknowledges = True
    daemon.start()
    await until(lambda: operator.bound, "it is bound again")
    await operator.ask(MOBILE, "راهنما")

    def told() -> list[dict[str, Any]]:
        items: dict[str, list[Any]] = {call["id"]: call["items"] for call in receiver.calls}
        return [item for each in items.values() for item in each]

    def ends() -> list[str]:
        return [item["answers"] for item in told() if item["type"] == "message"]

    await until(lambda: len(ends()) == 2, "both answers are told to have come to their end")
    came = [item["id"] for item in told() if item["type"] == "inbound"]
    assert len(came) == len(set(came)) == 2
    assert sorted(ends()) == sorted(came)
    first = receiver.calls[0]
    assert receiver.calls[1]["id"] == first["id"]
    assert receiver.posted[1].body == receiver.posted[0].body
    await receiver.stop()
