"""What staff look up and send, on both engines: searches, records, mobiles, messages sent once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update

from core.bill_sheets import find_sheet
from core.contact_changes import AlreadyRegistered, ConfirmFirst, ContactChange, add_contact
from core.database import Database
from core.demo import fill
from core.ids import IdMaker
from core.new_messages import AlreadySent, NewMessage, NobodyWantsIt, send
from core.secrecy import Keys
from core.subscribers import Detail, SubscriberFilter, find_subscriber, search
from core.subscribers import names as subscriber_names
from core.subscribers.names import search_by_name
from core.subscribers.records import contacts_of, newest_reading, records_of
from core.tables import bills, contacts, manual_replies, outbox, readings, subscribers, suppressions

NOW = 1_790_000_000_000
KERMAN, LORESTAN = "kerman-water", "lorestan-water"
MOBILE, OTHER = "989131234567", "989131234568"
IDS = IdMaker(0, lambda: NOW)


@pytest.fixture
def counter(database: Database, keys: Keys) -> Database:
    """Two subscriptions of one utility, the first with a name to look for; one of another."""
    for utility, count in ((KERMAN, 2), (LORESTAN, 1)):
        fill(database, keys, subscribers=count, today=date(2026, 9, 21), utility=utility)

    def change(connection: Connection) -> None:
        connection.execute(contacts.delete())
        first = select(func.min(subscribers.c.id)).where(subscribers.c.utility == KERMAN)
        named = {"name": "علی‌رضا ۱۰۰٪_نژاد آرائی", "meter_serial": "AB-7"}
        whose = subscribers.c.id == first.scalar_subquery()
        connection.execute(update(subscribers).where(whose).values(named))

    database.transact("change", change)
    return database


def first_of(counter: Database) -> Detail:
    """The subscription with the name."""
    found = counter.read("first", search, SubscriberFilter(utilities=[KERMAN], said="AB-7"))
    detail = counter.read("detail", find_subscriber, found[0].id)
    assert detail is not None
    return detail


def test_a_search_goes_by_whatever_names_a_subscription(counter: Database) -> None:
    """Numbers in any digits, with what people put between them; words of a name in any order."""
    mine = first_of(counter)
    change = ContactChange(mine.id, MOBILE, NOW)
    counter.transact("contact", lambda c: add_contact(c, IDS, change, confirmed=False))

    def found(said: str, *utilities: str, **more: Any) -> list[int]:
        wanted = SubscriberFilter(utilities=utilities or (KERMAN,), said=said, **more)
        if wanted.is_name:
            return [row.id for row in search_by_name(counter, wanted, most=10).rows]
        return [row.id for row in counter.read("search", search, wanted)]

    persian = mine.number.translate({ord(str(n)): chr(0x6F0 + n) for n in range(10)})
    assert mine.bill_id is not None
    for said in (
        mine.number, persian, f"{mine.number[:2]} {mine.number[2:]}", mine.bill_id, "AB-7",
        "0913 123 4567", "+989131234567", "نژاد", "نژاد علیرضا", "٪_", "علي",
        "ارایی", "آرائي", "عليرضا أرايى",
    ):  # fmt: skip
        assert found(said) == [mine.id], said
        assert found(said, LORESTAN) == [], said
    for said in ("", " ", "ن", "%", "AB-8", "09131234568", "نژاد دیگر", "\\", "ارانی"):
        assert found(said) == [], said
    every = found("علیرضا", before=mine.id)
    assert every == []


def test_a_name_is_looked_for_in_pieces(counter: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more records than that at once; what was not reached is come to when one goes on."""
    mine = first_of(counter)  # the oldest record of the two
    monkeypatch.setattr(subscriber_names, "PIECE", 1)
    wanted = SubscriberFilter(utilities=[KERMAN], said="نژاد", limit=51)
    rows, reached = search_by_name(counter, wanted, most=1)
    assert rows == []
    found: list[int] = []
    while reached is not None:
        rows, reached = search_by_name(counter, replace(wanted, before=reached), most=1)
        found += [row.id for row in rows]
    assert found == [mine.id]
    whole = search_by_name(counter, wanted, most=10)
    assert ([row.id for row in whole.rows], whole.reached) == ([mine.id], None)
    full = search_by_name(counter, replace(wanted, limit=1), most=10)
    assert (len(full.rows), full.reached) == (1, None), "a full page goes on from its last row"


