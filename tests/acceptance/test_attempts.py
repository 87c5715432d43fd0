"""Messages of a template over real SMPP: tried again, refused by a block list, opted out of."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest_twisted
from sqlalchemy import Connection, insert

from core.database import Database
from core.ids import ids_for_command
from core.policies import store_policy
from core.tables import outbox, templates
from core.templates.types import SendPolicy
from core.told import show_with_history
from gateway import control
from gateway.messages import DeliveryState
from tests.acceptance.conftest import LINE, Daemons, Operator
from tests.waiting import until

TEMPORARY, UNDELIVERED, BLOCKED, UNWILLING = (f"98913123450{place}" for place in range(4))
SOON = SendPolicy((1,), 0, (), frozenset({"undeliverable"}))


def queue(url: str, mobiles: Sequence[str]) -> list[int]:
    """Put a message of a template into the outbox for each of these."""

    def work(connection: Connection) -> list[int]:
        now = time.time_ns() // 1_000_000
        about = {"utility": "kerman-water", "topic": "bills", "required": False, "changed_by": ""}
        times = {"version": 1, "enabled": False, "created_at": now, "changed_at": now}
        made = connection.execute(insert(templates).values(name=f"t{now}", **about, **times))
        policy = store_policy(connection, SOON)
        keys = list(ids_for_command(lambda: now).take(len(mobiles)))
        for key, mobile in zip(keys, mobiles, strict=True):
            row: dict[str, Any] = {
                "id": key, "message_id": key, "part": 1, "parts": 1, "mobile": mobile,
                "line": LINE, "text": "قبض", "priority": 3, "state": "queued", "attempts": 0,
                "max_attempts": 3, "resend_uncertain": False, "created_at": now, "due_at": now,
                "changed_at": now, "expires_at": now + 600_000, "policy_id": policy,
                "template_id": made.inserted_primary_key[0] if made.inserted_primary_key else 0,
            }  # fmt: skip
            connection.execute(insert(outbox).values(row))
        return keys

    database = Database(url)
    keys: list[int] = database.transact("test", work)
    database.close()
    return keys


def told(url: str, keys: Sequence[int]) -> list[tuple[str, list[str]]]:
    """What is known of messages: the state, and what happened to it."""
    database = Database(url)
    found = [database.read("test", show_with_history, key) for key in keys]
    database.close()
    return [(one[0].state, [each.result for _, each in one[1]]) for one in found if one]


@pytest_twisted.ensureDeferred
async def test_every_attempt_is_made_and_told(operator: Operator, daemons: Daemons) -> None:
    """A busy operator, a mobile out of reach, a block list, and somebody who has had enough."""
    daemon = daemons(operator.port, more="blocked_codes = [0x401]")
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    await daemon.until_health_door()

    def tell(*mobiles: str) -> list[int]:
        keys = queue(daemon.url, mobiles)
        control.call(daemon.control, "wake")
        return keys

    operator.faults.refuse, operator.faults.refuse_status = 1, 0x08
    [busy] = tell(TEMPORARY)
    await until(lambda: operator.answers_to(TEMPORARY), "it is tried again")

    await until(lambda: operator.totals.receipts == 1, "its receipt is sent")
    operator.settings = replace(operator.settings, receipt_state=DeliveryState.UNDELIVERABLE)
    [away] = tell(UNDELIVERED)
    await until(lambda: operator.totals.receipts == 2, "it is taken, and its receipt is sent")
    operator.settings = replace(operator.settings, receipt_state=DeliveryState.DELIVERED)
    await until(lambda: len(operator.answers_to(UNDELIVERED)) == 2, "it is tried again")

    operator.faults.refuse, operator.faults.refuse_status = 1, 0x401
    [blocked] = tell(BLOCKED)
    await until(lambda: operator.faults.refuse == 0, "it is refused")

    assert "فرستاده نمی‌شود" in await operator.ask(UNWILLING, "لغو ۱۱")
    unwanted, again, last = tell(UNWILLING, BLOCKED, TEMPORARY)
    await until(lambda: len(operator.answers_to(TEMPORARY)) == 2, "who wants it gets it")
    settled = [
        ("delivered", ["temporary", "accepted", "delivered"]),
        ("delivered", ["accepted", "undeliverable", "accepted", "delivered"]),
        ("suppressed", ["blocked"]),
        ("suppressed", []),
        ("suppressed", []),
        ("delivered", ["accepted", "delivered"]),
    ]
    keys = [busy, away, blocked, unwanted, again, last]
    await until(lambda: told(daemon.url, keys) == settled, "all is settled and told")
    ran = await daemon.peyk("optout", "list", "--reason", "blocked", "--json")
    assert [(one["mobile"], one["note"]) for one in json.loads(ran.stdout)] == [(BLOCKED, "1025")]
    assert not daemon.complaints()
