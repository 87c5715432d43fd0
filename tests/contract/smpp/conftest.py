"""A listener that remembers, and a bind to a simulated operator over loopback TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from gateway.messages import Connection, Delivery, InboundSms, SendResult
from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindSettings
from gateway.smpp.smsc import SimulatedSmsc
from tests.ports import free_port


class Memory:
    """A ``BindListener`` that acknowledges at once and remembers everything."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.results: list[SendResult] = []
        self.shows: list[SendResult] = []
        self.connections: list[Connection] = []
        self.losses: list[str] = []
        self.acknowledges = True
        self._waiters: list[tuple[Callable[[], bool], Deferred[None]]] = []

    @property
    def texts(self) -> list[str]:
        """The texts that came, parts left out."""
        contents = [delivery.content for delivery in self.deliveries]
        return [content.text for content in contents if isinstance(content, InboundSms)]

    def bound(self, bind: str, connection: Connection) -> None:
        """Remember the connection."""
        del bind
        self.connections.append(connection)
        self.check()

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Remember and acknowledge."""
        del bind
        self.deliveries += deliveries
        if self.acknowledges:
            connection.acknowledge([delivery.sequence for delivery in deliveries])
        self.check()

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember the results."""
        del bind, connection
        self.results += results
        self.check()

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember what became of screens."""
        del bind, connection
        self.shows += results
        self.check()

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Remember the reason."""
        del bind, connection
        self.losses.append(reason)
        self.check()

    def check(self, *_: object) -> None:
        """Look whether what somebody waits for has come true."""
        for waiter in list(self._waiters):
            condition, deferred = waiter
            if condition():
                self._waiters.remove(waiter)
                deferred.callback(None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Return a Deferred that fires once the condition holds after some call."""
        waiter: Deferred[None] = Deferred()
        self._waiters.append((condition, waiter))
        self.check()
        return waiter.addTimeout(60, reactor)


@pytest.fixture
def memory() -> Memory:
    """A listener that remembers."""
    return Memory()


Binder = Callable[..., Awaitable[tuple[SimulatedSmsc, SmppBind]]]


@pytest_twisted.async_yield_fixture
async def binder(memory: Memory) -> AsyncIterator[Binder]:
    """Return a function that binds the listener to an operator; cleans up behind it."""
    made: list[tuple[SimulatedSmsc, SmppBind]] = []

    async def bind(smsc: SimulatedSmsc, **settings: Any) -> tuple[SimulatedSmsc, SmppBind]:
        port = await smsc.listen(port=free_port())
        values: dict[str, Any] = {
            "name": "mci",
            "host": "127.0.0.1",
            "port": port,
            "system_id": "peyk",
            "password": "secret",
            "backoff_first": 0.02,
            "unbind_timeout": 0.5,
        }
        service = SmppBind(BindSettings(**{**values, **settings}), memory, reactor)
        made.append((smsc, service))
        service.startService()
        await service.when_bound()
        return smsc, service

    yield bind
    for _, service in made:
        await service.stopService()
    for smsc, _ in made:
        await smsc.stop()
