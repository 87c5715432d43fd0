"""Troubles that are caused, one after the other: each is told once, and once that it is over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest_twisted

from gateway.messages import DeliveryState
from tests.acceptance.conftest import Daemons, Operator
from tests.acceptance.test_campaign import Campaigns
from tests.listeners import Address
from tests.ports import free_port
from tests.waiting import until

SETTINGS = """
[[panels]]
name = "kave"
kind = "kavenegar"
url = "http://127.0.0.1:{port}"
key = "a-key-of-the-panel"

[alerts]
bind_down = 1
failures_window = 1
failures_least = 1
calm = 1
disk_free = 1000000000000
[alerts.webhook]
url = "{url}"
secret = "a secret of enough letters"
"""


@pytest_twisted.ensureDeferred
async def test_each_trouble_is_told_when_it_comes_and_when_it_goes(
    operator: Operator, daemons: Daemons
) -> None:
    """A panel that is away, a full disk, an operator that refuses, mobiles that are not reached."""
    address = Address()
    more = SETTINGS.format(port=free_port(), url=address.url)
    daemon = daemons(operator.port, more=more, binds=("operator", "kave"))

    def told() -> list[tuple[str, str]]:
        found = [json.loads(posted.body) for posted in address.posted]
        return [(each["state"], each["trouble"]) for each in found]

    async def until_told(state: str, trouble: str) -> None:
        await until(lambda: (state, trouble) in told(), f"{trouble} is {state}")

    campaigns = Campaigns(daemon)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    await until_told("open", "disk")
    await until_told("open", "panel_down:kave")

    # Part of a campaign is refused, and of the rest every receipt says that it failed.
    operator.faults.refuse, operator.faults.refuse_status = campaigns.expected().total(), 0x0B
    operator.settings = replace(operator.settings, receipt_state=DeliveryState.UNDELIVERABLE)
    await campaigns.peyk("start", "bills")
    await until_told("open", "refused:operator")
    await until_told("open", "undelivered:operator")

    for trouble in ("refused:operator", "undelivered:operator"):
        await until_told("ended", trouble)
    assert all(told().count(each) == 1 for each in told())
    await address.stop()
