"""The daemon's production of campaigns: what it leaves to people's answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock as Reactor

from core.database import Database
from core.demo import fill
from core.runs.producing import Put, put_piece
from core.runs.states import RunState
from core.runs.store import show
from core.secrecy import Keys
from core.tables import bills
from gateway.database_doors import Doors
from gateway.production import Production
from tests.campaigning import maker, save, sources, start
from tests.conftest import Clock

SECONDS = 0.25
"""What each piece keeps the writing thread."""


def test_the_writing_thread_rests_after_each_piece(
    sqlite_database: Database, keys: Keys, now_ms: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the piece took, and the next one is read in that time."""
    database, reactor = sqlite_database, Reactor()
    fill(database, keys, today=date(2026, 9, 21), subscribers=450, bills_each=1)
    with database.engine.connect() as connection:
        period = str(connection.scalar(select(func.max(bills.c.period))))
    start(database, save(database), now_ms(), period=period)
    steps: list[str] = []

    def put_slowly(*arguments: Any) -> Put:
        steps.append("put")
        return put_piece(*arguments)._replace(seconds=SECONDS)

    def at_once(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        if arguments[0] == "run.read":
            steps.append("read")
        return maybeDeferred(function, *arguments)

    monkeypatch.setattr("gateway.production.put_piece", put_slowly)
    production = Production(
        node=1,
        doors=Doors(database, at_once, at_once, at_once),
        maker=maker(now_ms),
        sources=sources(),
        clock=reactor,
        now_ms=now_ms,
        on_queued=lambda: None,
    )
    production.tick()
    assert steps == ["read", "put", "read"]
    reactor.advance(SECONDS * 0.9)
    assert steps == ["read", "put", "read"]
    reactor.advance(SECONDS * 0.2)
    assert steps == ["read", "put", "read", "put", "read"]
    reactor.advance(SECONDS * 1.1)
    assert steps[-2:] == ["read", "put"]
    run = database.read("show", show, 1)
    assert run is not None
    assert run.state is RunState.SENDING
    assert not production.runs
