"""A bind is lost: people hear of it by mail, webhook and SMS; and that it is back."""

from __future__ import annotations

import json

import pytest_twisted

from tests.acceptance.conftest import LINE, Daemons, Operator
from tests.acceptance.test_binds import BIND
from tests.listeners import Address, MailServer
from tests.waiting import until

ADMIN = "989121111111"
# A bind may take longer than a second to come up, where the machine is busy.
ALERTS = """
[alerts]
bind_down = 3
calm = 3
mobiles = ["{admin}"]
line = "{line}"
[alerts.email]
host = "127.0.0.1"
port = {port}
encryption = "none"
sender = "peyk@example.ir"
to = ["ops@example.ir"]
[alerts.webhook]
url = "{url}"
secret = "a secret of enough letters"
"""


@pytest_twisted.ensureDeferred
async def test_people_hear_of_a_bind_that_is_lost(
    operator: Operator, second_operator: Operator, daemons: Daemons
) -> None:
    """Once, over the bind that is left, also across a restart; and once that it is back."""
    mail, address = MailServer(), Address()
    more = BIND.format(name="second", port=second_operator.port, mode="transceiver")
    more += ALERTS.format(admin=ADMIN, line=LINE, port=mail.port, url=address.url)
    daemon = daemons(operator.port, more=more, binds=("operator", "second"))
    daemon.start()
    await until(lambda: operator.bound and second_operator.bound, "both are bound")
    await operator.stop()
    await until(lambda: mail.mails and address.posted, "mail and webhook")
    await until(lambda: second_operator.answers_to(ADMIN), "a text over the other bind")

    daemon.terminate()
    await until(lambda: not daemon.is_running, "the daemon has stopped")
    daemon.start()
    await until(lambda: len(second_operator.bound) == 1, "the second is bound again")
    await operator.open()
    await until(lambda: operator.bound, "the first is bound again")
    await until(lambda: len(address.posted) > 1 and len(mail.mails) > 1, "it is told")
    told = [json.loads(posted.body) for posted in address.posted]
    assert [(each["state"], each["trouble"]) for each in told] == [
        ("open", "bind_down:operator"),
        ("ended", "bind_down:operator"),
    ]
    assert len(mail.mails) == 2
    (listed,) = json.loads((await daemon.peyk("alert", "list", "--json")).stdout)
    assert listed["ended_at"]
    await mail.stop()
    await address.stop()
