"""All that is held of one subscriber: found whole, nobody else's, and erased but for the books."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from core.database import Database
from core.demo import fill
from core.ids import first_id_at
from core.personal import Held, PersonalError, erase, exported, held_of, obstacles
from core.secrecy import Keys
from core.tables import (
    bills,
    code_failures,
    contacts,
    events,
    inbox,
    inbox_handling,
    metadata,
    orders,
    outbox,
    payments,
    readings,
    request_documents,
    request_history,
    request_messages,
    requests,
    subscribers,
    suppressions,
    ussd_steps,
)
from tests.conftest import NOW_MS
from tests.rows import filled

UTILITY, LINE = "kerman-water", "100034122"
MINE, SHARED, OTHER = "989121110001", "989121110002", "989121110003"
BOOKS = ("bills", "payments", "corrections", "instalments", "readings", "orders", "requests")


def _both(database: Database, keys: Keys) -> tuple[Any, Any]:
    """Two subscribers with everything; one mobile is registered to both."""
    fill(database, keys, subscribers=4, today=date(2026, 9, 21))
    with database.engine.begin() as connection:
        me, you = connection.execute(select(subscribers).order_by(subscribers.c.id).limit(2))
        connection.execute(contacts.delete())
        for whose, mobiles in ((me, (MINE, SHARED)), (you, (OTHER, SHARED))):
            connection.execute(insert(contacts), [
                filled(contacts, utility=UTILITY, mobile=mobile, subscriber_id=whose.id)
                for mobile in mobiles
            ])  # fmt: skip
            mobile, key = mobiles[0], whose.id
            about = {"mobile": mobile, "line": LINE}
            base = first_id_at(NOW_MS) + 1000 * key
            named = {"subscriber_id": key}
            requested = filled(requests, id=key, utility=UTILITY, tracking=str(key), **named)
            requested |= {"state": "done", "mobile": mobile, "text": "secret", "fields": "{}"}
            for table, row in (
                (inbox, filled(inbox, id=base, text="secret named", **about, **named)),
                (inbox, filled(inbox, id=base + 1, text="secret alone", **about)),
                (inbox, filled(inbox, id=base + 2, text="shared", mobile=SHARED, line=LINE)),
                (inbox_handling, filled(inbox_handling, inbox_id=base, note="secret")),
                (outbox, filled(outbox, id=base, text="secret", part=1, state="delivered",
                                **about, **named)),
                (ussd_steps, filled(ussd_steps, id=base, text="secret", **about)),
                (events, filled(events, id=base, about='{"x": "secret"}', **named)),
                (requests, requested),
                (request_history, filled(request_history, request_id=key, note="secret")),
                (request_messages, filled(request_messages, request_id=key, text="secret")),
                (request_documents, filled(request_documents, request_id=key, content=b"secret")),
                (orders, filled(orders, id=base, mobile=mobile, link=f"link{key}", state="booked",
                                **named)),
                (code_failures, filled(code_failures, utility=UTILITY, number=whose.number,
                                       mobile=OTHER + "9")),
                (suppressions, filled(suppressions, utility=UTILITY, mobile=mobile, reason="asked",
                                      note=f"{whose.name} telephoned")),
            ):  # fmt: skip
                connection.execute(insert(table), row)
            sent = {
                "mobile": mobile,
                "reading": 4321,
                "read_at": 5,
                "source": "sms",
                "note": f"said to {whose.name}",
            }
            connection.execute(insert(readings), filled(readings, **named) | sent)
    return me, you


def _held(database: Database, number: str) -> Held:
    return database.read("test", held_of, UTILITY, number)


def _everything(database: Database) -> dict[str, Sequence[Any]]:
    def read(connection: Any) -> dict[str, Sequence[Any]]:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in metadata.sorted_tables
        }

    return database.read("test", read)


def test_a_subscriber_gets_all_of_its_own_and_nothing_of_others(
    database: Database, keys: Keys
) -> None:
    """Its code's hash is no word for people; what a shared mobile did alone may be others'."""
    me, you = _both(database, keys)
    held = _held(database, me.number)
    told = json.loads(json.dumps(exported(held), ensure_ascii=False))
    assert told["mobiles"] == [MINE]
    assert told["mobiles_of_other_subscriptions_too"] == [SHARED]
    assert [row["text"] for row in told["inbox"]] == ["secret named", "secret alone"]
    for name in ("outbox", "ussd_steps", "events", "requests", "orders", "suppressions",
                 "request_history", "request_messages", "request_documents", "inbox_handling",
                 "code_failures"):  # fmt: skip
        assert len(told[name]) == 1, name
    assert b64decode(told["request_documents"][0]["content"]) == b"secret"
    assert told["bills"]
    assert told["events"][0]["about"] == {"x": "secret"}
    whole = json.dumps(told, ensure_ascii=False)
    assert OTHER not in whole.replace(OTHER + "9", "")
    assert you.name not in whole
    assert me.code_hash not in whole
    assert "link" not in told["orders"][0]
    with pytest.raises(PersonalError, match="no subscription 999"):
        _held(database, "999")


def test_erasing_leaves_the_books_and_everybody_else(database: Database, keys: Keys) -> None:
    """No row of any table names the person; sums of bills and payments are what they were."""
    me, you = _both(database, keys)

    def sums(connection: Any) -> list[Any]:
        of = [func.sum(table.c.amount) for table in (bills, payments)]
        return [connection.scalar(select(each)) for each in of] + [
            connection.scalar(select(func.count()).select_from(metadata.tables[name]))
            for name in BOOKS
        ]

    before, others = database.read("test", sums), _held(database, you.number)
    held = _held(database, me.number)
    assert obstacles(held) == []
    database.transact("test", erase, held, NOW_MS)
    assert database.read("test", sums) == before
    rows = _everything(database)
    named = [name for name, found in rows.items() for row in found if MINE in map(str, row)]
    assert named == ["suppressions"], "who wants no messages stays known"
    left = next(row for row in rows["subscribers"] if row.id == me.id)
    assert (left.name, left.address, left.code_hash, left.number) == ("", "", None, me.number)
    assert me.name not in str(rows)
    again = _held(database, you.number)
    # With the mobile that was registered to both, which now is its own alone.
    for name, found in others.rows.items():
        assert all(row in again.rows[name] for row in found), name
    assert again.subscriber == others.subscriber
    once_more = _held(database, me.number)
    assert set(once_more.counts) <= {*BOOKS, "request_history"}


def test_what_is_under_way_is_ended_first(database: Database, keys: Keys) -> None:
    """An open request, a payment at the bank, a message on its way to the operator."""
    me, _you = _both(database, keys)
    fine = _held(database, me.number)
    with database.engine.begin() as connection:
        connection.execute(update(outbox).values(state="sending"))
        connection.execute(update(requests).values(state="in_review"))
        connection.execute(update(orders).values(state="unknown"))
    found = "; ".join(obstacles(_held(database, me.number)))
    assert "a message is being sent" in found
    assert "requests are open" in found
    assert "payments are under way" in found
    with pytest.raises(PersonalError, match="being sent"):
        database.transact("test", erase, fine, NOW_MS)
    assert _held(database, me.number).counts["inbox"] == 2
