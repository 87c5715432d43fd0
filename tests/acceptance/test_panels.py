"""A daemon whose line prefers SMPP and falls back to a panel, which posts texts to it."""

from __future__ import annotations

import json

import pytest_twisted
import treq

from tests.acceptance.conftest import LINE, Daemons, Operator
from tests.contract.panels.servers import KEY, THEIR_LINE, FakeKavenegar
from tests.ports import free_port
from tests.waiting import until

MOBILE = "989131234567"
SECRET = "a-secret-of-enough-letters"
SETTINGS = """
[web]
listen = "127.0.0.1:{port}"
url = "http://127.0.0.1:{port}"

[[panels]]
name = "kave"
kind = "kavenegar"
url = "{url}"
key = {{ file = "kave.key" }}
senders = {{ {line} = "{their_line}" }}
push_path = "/panels/kave"
push_secret = "{secret}"
rate = 50
poll = 0.2
credit_low = 5000
"""


@pytest_twisted.ensureDeferred
async def test_a_line_falls_back_to_a_panel(
    operator: Operator, daemons: Daemons, postgresql_filled: str
) -> None:
    """And goes back; what comes through the panel is answered whichever way is there."""
    panel = FakeKavenegar()
    url = panel.listen()
    port = free_port()
    more = SETTINGS.format(port=port, url=url, line=LINE, their_line=THEIR_LINE, secret=SECRET)
    daemon = daemons(operator.port, url=postgresql_filled, more=more, binds=("operator", "kave"))
    (daemon.data / "kave.key").write_text(f"{KEY}\n")
    await operator.stop()
    daemon.start()
    await daemon.until_health_door()
    await daemon.until_health(lambda found: found["panels"][0]["up"], "the panel is up")

    text = {"from": MOBILE, "to": THEIR_LINE, "message": "9", "messageid": "1"}
    for _ in range(2):
        posted = await treq.post(
            f"http://127.0.0.1:{port}/panels/kave/{SECRET}", data=text, persistent=False
        )
        assert posted.code == 200
        await posted.content()
    await until(lambda: panel.taken, "the panel takes the answer")
    panel.settle(0, "delivered")
    await daemon.until_health(
        lambda found: found["panels"][0]["states"] == 1, "its state is asked for"
    )
    found = await daemon.peyk("outbox", "list", "--json")
    assert [each["state"] for each in json.loads(found.stdout)] == ["delivered"]
    said = await daemon.health()
    assert "panel kave has 1,000 of credit left (limit: 5,000)" in said["problems"]

    # Paused, it is asked nothing, and told to post again; what comes waits for the bind.
    paused = await daemon.peyk("service", "pause", "panel:kave")
    assert paused.returncode == 0, paused.stderr
    posted = await treq.post(
        f"http://127.0.0.1:{port}/panels/kave/{SECRET}",
        data=text | {"messageid": "2"},
        persistent=False,
    )
    assert posted.code == 503
    await posted.content()
    await daemon.peyk("service", "resume", "panel:kave")
    await operator.open()
    await daemon.until_health(
        lambda found: found["binds"][0]["up"] and found["panels"][0]["up"], "both are up"
    )
    posted = await treq.post(
        f"http://127.0.0.1:{port}/panels/kave/{SECRET}",
        data=text | {"messageid": "2"},
        persistent=False,
    )
    assert posted.code == 200
    await posted.content()
    # Through the panel it came, and so its answer goes.
    await until(lambda: len(panel.taken) == 2, "it is answered")
    daemon.terminate()
    await until(lambda: not daemon.is_running, "it stops in order")
    assert daemon.complaints() == []
    assert KEY not in daemon.said()
    assert SECRET not in daemon.said()
    await panel.port.stopListening()