def test_records_are_the_newest_of_each_kind(counter: Database) -> None:
    """And a bill can be handed out again, with the digits of its barcode."""
    mine = first_of(counter)
    records = counter.read("records", records_of, mine, 3)
    assert [row.issued_at for row in records.bills] == sorted(
        (row.issued_at for row in records.bills), reverse=True
    )
    assert (len(records.bills), len(records.readings), records.requests) == (3, 3, [])
    assert records.last is not None
    sheet = counter.read("sheet", find_sheet, records.bills[0].id)
    assert sheet is not None
    assert (sheet.is_newest, len(sheet.barcode)) == (True, 26)
    assert sheet.amount + sheet.owed_before - sheet.carried == sheet.payable
    older = counter.read("sheet", find_sheet, records.bills[1].id)
    assert older is not None
    assert not older.is_newest
    assert counter.read("sheet", find_sheet, 10**15) is None
    assert counter.read("newest", newest_reading, mine.id) == records.readings[0].id
    counter.transact("no", lambda c: c.execute(readings.delete()))
    assert counter.read("newest", newest_reading, mine.id) == 0


def test_a_second_mobile_is_said_twice(counter: Database) -> None:
    """As by text; nothing is changed by the first time."""
    mine = first_of(counter)

    def add(mobile: str, *, confirmed: bool = False) -> list[str]:
        change = ContactChange(mine.id, mobile, NOW)
        counter.transact("add", lambda c: add_contact(c, IDS, change, confirmed=confirmed))
        return [each.mobile for each in counter.read("contacts", contacts_of, mine.id)]

    assert add(MOBILE) == [MOBILE]
    for confirmed in (False, True):
        with pytest.raises(AlreadyRegistered):
            add(MOBILE, confirmed=confirmed)
    with pytest.raises(ConfirmFirst) as asked:
        add(OTHER)
    assert asked.value.count == 1
    assert add(OTHER, confirmed=True) == [MOBILE, OTHER]


def test_a_form_sends_once_and_not_to_whom_wants_none(counter: Database) -> None:
    """Whoever comes second learns which message was made; nothing is left of what was not sent."""
    no = {"utility": KERMAN, "mobile": OTHER, "topic": "notices", "reason": "asked", "note": ""}
    counter.transact("no", lambda c: c.execute(insert(suppressions).values(**no, since=1)))

    def form(name: str, *mobiles: str) -> list[int]:
        about = (KERMAN, "100034122", mobiles, ["a", "b"], None, "zahra", name, NOW)
        return counter.transact("send", send, IDS, NewMessage(*about))

    (made,) = form("one", MOBILE, OTHER, MOBILE)
    with pytest.raises(AlreadySent) as before:
        form("one", MOBILE)
    assert before.value.outbox_id == made
    with pytest.raises(NobodyWantsIt):
        form("two", OTHER)
    assert len(form("three", MOBILE, "989131234569")) == 2
    rows = counter.read("rows", lambda c: c.execute(select(outbox)).all())
    assert [row.mobile for row in rows].count(OTHER) == 0
    assert len(rows) == 6
    by_hand = counter.read("by hand", lambda c: c.execute(select(manual_replies)).all())
    assert sorted(str(row.form) for row in by_hand) == ["None", "one", "three"]


def test_a_mid_period_bill_is_told_line_by_line(counter: Database) -> None:
    """As it was stored: what it is made of, and what was carried over."""
    mine = first_of(counter)
    line = {
        "code": "water.1", "title": "water", "quantity": "25/2", "rate": "1518", "amount": 18_975,
        "first": "2026-08-01", "end": "2026-09-01",
    }  # fmt: skip

    def store(connection: Connection) -> int:
        row = {
            "subscriber_id": mine.id, "period": "mid", "amount": 18_975, "payable": 18_000,
            "carried": 975, "issued_at": NOW, "kind": "mid_period", "lines": json.dumps([line]),
        }  # fmt: skip
        key: int = connection.execute(insert(bills).values(row).returning(bills.c.id)).scalar_one()
        return key

    sheet = counter.read("sheet", find_sheet, counter.transact("store", store))
    assert sheet is not None
    assert [each.as_plain() for each in sheet.lines] == [line]
    assert (sheet.owed_before, sheet.carried, sheet.barcode) == (0, 975, "")
