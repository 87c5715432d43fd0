"""Campaigns through real SMPP: every row once though the daemon is killed; paused; cancelled."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest_twisted
from sqlalchemy import case, func, select
from twisted.internet.task import deferLater

from core import demo
from core.database import Database
from core.jalali import TEHRAN
from core.outbox import State
from core.runs.progress import Progress, progress_of
from core.runs.states import Move
from core.runs.store import move
from core.secrecy import Keys
from core.tables import bills, contacts, outbox
from core.templates.store import Draft, add
from core.templates.types import OnReport, Uncertain
from gateway import control
from tests.acceptance.conftest import KEY, WINDOW, Daemon, Daemons, Operator, reactor
from tests.campaigning import DEFINITION, UTILITY
from tests.waiting import until

BODY = "{{ company }}، اشتراک {{ number|fa }}: قبض {{ period|fa }}، {{ payable|rial }} ریال"


class Campaigns:
    """The database of a daemon, looked at from outside."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.database = Database(daemon.url)
        with self.database.engine.connect() as connection:
            self.period = str(connection.scalar(select(func.max(bills.c.period))))
        source = OnReport("bills_of_period", {"period": self.period})
        definition = replace(DEFINITION, trigger=source, uncertain=Uncertain.RESEND)
        draft = Draft(UTILITY, "bills", definition, BODY, "test", 0)
        self.database.transact("test", lambda connection: add(connection, draft, enabled=True))

    async def peyk(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        done = await self.daemon.peyk("campaign", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def progress(self, run_id: int) -> Progress:
        """How far a campaign is."""
        found = self.database.read("test", progress_of, run_id, 0)
        assert found is not None
        return found

    def move(self, run_id: int, wish: Move) -> None:
        """Pause it, or let it go on."""
        self.database.transact("test", move, run_id, wish, 0)
        control.call(self.daemon.control, "wake")

    def is_in(self, run_id: int, state: str) -> bool:
        """Whether it is in this state."""
        return self.progress(run_id).run.state == state

    def expected(self) -> Counter[str]:
        """How many messages each mobile should have."""
        query = (
            select(contacts.c.mobile)
            .join(bills, bills.c.subscriber_id == contacts.c.subscriber_id)
            .where(bills.c.period == self.period)
        )
        with self.database.engine.connect() as connection:
            return Counter(connection.scalars(query))

    def halves(self) -> list[int]:
        """Messages of which some parts were cancelled and others were not."""
        cancelled = func.sum(case((outbox.c.state == State.CANCELLED.value, 1), else_=0))
        query = (
            select(outbox.c.message_id)
            .group_by(outbox.c.message_id)
            .having(cancelled.not_in([0, func.count()]))
        )
        with self.database.engine.connect() as connection:
            return list(connection.scalars(query))

    def made(self, run_id: int) -> Counter[str]:
        """How many messages were made for each mobile."""
        query = select(outbox.c.mobile).where(outbox.c.run_id == run_id, outbox.c.part == 1)
        with self.database.engine.connect() as connection:
            return Counter(connection.scalars(query))


@pytest_twisted.ensureDeferred
async def test_a_campaign_goes_on_after_a_kill(operator: Operator, daemons: Daemons) -> None:
    """No row is made twice and none is left out; only what was in flight may come twice."""
    daemon = daemons(operator.port)
    database = Database(daemon.url)
    today = datetime.now(TEHRAN).date()
    demo.fill(database, Keys(KEY.encode()), today=today, subscribers=1200, bills_each=1)
    database.close()
    campaigns = Campaigns(daemon)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    run_id = int((await campaigns.peyk("start", "bills"))["id"])
    await until(lambda: operator.totals.submits, "the first ones are sent")
    daemon.kill()
    await until(lambda: not daemon.is_running, "the daemon is dead")
    stopped = campaigns.progress(run_id)
    assert stopped.run.rows_read > 0
    await until(lambda: not operator.bound, "the operator sees the loss")
    daemon.start()
    await until(lambda: campaigns.is_in(run_id, "done"), "everything is sent")
    expected = campaigns.expected()
    assert campaigns.made(run_id) == expected
    done = campaigns.progress(run_id).run
    assert (done.rows_read, done.made, done.unwritten) == (1200, expected.total(), 0)
    await until(lambda: len(operator.messages) >= expected.total(), "everything has come")
    got = Counter(message.mobile for message in operator.messages)
    assert got.keys() == expected.keys()
    assert (got - expected).total() <= WINDOW, "no more than was in flight"
    delivered = State.DELIVERED.value
    await until(
        lambda: campaigns.progress(run_id).parts.keys() == {delivered}, "every receipt has come"
    )
    shown = await campaigns.peyk("show", str(run_id))
    assert shown["parts_by_state"] == {delivered: done.parts}
    assert shown["parts_by_group"] == {"delivered": done.parts}
    assert not daemon.complaints()


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_paused_resumed_and_cancelled(
    operator: Operator, daemons: Daemons
) -> None:
    """While it is paused nothing of it is sent; what was not sent when it is cancelled stays."""
    daemon = daemons(operator.port, more="rate = 1")
    campaigns = Campaigns(daemon)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    run_id = int((await campaigns.peyk("start", "bills"))["id"])
    await until(lambda: operator.totals.submits, "the first ones are sent")
    campaigns.move(run_id, Move.PAUSE)
    await until(lambda: campaigns.is_in(run_id, "paused"), "it is paused")
    before = operator.totals.submits
    await deferLater(reactor, 0.5)
    assert operator.totals.submits == before
    assert campaigns.progress(run_id).parts[State.HELD] > 0
    campaigns.move(run_id, Move.RESUME)
    await until(lambda: operator.totals.submits > before, "it goes on")
    assert (await daemon.peyk("campaign", "cancel", str(run_id))).returncode == 0
    await until(lambda: campaigns.is_in(run_id, "cancelled"), "it is cancelled")
    parts = campaigns.progress(run_id).parts
    assert parts[State.CANCELLED] > 0
    assert sum(parts.values()) == campaigns.progress(run_id).run.parts
    assert campaigns.halves() == [], "nobody has half a message"
    sent = sum(count for state, count in parts.items() if state != State.CANCELLED)
    assert sent == operator.totals.submits
    assert not daemon.complaints()
