"""What an operator does to messages by hand: sends them again, or gives up on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, case, select, update

from core.attempts import keep_overwritten
from core.box_filters import OutboxFilter, wanted_ids
from core.browse import messages
from core.bulk import as_rows, unfolded
from core.database import by_index_only
from core.outbox import State
from core.tables import outbox

RESENDABLE = frozenset(
    {
        State.REJECTED,
        State.UNDELIVERABLE,
        State.EXPIRED,
        State.UNCERTAIN,
        State.CANCELLED,
    }
)
CANCELLABLE = frozenset({State.QUEUED, State.WAITING, State.HELD})

AT_ONCE = 250
"""Messages that one transaction resends or cancels: some twenty milliseconds."""

_NOT_RESENDABLE = {
    State.QUEUED: "it has not been sent yet",
    State.WAITING: "it will be tried again by itself",
    State.HELD: "its campaign is paused; `peyk campaign resume` lets it go on",
    State.SENDING: "it is being sent now",
    State.ACCEPTED: "the operator has it and has not said what became of it",
    State.DELIVERED: "it has been delivered",
    State.SUPPRESSED: "this mobile wants no messages",
}
_NOT_CANCELLABLE = {
    State.SENDING: "it is being sent now",
    State.CANCELLED: "it is cancelled already",
}
_NO_SUCH = "there is no such message"
_NO_WORDS = "its words are no longer kept"
_HAS_WORDS = outbox.c.text != ""
"""What is past its retention is emptied; nobody is to get an empty message."""


class Acted(NamedTuple):
    """What became of a wish to resend or cancel."""

    done: tuple[int, ...]
    refused: dict[int, str]
    """By message id, why not."""


Act = Callable[[Connection, Sequence[int], int], Acted]


def resend(connection: Connection, ids: Sequence[int], now_ms: int) -> Acted:
    """Queue again those parts of messages that failed, are uncertain, or were cancelled.

    Earlier attempts stay counted and one more is granted. A validity that was set starts
    anew.
    """
    by_index_only(connection)
    parts = _parts_of(connection, ids)
    _keep_attempts(connection, parts)
    again = {
        "state": State.QUEUED.value,
        "due_at": now_ms,
        "changed_at": now_ms,
        "error": None,
        # The receipt of an earlier submission must not settle the new one.
        "smsc": None,
        "smsc_id": None,
        "max_attempts": case(
            (outbox.c.max_attempts > outbox.c.attempts, outbox.c.max_attempts),
            else_=outbox.c.attempts + 1,
        ),
        "expires_at": outbox.c.expires_at - outbox.c.created_at + now_ms,
    }
    done = _change(connection, parts, RESENDABLE, again, _HAS_WORDS)
    return _acted(connection, ids, done, _NOT_RESENDABLE, _NO_WORDS)


def cancel(connection: Connection, ids: Sequence[int], now_ms: int) -> Acted:
    """Give up on those parts of messages that have not been handed to a bind."""
    by_index_only(connection)
    gone = {"state": State.CANCELLED.value, "changed_at": now_ms, "over_at": now_ms}
    done = _change(connection, _parts_of(connection, ids), CANCELLABLE, gone)
    return _acted(connection, ids, done, _NOT_CANCELLABLE, "it has left already")


def rehearse(connection: Connection, act: Act, ids: Sequence[int], now_ms: int) -> Acted:
    """What ``resend`` or ``cancel`` would do: it is done, and taken back before it is seen."""
    with connection.begin_nested() as savepoint:
        acted = act(connection, ids, now_ms)
        savepoint.rollback()
    return acted


def matching(connection: Connection, wanted: OutboxFilter, states: Collection[State]) -> list[int]:
    """Ids of the messages that a filter finds and that have a part in one of ``states``.

    To be resent or cancelled a piece at a time (``pieces``): a million at once would hold up
    everybody else.
    """
    return list(connection.scalars(wanted_ids(wanted, states)))


def pieces(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids in lots that one transaction can take without anybody waiting long for it."""
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def _parts_of(connection: Connection, ids: Sequence[int]) -> list[int]:
    """The rows of these messages: their ids follow each other."""
    if not ids:
        return []
    found = connection.execute(_FIRST_PARTS, as_rows((key,) for key in ids))
    return [row.id + place for row in found for place in range(row.parts)]


def _keep_attempts(connection: Connection, parts: Sequence[int]) -> None:
    """What becomes of a message is about to be overwritten: its history keeps it."""
    if parts:
        failed = outbox.c.state.in_(sorted(state.value for state in RESENDABLE))
        keep_overwritten(connection, _IS_MINE & failed, as_rows((key,) for key in parts))


def _change(
    connection: Connection,
    parts: Sequence[int],
    allowed: Collection[State],
    values: dict[str, Any],
    condition: ColumnElement[bool] | None = None,
) -> set[int]:
    """Set ``values`` on the parts that are in an ``allowed`` state; the messages they are of."""
    if not parts:
        return set()
    # The state is asked for in the statement itself: a daemon may take a part meanwhile.
    changed = (
        update(outbox)
        .where(_IS_MINE, outbox.c.state.in_(sorted(state.value for state in allowed)))
        .values(values)
        .returning(outbox.c.message_id)
    )
    if condition is not None:
        changed = changed.where(condition)
    return set(connection.scalars(changed, as_rows((key,) for key in parts)))


def _acted(
    connection: Connection,
    ids: Sequence[int],
    done: Collection[int],
    reasons: Mapping[State, str],
    otherwise: str,
) -> Acted:
    left = [key for key in dict.fromkeys(ids) if key not in done]
    states = {message.id: State(message.state) for message in messages(connection, left)}
    refused = {
        key: reasons.get(states[key], otherwise) if key in states else _NO_SUCH for key in left
    }
    return Acted(tuple(key for key in dict.fromkeys(ids) if key in done), refused)


_ids = unfolded({"id": BigInteger()})
_FIRST_PARTS = select(outbox.c.id, outbox.c.parts).join_from(
    _ids, outbox, (outbox.c.id == _ids.c.id) & (outbox.c.part == 1)
)
_IS_MINE = outbox.c.id.in_(select(_ids.c.id))
