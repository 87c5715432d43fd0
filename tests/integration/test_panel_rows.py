"""What the database does for SMS panels: whole messages, one id for all parts, texts once."""

from __future__ import annotations

from sqlalchemy import select

from core.database import Database
from core.outbox import Answer, Outgoing, Result, Sent, State, store_answers
from core.panels import Awaited, awaited, has_handed_over, note_seen, seen
from core.receipts import ReceiptFor, store_receipts
from core.results import store_results
from core.sending import claim
from core.tables import outbox
from tests.conftest import NOW_MS

LINE, MOBILE = "100034122", "989131234567"
FIRST = (NOW_MS - 1_735_689_600_000) << 22


def long_messages(database: Database, count: int) -> None:
    """Messages of three parts each."""
    answers = [
        Answer(
            range(FIRST + 3 * n, FIRST + 3 * n + 3),
            n,
            MOBILE,
            LINE,
            list("abc"),
            None,
            NOW_MS,
            None,
        )
        for n in range(count)
    ]
    database.transact("store", store_answers, answers, 0)


def take(database: Database, limit: int) -> list[Outgoing]:
    """What a daemon claims."""
    return database.transact("claim", claim, 0, [LINE], limit, NOW_MS)


def states(database: Database) -> list[str]:
    """Of each row."""
    query = select(outbox.c.state).order_by(outbox.c.id)
    return database.read("states", lambda connection: list(connection.scalars(query)))


def test_a_claim_does_not_cut_through_a_message(database: Database) -> None:
    """Whoever sends it as one text would otherwise send a piece of it."""
    long_messages(database, 3)
    assert [row.part for row in take(database, 4)] == [1, 2, 3, 1, 2, 3]
    assert [row.part for row in take(database, 4)] == [1, 2, 3]
    assert take(database, 4) == []


def test_one_receipt_settles_all_parts_that_have_its_id(database: Database) -> None:
    """A panel has one id for the whole message; so too for a receipt that was early."""
    long_messages(database, 2)
    rows = take(database, 6)
    early = ReceiptFor("panel", "B", State.DELIVERED, "1", NOW_MS)
    database.transact("early", store_receipts, [early], NOW_MS)
    sent = [Sent(row, Result.ACCEPTED, "panel", "AB"[n // 3], 0) for n, row in enumerate(rows)]
    database.transact("sent", store_results, sent, NOW_MS)
    assert states(database) == ["accepted"] * 3 + ["delivered"] * 3
    failed = ReceiptFor("panel", "A", State.UNDELIVERABLE, "11", NOW_MS)
    database.transact("receipt", store_receipts, [failed], NOW_MS)
    assert states(database) == ["undeliverable"] * 3 + ["delivered"] * 3


def test_what_a_panel_still_owes_is_found_after_a_start(database: Database) -> None:
    """Each id once, of this panel alone, in pages."""
    long_messages(database, 3)
    rows = take(database, 9)
    whose = ["panel", "panel", "other"]
    sent = [
        Sent(row, Result.ACCEPTED, whose[n // 3], f"i{n // 3}", 0) for n, row in enumerate(rows)
    ]
    database.transact("sent", store_results, sent, NOW_MS)
    first = database.read("awaited", awaited, "panel", NOW_MS - 1_000, 0, 4)
    assert (first.found, first.last_id) == (
        [Awaited("i0", NOW_MS), Awaited("i1", NOW_MS)], rows[3].id,
    )  # fmt: skip
    rest = database.read("awaited", awaited, "panel", NOW_MS - 1_000, first.last_id, 100)
    assert (rest.found, rest.last_id) == ([Awaited("i1", NOW_MS)], 0)
    assert database.read("awaited", awaited, "panel", NOW_MS + 1_000, 0, 100).found == []


def test_texts_are_remembered_for_as_long_as_a_panel_may_repeat_them(database: Database) -> None:
    """By panel; a mark that is noted again is no mistake."""
    assert not database.read("any", has_handed_over, "panel")
    database.transact("note", note_seen, "panel", [1, 2], NOW_MS)
    database.transact("note", note_seen, "panel", [2, 3], NOW_MS + 1)
    assert database.read("seen", seen, "panel", [1, 2, 3, 4]) == {1, 2, 3}
    assert database.read("seen", seen, "other", [1]) == set()
    database.transact("later", note_seen, "panel", [], NOW_MS + 7 * 86_400_000 + 1)
    assert database.read("seen", seen, "panel", [1, 3]) == {3}
