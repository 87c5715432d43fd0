"""The daemons that share a database, and what part of each bind's rate belongs to which.

Each daemon says once a second that it lives, which binds it has up, and which *share* of each
bind's rate it sends at: millionths, never more than a million for all of them together. So a
bind is never faster than its rate, whoever comes and goes:

- Shares are written one daemon after the other, under a lock. Who wants more takes no more
  than the others have left, so a newcomer has none until they have shrunk.
- A daemon that has too much first slows down, and says so afterwards.
- A share is its daemon's for ``LAPSE_MS`` from the last time that it was heard of, by the
  database's clock. The daemon itself counts from before it asked, so that it has stopped by
  the time others take the share.

What a daemon was to send is taken over by another one when it has not been heard of for a
lease. One that lives after all hears of it at its next beat, and sends nothing until then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Connection, delete, select, text, update

from core.bulk import Upsert, as_rows, put_rows, unfolded
from core.database import by_index_only
from core.sending import recover
from core.suspects import recover_suspects
from core.tables import IS_SENDING, nodes, outbox

WHOLE: Final = 1_000_000
"""The shares of a bind's rate together."""
LAPSE_MS: Final = 6_000
"""For how long a daemon that is not heard of keeps its shares."""
FORGOTTEN_MS: Final = 3_600_000
"""For how long it is remembered, once others have taken over what it was to send."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(:space, 0)")
_LOCK_SPACE: Final = 0x7065796E
"""Besides those of nodes and of the scheduler."""
_CLOCK: Final = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
_PATIENCE: Final = text(
    # A daemon that is stopped in the midst of this must not stop the others.
    "SELECT set_config('idle_in_transaction_session_timeout', '2000', true), "
    "set_config('lock_timeout', '3000', true)"
)
_PUT: Final = Upsert(
    nodes,
    ("node", "started_at", "seen_at", "version", "host", "binds_up", "taken_over_at"),
    ("node",),
)


class Me(NamedTuple):
    """What a daemon says of itself."""

    node: int
    started_at: int
    """UTC milliseconds: with its node number, which process it is."""
    version: str
    host: str


class Peer(NamedTuple):
    """A daemon as it is stored."""

    node: int
    started_at: int
    seen_at: int
    """When it was last heard of: UTC milliseconds of the database's clock."""
    version: str
    host: str
    binds: Mapping[str, int]
    """The binds that it has up, each with its share of the rate."""
    taken_over_at: int | None
    """When another daemon took what this one was to send, for it was not heard of."""
    unseen_ms: int
    """For how long it has not been heard of."""

    @property
    def is_alive(self) -> bool:
        """Whether it has been heard of lately."""
        return self.unseen_ms <= LAPSE_MS

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it, and nobody need know of it any more."""
        return self.taken_over_at is not None and self.unseen_ms > FORGOTTEN_MS


class Beaten(NamedTuple):
    """What a daemon is told when it says that it lives."""

    shares: Mapping[str, int]
    """For each bind that it has up, the share at which it may send from now on."""
    others: tuple[Peer, ...]
    is_new: bool
    """Whether it was not known, or was given up: what it had in hand may be another's now."""

    def shrinks(self, applied: Mapping[str, int]) -> bool:
        """Whether somebody waits for what this daemon is to let go of."""
        return any(share < applied.get(bind, 0) for bind, share in self.shares.items())


def share_out(
    applied: Mapping[str, int], others: Iterable[Peer]
) -> tuple[dict[str, int], dict[str, int]]:
    """Which shares a daemon is to write, and at which it may send: by bind. Pure.

    ``applied``: the binds that it has up, with the shares at which it sends until it hears
    the answer.
    """
    living = [peer.binds for peer in others if peer.is_alive]
    written: dict[str, int] = {}
    sent: dict[str, int] = {}
    for bind, now in applied.items():
        theirs = [binds[bind] for binds in living if bind in binds]
        fair = WHOLE // (len(theirs) + 1)
        free = max(0, WHOLE - sum(theirs))
        sent[bind] = min(fair, free)
        # What it has is its own until it has heard that it is to have less.
        written[bind] = max(now, sent[bind])
    return written, sent


