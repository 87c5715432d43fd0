"""What the daemon does with its database besides batches: recover, tidy, count what is left.

All of it blocks: it runs before the reactor does, or on the database's threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from core.access.logins import drop_old_failures
from core.access.sessions import drop_old_sessions
from core.batch import Desk, Done
from core.database import Database, DatabaseUnavailable
from core.minutes import KEPT_MS, forget_counts
from core.nodes.number import Node
from core.recovery import InHand, recover_after_outage, recover_after_start, tidy
from core.sending import depths

log = structlog.get_logger(__name__)


class Upkeep:
    """Keeps what is stored true to what this node has in hand."""

    def __init__(
        self, database: Database, node: Node, desk: Desk, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._node = node
        self._desk = desk
        self._now = now_ms

    def recover(self) -> None:
        """Settle what an earlier run of this node has left. Raises ``DatabaseUnavailable``."""
        suspects, messages = self._database.transact(
            "recover", recover_after_start, self._desk, self._now()
        )
        if suspects or messages:
            log.warning("daemon.recovered", suspects=suspects, unsettled_messages=messages)

    def recover_again(self, in_hand: InHand, now: int) -> None:
        """After an outage: the node's lock may have gone with the database's connection."""
        self._node.hold()
        self._database.transact("recover", recover_after_outage, self._desk.node, in_hand, now)

    def tidy(self, now: int) -> Done:
        """Renew the lease, and put away what is over. Raises ``DatabaseUnavailable``."""
        # A server that was restarted while nothing happened has forgotten whose node it is.
        self._node.hold()
        self._database.transact("tidy.records", _tidy_records, now)
        return self._database.transact("tidy", tidy, self._desk, now)

    def left(self) -> dict[str, Any]:
        """What the next start will go on with, for the last line of the log."""
        try:
            found = self._database.read("left", depths, self._now())
        except DatabaseUnavailable as error:
            return {"left": "not known", "error": str(error)}
        return {"left_to_send": found.waiting, "left_uncertain": found.sending}


def _tidy_records(connection: Any, now: int) -> None:
    drop_old_sessions(connection, now)
    drop_old_failures(connection, now)
    forget_counts(connection, now - KEPT_MS)
