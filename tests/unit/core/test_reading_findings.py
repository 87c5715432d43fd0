"""What the checks say of a reading afterwards, and lists of readings page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from core.database import Database
from core.policy import Policy
from core.readings import ReadingState
from core.readings.findings import Examined, Finding, examine
from core.readings.lists import ReadingFilter, find_reading, list_readings
from core.tables import bills, readings, subscribers

DAY = 86_400_000
NOW = 1_790_000_000_000
UTILITY = "kerman-water"
BILLED = {"from_reading": 900, "to_reading": 1000, "amount": 1, "payable": 1, "period": "p"}
"""A bill of a hundred units in a hundred days, twenty days before the reading."""


def reading(at: int, figure: int, state: str = "accepted", **more: Any) -> dict[str, Any]:
    """A reading of the subscription, so many days from now."""
    return {
        "id": 100 + at, "subscriber_id": 1, "reading": figure, "read_at": NOW + at * DAY,
        "source": "sms", "state": state, **more,
    }  # fmt: skip


def examined(database: Database, *rows: dict[str, Any], billed: bool = True) -> Examined:
    """What the checks say of the first of these readings."""

    def fill(connection: Connection) -> None:
        connection.execute(
            insert(subscribers).values(
                id=1, utility=UTILITY, number="10000001", changed_at=0, meter_digits=4
            )
        )
        for row in rows:
            connection.execute(insert(readings).values(**row))
        if billed:
            first, last = (
                datetime.fromtimestamp((NOW - days * DAY) / 1000, UTC).date() for days in (120, 20)
            )
            days = {"from_date": first, "to_date": last, "issued_at": NOW - 19 * DAY}
            connection.execute(insert(bills).values(subscriber_id=1, **BILLED, **days))

    database.transact("fill", fill)
    known = database.read("find", find_reading, rows[0]["id"])
    assert known is not None
    return database.read("examine", examine, known, Policy())


CASES: dict[str, tuple[list[dict[str, Any]], set[Finding]]] = {
    "usual": ([reading(0, 1020)], {Finding.FINE}),
    "much": ([reading(0, 1900, "doubtful")], {Finding.MUCH}),
    "below": ([reading(0, 500)], {Finding.BELOW}),
    "rolled over": ([reading(0, 3), reading(-1, 9990)], {Finding.ROLLED_OVER}),
    "too long": ([reading(0, 10_100)], {Finding.TOO_LONG, Finding.MUCH}),
    "later": ([reading(0, 1030), reading(1, 1010)], {Finding.LATER_BELOW}),
    "rejected ones do not count": ([reading(0, 1030), reading(1, 5, "rejected")], {Finding.FINE}),
    "changed meanwhile": (
        [reading(0, 20), reading(-5, 3, meter_state="changed", old_end=1010)],
        {Finding.METER_CHANGED},
    ),
    "changed": ([reading(0, 3, meter_state="changed", old_end=1010)], {Finding.METER_CHANGED}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(sqlite_database: Database, case: str) -> None:
    """The rules for taking a reading, as of when it came."""
    rows, findings = CASES[case]
    assert set(examined(sqlite_database, *rows).findings) == findings


def test_the_use_is_compared_with_the_last_bill(database: Database) -> None:
    """So many times as much a day."""
    found = examined(database, reading(0, 1900, "doubtful"))
    assert (found.used, found.usual) == (900, Fraction(1))
    assert found.a_day == found.times == Fraction(900, found.days)
    assert found.before is not None
    assert found.before.by_bill


def test_without_anything_before_it_there_is_nothing_to_compare(sqlite_database: Database) -> None:
    """Nor with readings that no bill tells the usual use of."""
    assert examined(sqlite_database, reading(0, 50), billed=False).findings == (Finding.FIRST,)


def test_readings_are_listed_page_by_page(database: Database) -> None:
    """Through readings of one instant too, in one state and in all."""
    states = [state.value for state in ReadingState]
    rows = [
        reading(0, place, states[place % 4], source=f"s{place}") | {"id": place}
        for place in range(1, 13)
    ]
    examined(database, *rows, billed=False)
    for state in (None, ReadingState.DOUBTFUL):
        wanted = ReadingFilter(utilities=[UTILITY], state=state, limit=2)
        seen: list[int] = []
        while page := database.read("list", list_readings, wanted):
            seen += [row.id for row in page]
            wanted = ReadingFilter(utilities=[UTILITY], state=state, limit=2, before=page[-1].id)
        mine = [row["id"] for row in rows if state is None or row["state"] == state.value]
        assert seen == sorted(mine, reverse=True)
    assert database.read("list", list_readings, ReadingFilter(utilities=["other"])) == []
    gone = ReadingFilter(utilities=[UTILITY], before=99)
    assert database.read("list", list_readings, gone) == []