def beat(
    connection: Connection, me: Me, applied: Mapping[str, int], now: int | None = None
) -> Beaten:
    """Say that a daemon lives, and hear what is its share; see ``share_out``.

    ``now`` is the database's clock unless it is said.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_PATIENCE)
        connection.execute(_LOCK, {"space": _LOCK_SPACE})
    if now is None:
        now = connection.execute(_CLOCK).scalar_one()
    found = {peer.node: peer for peer in read_nodes(connection, now)}
    mine = found.pop(me.node, None)
    if mine is None or mine.started_at != me.started_at or not mine.is_alive:
        # Others may have taken what it had; it does not send at that any more.
        applied = dict.fromkeys(applied, 0)
    is_new = mine is None or mine.started_at != me.started_at or mine.taken_over_at is not None
    others = tuple(found.values())
    written, shares = share_out(applied, others)
    row = (me.node, me.started_at, now, me.version, me.host, json.dumps(written), None)
    put_rows(connection, _PUT, [row])
    forgotten = [peer.node for peer in others if peer.is_over]
    if forgotten:
        connection.execute(delete(nodes).where(nodes.c.node.in_(forgotten)))
    remembered = tuple(peer for peer in others if peer.node not in forgotten)
    return Beaten(shares, remembered, is_new)


def read_nodes(connection: Connection, now: int) -> list[Peer]:
    """Read the daemons that are remembered, by number."""
    rows = connection.execute(select(*_COLUMNS).order_by(nodes.c.node))
    return [_peer(row, now) for row in rows]


def _peer(row: Any, now: int) -> Peer:
    node, started_at, seen_at, version, host, binds, taken_over_at = row
    up = json.loads(binds)
    return Peer(node, started_at, seen_at, version, host, up, taken_over_at, now - seen_at)


def is_still(connection: Connection, me: Me) -> bool:
    """Whether no other process goes by this daemon's number."""
    started_at = connection.scalar(select(nodes.c.started_at).where(nodes.c.node == me.node))
    return started_at in (None, me.started_at)


def take_over(connection: Connection, gone: Peer, now: int, since: int) -> int | None:
    """Queue what a daemon was to send that is gone; how much that was.

    What came to it from ``since`` on and may not be acknowledged is suspected.

    None when it has been heard of again, or another daemon was quicker.
    """
    still_gone = (
        nodes.c.node == gone.node,
        nodes.c.started_at == gone.started_at,
        nodes.c.seen_at == gone.seen_at,
        nodes.c.taken_over_at.is_(None),
    )
    # Whoever comes back by this number waits for us here, and hears of it.
    given_up = update(nodes).where(*still_gone).values(taken_over_at=now, binds_up="{}")
    if connection.execute(given_up).rowcount != 1:
        return None
    by_index_only(connection)
    recover_suspects(connection, gone.node, since)
    return recover(connection, gone.node, (), now)


def taken_from(connection: Connection, node: int, ids: Collection[int]) -> set[int]:
    """Which of these rows are not this daemon's to send any more."""
    if not ids:
        return set()
    by_index_only(connection)
    mine = (
        select(_asked.c.id)
        .join_from(_asked, outbox, outbox.c.id == _asked.c.id)
        .where(text(IS_SENDING), outbox.c.node == node)
    )
    return set(ids).difference(connection.scalars(mine, as_rows((key,) for key in ids)))


def leave(connection: Connection, me: Me) -> None:
    """Say that a daemon ends: its shares are free at once."""
    mine = (nodes.c.node == me.node, nodes.c.started_at == me.started_at)
    connection.execute(delete(nodes).where(*mine))


_asked = unfolded({"id": BigInteger()}, "asked")
_COLUMNS = tuple(nodes.c[name] for name in _PUT.columns)
