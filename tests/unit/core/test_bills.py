"""What is owed, whatever was billed, paid and corrected; what a bill and a name tell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, insert

from core.bills import LastBill, load_last_bills, units_used
from core.database import Database
from core.particulars import masked_name
from core.tables import bills, corrections, payments
from core.tables import subscribers as subscriber_rows

RIAL = st.integers(1, 10**10)
HAPPENINGS = st.lists(st.tuples(st.sampled_from(("bill", "payment", "correction")), RIAL))


def row_of(kind: str, amount: int, key: int, at: int) -> tuple[Table, dict[str, Any]]:
    """A row of what happened at an instant."""
    match kind:
        case "bill":
            about = {"period": str(at), "amount": amount, "payable": amount, "issued_at": at}
            return bills, {"subscriber_id": key, **about}
        case "payment":
            about = {"utility": "u", "amount": amount, "paid_at": at, "channel": str(key)}
            return payments, {"subscriber_id": key, "reference": str(at), **about}
        case _:
            about = {"amount": amount, "reason": "", "reference": str(at), "at": at}
            return corrections, {"subscriber_id": key, **about}


def owed_after(happened: Iterable[tuple[str, int]]) -> int | None:
    """What is owed, by going through what happened."""
    owed = None
    for kind, amount in happened:
        if kind == "bill":
            owed = amount
        elif owed is not None:
            owed -= amount
    return owed


def test_a_balance_is_what_was_billed_last_less_all_that_came_after(database: Database) -> None:
    """In whatever order they came."""
    ids = count(1)

    def balance(connection: Connection, happened: list[tuple[str, int]]) -> LastBill | None:
        key = next(ids)
        row = {"id": key, "utility": "u", "number": str(key), "changed_at": 0}
        connection.execute(insert(subscriber_rows).values(row))
        for at, (kind, amount) in enumerate(happened):
            table, values = row_of(kind, amount, key, at)
            connection.execute(insert(table).values(values))
        return load_last_bills(connection, [key]).get(key)

    @settings(max_examples=30)
    @given(HAPPENINGS)
    def holds(happened: list[tuple[str, int]]) -> None:
        last = database.transact("balance", balance, happened)
        assert (last.balance if last else None) == owed_after(happened)
        if last:
            assert (last.debt, last.credit) == (max(last.balance, 0), max(-last.balance, 0))

    holds()


@given(st.integers(1, 9), st.data())
def test_a_meter_that_passed_its_highest_figure_has_counted_on(
    digits: int, data: st.DataObject
) -> None:
    """The use is that which makes the one figure the other."""
    figures = st.integers(0, 10**digits - 1)
    before, after = data.draw(figures), data.draw(figures)
    used = units_used(None, before, after, digits)
    assert used is not None
    assert 0 <= used < 10**digits
    assert (before + used) % 10**digits == after


def test_what_a_bill_says_itself_comes_before_its_readings() -> None:
    """A meter may have been changed in between; and where neither is there, nobody knows."""
    assert units_used(7, 100, 50, 5) == 7
    assert units_used(0, 100, 150, 5) == 0
    assert units_used(None, None, 150, 5) is None


@given(st.text())
def test_a_masked_name_shows_first_letters_alone(name: str) -> None:
    """Two characters of one name at the most can be read, and never how long it is."""
    for word in masked_name(name).split(" "):
        assert not word or (len(word) == 4 and word.endswith("***"))


def test_a_masked_name_is_known_again_by_whose_it_is() -> None:
    """The half-space parts words as the space does."""
    assert masked_name("علی ایران‌منش") == "ع*** ا*** م***"
