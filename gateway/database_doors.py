"""How those who work on the reactor's thread get at the database: on other threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from core.database import Database


class Doors(NamedTuple):
    """The database, and the threads that go to it."""

    database: Database
    in_reader: Callable[..., Deferred[Any]]
    """``in_reader(function, *arguments)``: on a thread that holds nobody up."""
    in_writer: Callable[..., Deferred[Any]]
    """The same on the thread that writes."""
    in_bulk: Callable[..., Deferred[Any]]
    """The same for pieces of long work: where they hold nobody up, if the database allows it."""

    def read(self, name: str, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Run a transaction that only reads."""
        return self.in_reader(self.database.read, name, function, *arguments)

    def transact(self, name: str, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Run a transaction that writes."""
        return self.in_writer(self.database.transact, name, function, *arguments)
