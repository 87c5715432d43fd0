"""The threads that wait for the database, so that the reactor's does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from core.database import Database
from gateway.precedence import Precedence

R = TypeVar("R")


class Workers:
    """A thread that writes, two that read, and one each for signs of life, reports, campaigns."""

    def __init__(self, database: Database, reactor: Any) -> None:
        self.precedence = Precedence()
        """Of the batches, before what is done on the threads that read."""
        self._database = database
        self._reactor = reactor
        self._writer = ThreadPool(1, 1, "database")
        self._readers = ThreadPool(0, 2, "reads")
        self._beats = ThreadPool(0, 1, "beats")
        self._reports = ThreadPool(0, 1, "reports")
        self._bulk = ThreadPool(0, 1, "bulk")
        self._pools = (self._writer, self._readers, self._beats, self._reports, self._bulk)

    def start(self) -> None:
        """Start the threads; what was asked of them before is done now."""
        for pool in self._pools:
            pool.start()

    def stop(self) -> None:
        """End them, and wait for what they are doing."""
        for pool in self._pools:
            pool.stop()

    def in_writer(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run on the one thread that writes to the database."""
        return deferToThreadPool(self._reactor, self._writer, function, *args)

    def in_reader(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run where nothing is written: on threads that do not hold up the batches."""
        return deferToThreadPool(self._reactor, self._readers, self._after_batch, function, *args)

    def _after_batch(self, function: Callable[..., R], *args: Any) -> R:
        self.precedence.give_way()
        return function(*args)

    def in_beats(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run where nobody else keeps anybody waiting.

        But for SQLite: there one writes at a time whatever the thread, and what another
        connection writes costs the one of the batches all that it has in memory.
        """
        return deferToThreadPool(self._reactor, self._beside(self._beats), function, *args)

    def in_bulk(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run a piece of long work that writes; beside the batches, but for SQLite as above."""
        return deferToThreadPool(self._reactor, self._beside(self._bulk), function, *args)

    def _beside(self, pool: ThreadPool) -> ThreadPool:
        return self._writer if self._database.is_sqlite else pool

    def put_back(self) -> Deferred[None]:
        """Empty SQLite's write-ahead log on a thread that nobody waits for."""
        return deferToThreadPool(self._reactor, self._beats, self._database.put_back)

    def in_report(self, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run what takes seconds, one after the other."""
        return deferToThreadPool(self._reactor, self._reports, function, *args)

    def transact(self, name: str, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run in a transaction of that name, on the thread that writes."""
        return self.in_writer(self._database.transact, name, function, *args)

    def read(self, name: str, function: Callable[..., R], *args: Any) -> Deferred[R]:
        """Run in a transaction of that name that writes nothing, beside the batches."""
        return self.in_reader(self._database.read, name, function, *args)
