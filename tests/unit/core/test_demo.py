"""The sample data holds what its documentation and the examples promise."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Table, func, select

from core import demo
from core.identifiers import Check, check_bill_id, check_payment_id, split_bill_id
from core.tables import bills, contacts, instalments, payments, readings, subscribers

if TYPE_CHECKING:
    from core.database import Database
    from core.secrecy import Keys

TODAY = date(2026, 10, 1)
COUNT = 40


@pytest.fixture
def filled(database: Database, keys: Keys) -> Database:
    """A database with a few sample subscribers."""
    demo.fill(database, keys, today=TODAY, subscribers=COUNT)
    return database


def _rows(database: Database, table: Table) -> list[Any]:
    def read(connection: Connection) -> list[Any]:
        return list(connection.execute(select(table).order_by(table.c.id)))

    return database.transact("read", read)


def test_the_first_subscriber_has_the_published_code(filled: Database, keys: Keys) -> None:
    """The README's `010*10000001*4321` is answered."""
    first = _rows(filled, subscribers)[0]
    assert first.number == "10000001"
    assert keys.code_matches(first.code_hash, "kerman-water", "10000001", "4321")


def test_who_is_registered(filled: Database) -> None:
    """The README's mobile needs the code; the documented ones have one or three numbers."""
    number = {row.id: row.number for row in _rows(filled, subscribers)}
    found: dict[str, list[str]] = {}
    for row in _rows(filled, contacts):
        found.setdefault(row.mobile, []).append(number[row.subscriber_id])
    assert "989131234567" not in found
    assert found["989131111111"] == ["10000002"]
    assert found["989132222222"] == ["10000003", "10000004", "10000005"]
    assert found["989133333333"] == ["10000006"]
    assert found["989161234567"] == ["10000008"]
    assert all(len(numbers) == 1 for mobile, numbers in found.items() if mobile[:4] != "9891")


def test_identifiers_are_valid(filled: Database) -> None:
    """Every bill can be paid: its IDs carry right check digits and its payable amount."""
    for bill in _rows(filled, bills):
        assert check_bill_id(bill.bill_id) is Check.VALID
        assert check_payment_id(bill.payment_id, bill.bill_id) is Check.VALID
        assert int(bill.payment_id[:-5]) * 1000 == bill.payable


def test_accounts_add_up(filled: Database) -> None:
    """A payable is what was billed and not paid until then, but for the rest below 1,000."""
    billed: dict[int, int] = {}
    due: dict[int, int] = {}
    paid: dict[int, list[tuple[int, int]]] = {}
    for payment in _rows(filled, payments):
        paid.setdefault(payment.subscriber_id, []).append((payment.paid_at, payment.amount))
    for bill in _rows(filled, bills):
        key = bill.subscriber_id
        billed[key] = billed.get(key, 0) + bill.amount
        before = sum(amount for at, amount in paid.get(key, ()) if at < bill.issued_at)
        assert 0 <= billed[key] - before - bill.payable < 1000
        due[key] = bill.payable + before
    balances = [due[key] - sum(amount for _, amount in paid.get(key, ())) for key in due]
    assert min(balances) < 0 < max(balances)
    assert balances.count(0) > COUNT / 2


def test_readings_are_those_of_the_bills(filled: Database) -> None:
    """A bill's readings follow each other and the newest one is the meter's last reading."""
    last: dict[int, int] = {}
    for bill in _rows(filled, bills):
        assert bill.from_reading == last.get(bill.subscriber_id, bill.from_reading)
        assert bill.from_reading <= bill.to_reading < 10**5
        last[bill.subscriber_id] = bill.to_reading
    newest = {row.subscriber_id: row.reading for row in _rows(filled, readings)}
    assert newest == last


def test_nothing_is_in_the_future(filled: Database) -> None:
    """Whatever happened has happened before today."""
    now = 1_790_800_200_000  # 1 October 2026, midnight in Tehran
    assert max(row.issued_at for row in _rows(filled, bills)) < now
    assert max(row.paid_at for row in _rows(filled, payments)) < now


def test_filling_twice_changes_nothing(filled: Database, keys: Keys) -> None:
    """`make run` fills at every start, on whatever day, and what was changed stays so."""
    before = [_rows(filled, table) for table in (subscribers, bills, payments, readings)]
    demo.fill(filled, keys, today=date(2027, 3, 1), subscribers=COUNT)
    assert [_rows(filled, table) for table in (subscribers, bills, payments, readings)] == before


