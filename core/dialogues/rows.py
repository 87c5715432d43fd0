"""The rows of USSD sessions and of their steps: read and written for a whole batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from core.bulk import Upsert, as_rows, insert_rows, put_rows, unfolded
from core.dialogues.limits import Minute
from core.dialogues.types import Input, Talker
from core.statements import change, fetch
from core.tables import HAS_ENDED, IS_OPEN, ussd_sessions, ussd_steps

BY_MENU: Final = "menu"
BY_USER: Final = "user"
BY_TIMEOUT: Final = "timeout"
BY_REPLACED: Final = "replaced"
BY_EXPIRED: Final = "expired"
BY_LIMIT: Final = "limit"
"""Why a session has ended."""


class Session(NamedTuple):
    """The last session of a mobile."""

    mobile: str
    id: int
    door: str
    network_id: str
    line: str
    utility: str
    state: str
    screen: str
    last_input_id: int
    turn: str
    steps: int
    opened_at: int
    changed_at: int
    expires_at: int
    ended_at: int | None
    ended_by: str | None
    minute_from: int
    minute_inputs: int
    minute_dials: int

    def is_live(self, at: int) -> bool:
        """Whether something may still be answered in it."""
        return self.ended_at is None and at < self.expires_at

    @property
    def minute(self) -> Minute:
        """What the mobile has sent lately."""
        return Minute(self.minute_from, self.minute_inputs, self.minute_dials)

    def with_minute(self, minute: Minute) -> Session:
        """With what the mobile has sent by now."""
        since, inputs, dials = minute
        return self._replace(minute_from=since, minute_inputs=inputs, minute_dials=dials)

    def ended(self, at: int, by: str) -> Session:
        """Over; one that has ended already stays as it was."""
        return self if self.ended_at is not None else self._replace(ended_at=at, ended_by=by)


def begun(one: Input, talker: Talker, minute: Minute) -> Session:
    """A new session, before anything has happened in it."""
    at = one.received_at
    return Session(
        mobile=one.mobile,
        id=one.id,
        door=one.door,
        network_id=one.network_id,
        line=one.line,
        utility=talker.utility,
        state="",
        screen="",
        last_input_id=one.id,
        turn=one.turn,
        steps=0,
        opened_at=at,
        changed_at=at,
        expires_at=at + talker.timeout_ms,
        ended_at=None,
        ended_by=None,
        minute_from=minute.since,
        minute_inputs=minute.inputs,
        minute_dials=minute.dials,
    )


class Step(NamedTuple):
    """What is stored of an input."""

    id: int
    session_id: int
    received_at: int
    bind: str
    line: str
    mobile: str
    event: str
    text: str
    fingerprint: int
    operation: str
    outcome: str
    subscriber_id: int | None
    error: str | None = None


class Found(NamedTuple):
    """A stored session, and the fingerprint of its last input."""

    session: Session
    fingerprint: int


_SESSION = tuple(ussd_sessions.c[name] for name in Session._fields)
_PRINT = ussd_steps.c.fingerprint
_mobiles = unfolded({"mobile": Text()})
_BY_MOBILE = (
    select(*_SESSION, func.coalesce(_PRINT, 0))
    .join_from(_mobiles, ussd_sessions, ussd_sessions.c.mobile == _mobiles.c.mobile)
    .join(ussd_steps, ussd_steps.c.id == ussd_sessions.c.last_input_id, isouter=True)
    # Two daemons may be given the same input; in one order, so that neither waits for ever.
    .order_by(ussd_sessions.c.mobile)
    .with_for_update(of=ussd_sessions)
)
_names = unfolded({"door": Text(), "network_id": Text()})
_BY_NETWORK = (
    select(_names.c.door, _names.c.network_id, ussd_sessions.c.mobile)
    .join_from(
        _names,
        ussd_sessions,
        (ussd_sessions.c.network_id == _names.c.network_id)
        & (ussd_sessions.c.door == _names.c.door),
    )
    .order_by(ussd_sessions.c.changed_at)
)
_UPSERT = Upsert(ussd_sessions, Session._fields, ("mobile",))


def load_sessions(connection: Connection, mobiles: Collection[str]) -> dict[str, Found]:
    """The last session of each of these mobiles, held until the end of the transaction."""
    if not mobiles:
        return {}
    rows = fetch(connection, _BY_MOBILE, as_rows((mobile,) for mobile in sorted(mobiles)))
    return {row[0]: Found(Session._make(row[:-1]), row[-1]) for row in rows}


def mobiles_of(
    connection: Connection, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Whose sessions these are: (door, the network's name) → mobile, the newest of each name."""
    if not names:
        return {}
    return {(row[0], row[1]): row[2] for row in fetch(connection, _BY_NETWORK, as_rows(names))}


def store_sessions(connection: Connection, sessions: Sequence[Session]) -> None:
    """Write each mobile's session in place of its last one; one statement."""
    put_rows(connection, _UPSERT, sessions)


def store_steps(connection: Connection, steps: Sequence[Step]) -> None:
    """Write inputs with what came of them; one statement."""
    insert_rows(connection, ussd_steps, Step._fields, steps)


# --- what time and numbers settle ---------------------------------------------------

_OPEN = text(IS_OPEN)
_OLDEST = (
    select(ussd_sessions.c.mobile)
    .where(_OPEN)
    .order_by(ussd_sessions.c.expires_at)
    .limit(bindparam("most", type_=BigInteger()))
)
_END_OLDEST = (
    update(ussd_sessions)
    .values(ended_at=bindparam("now"), ended_by=BY_EXPIRED)
    .where(ussd_sessions.c.mobile.in_(_OLDEST), _OPEN)
)
_END_EXPIRED = (
    update(ussd_sessions)
    .values(ended_at=ussd_sessions.c.expires_at, ended_by=BY_EXPIRED)
    .where(_OPEN, ussd_sessions.c.expires_at <= bindparam("now"))
)
_FORGET = delete(ussd_sessions).where(text(HAS_ENDED), ussd_sessions.c.ended_at < bindparam("old"))
_COUNT = select(func.count()).select_from(ussd_sessions).where(_OPEN)


def end_oldest(connection: Connection, most: int, now: int) -> int:
    """End so many open sessions, those first that would expire first; returns how many."""
    return change(connection, _END_OLDEST, {"now": now, "most": most})


def end_expired(connection: Connection, now: int) -> int:
    """End what nothing has come in for too long; returns how many."""
    return change(connection, _END_EXPIRED, {"now": now})


def forget_ended(connection: Connection, before: int) -> int:
    """Forget sessions that ended before ``before``, with what was said in them."""
    return change(connection, _FORGET, {"old": before})


def count_open(connection: Connection) -> int:
    """How many sessions are open."""
    return int(fetch(connection, _COUNT)[0][0])
