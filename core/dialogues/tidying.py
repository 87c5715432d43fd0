"""What time alone does to USSD sessions, and how many of them are open."""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlalchemy import Connection

from core.dialogues.exchange import EXPIRED, Exchange
from core.dialogues.rows import count_open, end_expired, forget_ended

FORGET_MS: Final = 6 * 3_600_000
"""How long a session that is over is kept: longer than anybody goes on with one."""


def true_up(connection: Connection, exchange: Exchange) -> None:
    """Count the open sessions: after a start, and now and then, as other daemons open some."""
    exchange.sessions.count = count_open(connection)


def tidy_sessions(connection: Connection, exchange: Exchange, now: int) -> Counter[str]:
    """End what has expired, forget what was over long ago; call it about once a minute."""
    expired = end_expired(connection, now)
    forget_ended(connection, now - FORGET_MS)
    true_up(connection, exchange)
    return Counter({EXPIRED: expired})