def test_more_subscribers_are_added_to_those_there(filled: Database, keys: Keys) -> None:
    """A larger sample keeps the smaller one and says the same of it."""
    before = _rows(filled, bills)
    demo.fill(filled, keys, today=TODAY, subscribers=COUNT + 10)
    assert [row for row in _rows(filled, bills) if row in before] == before
    assert len(_rows(filled, subscribers)) == COUNT + 10


def test_the_same_everywhere(database: Database, keys: Keys) -> None:
    """The sample is one on every engine and machine: a known bill is known here."""
    demo.fill(database, keys, today=TODAY, subscribers=1, bills_each=1)
    (bill,) = _rows(database, bills)
    assert (bill.period, bill.bill_id, bill.to_date) == (
        "1405/02",
        "1000000104616",
        date(2026, 8, 2),
    )


def test_without_bills(database: Database, keys: Keys) -> None:
    """A bench may ask for subscribers alone."""
    demo.fill(database, keys, today=TODAY, subscribers=5, bills_each=0)

    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(bills)).scalar_one()

    assert len(_rows(database, subscribers)) == 5
    assert database.transact("count", count) == 0


# --- the utilities of the seeds ---------------------------------------------------------

SERVICES = {
    "kerman-water": "1",
    "lorestan-water": "1",
    "qazvin-gas": "3",
    "qom-power": "2",
    "kohgiluyeh-water": "1",
}


def test_every_utility_has_numbers_and_bills_of_its_kind(database: Database, keys: Keys) -> None:
    """Five in one database, told apart by what their bill IDs say and how long numbers are."""
    for utility in demo.UTILITIES:
        demo.fill(database, keys, today=TODAY, subscribers=6, bills_each=2, utility=utility)
    companies = set()
    for row in _rows(database, subscribers):
        assert check_bill_id(row.bill_id) is Check.VALID
        parts = split_bill_id(row.bill_id)
        assert parts.service == SERVICES[row.utility]
        assert len(row.number) == (12 if row.utility == "qazvin-gas" else 8)
        companies.add((row.utility, parts.company))
    assert len(companies) == len({company for _, company in companies}) == len(SERVICES)
    subscriptions = {row.id: row.bill_id for row in _rows(database, subscribers)}
    assert all(row.bill_id == subscriptions[row.subscriber_id] for row in _rows(database, bills))


@pytest.mark.parametrize("utility", SERVICES)
def test_the_first_of_each_utility_has_the_published_code(
    sqlite_database: Database, keys: Keys, utility: str
) -> None:
    """And the second the mobile that examples name: one place is like another."""
    demo.fill(sqlite_database, keys, today=TODAY, subscribers=2, bills_each=0, utility=utility)
    first, second = _rows(sqlite_database, subscribers)
    assert first.number == demo.number_of(1, utility)
    assert keys.code_matches(first.code_hash, utility, first.number, "4321")
    (contact,) = _rows(sqlite_database, contacts)
    assert (contact.mobile, contact.subscriber_id) == ("989131111111", second.id)


def test_some_pay_their_connection_in_instalments(filled: Database) -> None:
    """Every fifth; seven are paid, the eighth is overdue, the rest are to come."""
    numbers = {row.id: row.number for row in _rows(filled, subscribers)}
    found: dict[tuple[str, str], list[Any]] = {}
    for row in _rows(filled, instalments):
        found.setdefault((numbers[row.subscriber_id], row.plan), []).append(row)
    assert ("10000005", "water") in found
    assert ("10000005", "wastewater") not in found
    assert ("10000010", "wastewater") in found
    for plan in found.values():
        assert [row.number for row in plan if row.paid_at] == list(range(1, 8))
        unpaid = [row for row in plan if not row.paid_at]
        assert [row.due_date < TODAY for row in unpaid] == [True, False, False, False, False]
        for row in plan:
            assert check_payment_id(row.payment_id, row.bill_id) is Check.VALID


def test_a_bill_says_what_its_readings_do(filled: Database) -> None:
    """Its use is their difference."""
    assert all(row.used == row.to_reading - row.from_reading for row in _rows(filled, bills))
