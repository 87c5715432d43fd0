"""Messages of one batch see what the earlier ones did, and all effects are stored."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from core.calls import DONE, Argument, Call, Refusal
from core.database import Database
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bill_recipients, bills, code_failures, readings, subscribers
from core.terms import Terms

NOW = 1_790_000_000_000
UTILITY = "kerman-water"
IDS = IdMaker(0, lambda: NOW)
MOBILE = "989131234567"
RIGHT = {"number": "10000001", "code": "4321"}
WRONG = {"number": "10000001", "code": "0000"}


@pytest.fixture
def utility(database: Database, keys: Keys) -> Database:
    """One subscription with one bill of 40 units in 60 days."""

    def fill(connection: Connection) -> None:
        code_hash = keys.code_hash(UTILITY, "10000001", "4321")
        row = {"id": 1, "utility": UTILITY, "number": "10000001", "code_hash": code_hash}
        connection.execute(insert(subscribers).values(**row, changed_at=0))
        connection.execute(
            insert(bills).values(
                subscriber_id=1,
                period="1405/1",
                from_date=date(2026, 6, 1),
                to_date=date(2026, 7, 31),
                from_reading=1000,
                to_reading=1040,
                amount=1,
                payable=1,
                issued_at=0,
            )
        )

    database.transact("fill", fill)
    return database


def one_batch(database: Database, keys: Keys, *said: tuple[str, dict[str, str]]) -> list[str]:
    """Run these calls of one mobile in one transaction; the kinds of their outcomes."""

    def work(connection: Connection) -> list[str]:
        wanted = []
        for place, (operation, arguments) in enumerate(said):
            asker = Asker(UTILITY, MOBILE, NOW + place, Terms(), "sms", place)
            call = Call(operation, {Argument(key): value for key, value in arguments.items()})
            wanted.append(Wanted(asker, call, REGISTRY[operation].needs))
        facts = Facts.load(connection, IDS, wanted)
        kinds = [
            REGISTRY[call.operation](keys, asker, call, facts).kind for asker, call, _ in wanted
        ]
        facts.store(connection)
        return kinds

    return database.transact("batch", work)


def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    """What is stored."""
    return database.transact("rows", lambda c: [tuple(row) for row in c.execute(select(*columns))])


def test_wrong_codes_of_one_batch_lock_within_it(utility: Database, keys: Keys) -> None:
    """Whoever sends fast does not get more guesses than whoever sends slowly."""
    kinds = one_batch(utility, keys, *[("balance", WRONG)] * 6, ("balance", RIGHT))
    assert kinds == [Refusal.NOT_RECOGNISED] * 4 + [Refusal.LOCKED_OUT] * 3
    assert len(rows(utility, code_failures.c.id)) == 5


def test_a_reading_is_confirmed_within_the_batch_that_brought_it(
    utility: Database, keys: Keys
) -> None:
    """Both texts may wait together while the database is busy; one row comes of them."""
    reading = ("submit_reading", {**RIGHT, "reading": "3000"})
    assert one_batch(utility, keys, reading, reading) == [Refusal.CONFIRM_READING, DONE]
    assert rows(utility, readings.c.reading, readings.c.state) == [(3000, "doubtful")]


def test_bills_asked_for_and_stopped_in_one_batch_are_stopped(
    utility: Database, keys: Keys
) -> None:
    """The last word counts."""
    kinds = one_batch(
        utility, keys, ("bill_by_sms", RIGHT), ("stop_bill_by_sms", {}), ("stop_bill_by_sms", {})
    )
    assert kinds == [DONE, DONE, Refusal.NOT_SUBSCRIBED]
    assert rows(utility, bill_recipients.c.mobile) == []


def test_bills_stopped_and_asked_for_again_in_one_batch_go_on(
    utility: Database, keys: Keys
) -> None:
    """In this order the last word is the other one."""
    one_batch(utility, keys, ("bill_by_sms", RIGHT))
    one_batch(utility, keys, ("stop_bill_by_sms", {}), ("bill_by_sms", RIGHT))
    assert rows(utility, bill_recipients.c.mobile) == [(MOBILE,)]
