"""Which daemon this is, among those that share a database.

A node number is held by a lock that the operating system or the database lets go of when
the process ends, however it ends. So a daemon that was killed gets its number back at
once, and with it the work it left.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from core.database import Database, DatabaseUnavailable
from core.ids import COMMANDS_NODE

LOCK_SPACE = 0x7065796C
"""PostgreSQL's advisory locks have two keys: this one says that the other is a node."""


class NodeTaken(Exception):
    """Another daemon has this database."""


class Node:
    """A node number, held until ``release`` or the end of the process."""

    def __init__(self, database: Database) -> None:
        """Take the lowest free number; SQLite has one only. Raises ``NodeTaken``."""
        self._database = database
        self._file: IO[str] | None = None
        self._connection: Connection | None = None
        self._holding = threading.Lock()
        self.number = self._lock_file() if database.is_sqlite else self._lock_number(None)

    def _lock_file(self) -> int:
        name = self._database.url.database
        if not name or name == ":memory:":
            return 0
        path = Path(f"{name}.lock")
        self._file = path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise NodeTaken(
                f"another daemon is running on {name}; stop it first, or use PostgreSQL, "
                "which several daemons can share"
            ) from None
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return 0

    def _lock_number(self, number: int | None) -> int:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for candidate in range(COMMANDS_NODE) if number is None else (number,):
            statement = text("SELECT pg_try_advisory_lock(:space, :node)")
            if connection.execute(statement, {"space": LOCK_SPACE, "node": candidate}).scalar_one():
                self._connection = connection
                return candidate
        connection.close()
        which = f"all {COMMANDS_NODE} nodes" if number is None else f"node {number}"
        raise NodeTaken(f"{which} of {self._database.name} taken by other daemons")

    def hold(self) -> None:
        """See that the number is still ours: the lock ends with its session on the server.

        Raises ``DatabaseUnavailable``, and ``NodeTaken`` when another daemon was quicker.
        """
        if self._database.is_sqlite:
            return
        with self._holding:
            try:
                if self._connection is not None:
                    self._connection.execute(text("SELECT 1"))
                    return
            except DBAPIError:
                self._let_go()
            try:
                self._lock_number(self.number)
            except DBAPIError as error:
                raise DatabaseUnavailable(str(error.orig)) from error

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def release(self) -> None:
        """Let the number go."""
        if self._file is not None:
            self._file.close()
        # A connection that goes back to its pool keeps the lock.
        self._let_go()
