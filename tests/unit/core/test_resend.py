"""Sending again and giving up, on both engines."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from core.box_filters import OutboxFilter
from core.database import Database
from core.outbox import State
from core.resend import CANCELLABLE, RESENDABLE, Acted, cancel, matching, rehearse, resend
from core.sending import claim
from core.tables import outbox

NOW = 1_790_000_000_000
LATER = NOW + 60_000
LINE = "100034122"


def _store(database: Database, first_id: int, *states: str, **values: Any) -> int:
    def work(connection: Connection) -> None:
        for place, state in enumerate(states):
            row: dict[str, Any] = {
                "id": first_id + place,
                "message_id": first_id,
                "part": place + 1,
                "parts": len(states),
                "mobile": "989131234567",
                "line": LINE,
                "text": "…",
                "priority": 0,
                "state": state,
                "attempts": 3,
                "max_attempts": 3,
                "resend_uncertain": False,
                "created_at": NOW,
                "due_at": NOW,
                "changed_at": NOW,
                "smsc": "mci",
                "smsc_id": f"id-{first_id + place}",
            }
            connection.execute(insert(outbox).values(row | values))

    database.transact("test.store", work)
    return first_id


def _rows(database: Database) -> list[Any]:
    def rows(connection: Connection, /) -> list[Any]:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))

    return database.read("test", rows)


def _resend(database: Database, what: Any) -> Acted:
    return database.transact("test.resend", resend, _found(database, what, RESENDABLE), LATER)


def _cancel(database: Database, what: Any) -> Acted:
    return database.transact("test.cancel", cancel, _found(database, what, CANCELLABLE), LATER)


def _found(database: Database, what: Any, states: Collection[State]) -> Any:
    """Ids as they are; those that a filter finds."""
    if isinstance(what, OutboxFilter):
        return database.read("test.matching", matching, what, states)
    return what


def test_a_failed_message_is_queued_again(database: Database) -> None:
    """It is due at once, its attempts stay counted, and it is granted one more."""
    message_id = _store(database, 100, "rejected", expires_at=NOW + 5000)

    assert _resend(database, [message_id]) == Acted((message_id,), {})

    [row] = _rows(database)
    assert (row.state, row.due_at, row.attempts, row.max_attempts) == ("queued", LATER, 3, 4)
    assert row.expires_at == LATER + 5000
    assert row.smsc_id is None


def test_only_the_parts_that_failed_go_again(database: Database) -> None:
    """A part that arrived is not sent twice."""
    _store(database, 100, "delivered", "undeliverable", "accepted")

    _resend(database, [100])

    assert [row.state for row in _rows(database)] == ["delivered", "queued", "accepted"]


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_be_resent_or_says_why_not(sqlite_database: Database, state: State) -> None:
    """No message is silently passed over when it was named."""
    _store(sqlite_database, 100, state.value)

    acted = _resend(sqlite_database, [100])

    if state in RESENDABLE:
        assert acted == Acted((100,), {})
    else:
        assert acted.done == ()
        assert acted.refused[100]
        assert _rows(sqlite_database)[0].state == state.value


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_be_cancelled_or_says_why_not(
    sqlite_database: Database, state: State
) -> None:
    """Only what has not left can be cancelled; for the rest there is a reason."""
    _store(sqlite_database, 100, state.value)

    acted = _cancel(sqlite_database, [100])

    if state in CANCELLABLE:
        assert acted == Acted((100,), {})
        assert _rows(sqlite_database)[0].state == "cancelled"
    else:
        assert acted.done == ()
        assert acted.refused[100]


def test_a_cancelled_message_is_not_claimed_and_a_resent_one_is(database: Database) -> None:
    """What the operator decided is what the daemon then does."""
    _store(database, 100, "queued", attempts=0)
    _store(database, 200, "expired", expires_at=NOW - 1, created_at=NOW - 5000)
    _cancel(database, [100])
    _resend(database, [200])

    claimed = database.transact("test.claim", claim, 0, [LINE], 10, LATER)

    assert [row.id for row in claimed] == [200]


def test_unknown_messages_are_named(database: Database) -> None:
    """An id with a typing error is refused while the others are done."""
    _store(database, 100, "rejected")

    acted = _resend(database, [100, 101])

    assert acted.done == (100,)
    assert acted.refused == {101: "there is no such message"}


def test_a_filter_takes_all_that_can_be_resent(database: Database) -> None:
    """What a filter finds and cannot be resent is no error."""
    for first_id in (100, 200, 300):
        _store(database, first_id, "uncertain")
    _store(database, 400, "delivered")

    acted = _resend(database, OutboxFilter(line=LINE, limit=None))

    assert acted == Acted((300, 200, 100), {})


def test_a_filter_with_a_state_leaves_the_others(database: Database) -> None:
    """Cancelling what waits does not touch what is queued."""
    _store(database, 100, "waiting")
    _store(database, 200, "queued")

    assert _cancel(database, OutboxFilter(state="waiting")).done == (100,)
    assert [row.state for row in _rows(database)] == ["cancelled", "queued"]


def test_nothing_to_do_is_fine(database: Database) -> None:
    """An empty list and a filter that finds nothing change nothing."""
    assert _resend(database, []) == Acted((), {})
    assert _cancel(database, OutboxFilter(mobile="989000000000")) == Acted((), {})


def test_a_rehearsal_changes_nothing(database: Database) -> None:
    """It tells exactly what would be done, and leaves every row as it was."""
    _store(database, 100, "rejected")
    _store(database, 200, "delivered")
    before = _rows(database)

    acted = database.transact("test.rehearse", rehearse, resend, [100, 200], LATER)

    assert acted == Acted((100,), {200: "it has been delivered"})
    assert _rows(database) == before
