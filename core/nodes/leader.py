"""Which of several daemons is the scheduler: one at a time, and another when that one is gone.

On PostgreSQL a lock that the server lets go of with its session says so; SQLite has one
daemon only. Nothing is made twice if two believe it for a moment, as when a session has just
ended and its daemon has not noticed: what is begun is unique in the database.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.database import Database

_LOCK_SPACE: Final = 0x7065796D
"""Besides the one of nodes."""


class Leadership:
    """The office of the scheduler, as one daemon sees it. For one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Take the office, or see that it is still ours; whether it is.

        False also while the server cannot be reached.
        """
        if self._database.is_sqlite:
            return True
        try:
            if self._connection is None:
                self._connection = self._database.engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
                question = text("SELECT pg_try_advisory_lock(:space, 0)")
                held: bool = self._connection.scalar(question, {"space": _LOCK_SPACE})
            else:
                held = self._connection.scalar(text("SELECT true"))
        except (DBAPIError, PoolTimeout):
            self._let_go()
            return False
        if not held:
            self._connection.close()
            self._connection = None
        return held

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def release(self) -> None:
        """Leave it to another one."""
        if self._connection is not None:
            # The server may take a while to see that a session has ended.
            with suppress(DBAPIError):
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
        self._let_go()
