"""Reading control: what the utility sees, decides, and tells who sent a reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from core.calls import Outcome
from core.database import Database
from core.ids import IdMaker
from core.readings import ReadingState
from core.readings.control import (
    LONGEST_NOTE,
    Decided,
    Decision,
    DecisionError,
    decide,
)
from core.readings.lists import ReadingFilter, list_readings
from core.tables import bills, events, inbox, outbox, readings, subscribers

NOW = 1_790_000_000_000
DAY = 86_400_000
UTILITY = "kerman-water"
MOBILE = "989130000001"
LINE = "100034122"

Judge = Callable[..., Decided]


@pytest.fixture
def utility(database: Database) -> Database:
    """Five readings of one subscription, 1 to 5: one in each state, and one of a reader."""

    def fill(connection: Connection) -> None:
        connection.execute(
            insert(subscribers).values(id=1, utility=UTILITY, number="10000001", changed_at=0)
        )
        connection.execute(
            insert(inbox).values(
                id=9, received_at=0, bind="mci", line=LINE, profile=UTILITY, mobile=MOBILE,
                text="", fingerprint=0, state="answered",
            )
        )  # fmt: skip
        states = ("accepted", "doubtful", "unconfirmed", "rejected")
        for place, state in enumerate(states, 1):
            connection.execute(insert(readings).values(**_reading(place, state)))
        of_reader = _reading(5, "accepted") | {"source": "reader", "mobile": None, "inbox_id": None}
        connection.execute(insert(readings).values(**of_reader))

    database.transact("fill", fill)
    return database


def _reading(place: int, state: str) -> dict[str, Any]:
    return {
        "id": place, "subscriber_id": 1, "reading": 1000 + place, "read_at": NOW + place * DAY,
        "source": "sms", "state": state, "mobile": MOBILE, "inbox_id": 9,
    }  # fmt: skip


def words(utility: str, line: str, outcome: Outcome) -> tuple[str, Sequence[str]]:
    """Two parts: what came of it, and its facts."""
    assert utility == UTILITY
    return line, [outcome.kind, json.dumps(dict(outcome.facts), sort_keys=True)]


def silent(_utility: str, _line: str, _outcome: Outcome) -> None:
    """A profile without words for decisions."""


@pytest.fixture
def judge(utility: Database) -> Judge:
    """Decide on a reading."""
    ids = IdMaker(0, lambda: NOW)

    def run(
        reading: int, state: ReadingState, note: str = "", say: Callable[..., Any] = words
    ) -> Decided:
        decision = Decision(reading, state, "zahra", note, NOW + 10 * DAY)
        return utility.transact("decide", decide, ids, decision, say)

    return run


def rows(utility: Database, *columns: Any) -> list[tuple[Any, ...]]:
    """Some columns of a table."""
    return utility.transact("rows", lambda c: [tuple(row) for row in c.execute(select(*columns))])


def mid_bill(utility: Database, **more: Any) -> None:
    """A mid-period bill of reading 2."""
    row = {
        "subscriber_id": 1, "period": "mid", "to_reading": 1002, "amount": 1, "payable": 1,
        "issued_at": NOW + 2 * DAY, "kind": "mid_period",
    }  # fmt: skip
    utility.transact("bill", lambda c: c.execute(insert(bills).values(**row | more)))


def test_a_decision_says_who_when_and_why(judge: Judge, utility: Database) -> None:
    """It is kept with the reading."""
    decided = judge(2, ReadingState.REJECTED, "رقم خوانا نیست")
    assert decided.reading.state == "rejected"
    columns = (readings.c.state, readings.c.decided_by, readings.c.decided_at, readings.c.note)
    assert ("rejected", "zahra", NOW + 10 * DAY, "رقم خوانا نیست") in rows(utility, *columns)


def test_who_sent_it_is_told_from_the_line_that_was_texted(judge: Judge, utility: Database) -> None:
    """A message of its own, queued in parts."""
    assert judge(2, ReadingState.REJECTED, "خوانا نیست").told == MOBILE
    parts = rows(utility, outbox.c.mobile, outbox.c.line, outbox.c.text, outbox.c.state)
    assert [part[:2] for part in parts] == [(MOBILE, LINE)] * 2
    assert [part[3] for part in parts] == ["queued"] * 2
    assert parts[0][2] == "rejected"
    facts = {"number": "10000001", "reading": 1002, "note": "خوانا نیست", "withdrawn": False}
    assert json.loads(parts[1][2]) == facts


def test_a_decision_is_an_event(judge: Judge, utility: Database) -> None:
    """Accepted and rejected each by its own name."""
    judge(2, ReadingState.ACCEPTED)
    judge(1, ReadingState.REJECTED, "اشتباه")
    found = rows(utility, events.c.kind, events.c.subscriber_id, events.c.mobile)
    assert found == [("reading_accepted", 1, MOBILE), ("reading_rejected", 1, MOBILE)]


def test_a_reading_that_nobody_texted_is_decided_in_silence(
    judge: Judge, utility: Database
) -> None:
    """A reader's has no mobile; and a profile may have no words."""
    assert judge(5, ReadingState.REJECTED).told is None
    assert judge(2, ReadingState.ACCEPTED, say=silent).told is None
    assert rows(utility, outbox.c.id) == []


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ((99, ReadingState.ACCEPTED), "there is no reading 99"),
        ((1, ReadingState.ACCEPTED), "is accepted already"),
        ((4, ReadingState.REJECTED), "is rejected already"),
        ((2, ReadingState.REJECTED, "ا" * (LONGEST_NOTE + 1)), "60 characters"),
    ],
)
def test_decisions_that_cannot_be_made(
    judge: Judge, utility: Database, decision: tuple[Any, ...], why: str
) -> None:
    """Each says why, and changes nothing."""
    with pytest.raises(DecisionError, match=why):
        judge(*decision)
    assert rows(utility, events.c.id) == rows(utility, outbox.c.id) == []
    assert {row[0] for row in rows(utility, readings.c.decided_by)} == {None}


def test_a_rejection_may_be_taken_back(judge: Judge) -> None:
    """People make mistakes at desks too."""
    assert judge(4, ReadingState.ACCEPTED).reading.state == "accepted"


def test_the_bill_of_a_rejected_reading_is_withdrawn(judge: Judge, utility: Database) -> None:
    """What was owed before is owed again, and the subscriber is told that it is void."""
    mid_bill(utility)
    assert judge(2, ReadingState.REJECTED).withdrawn == "mid"
    assert rows(utility, bills.c.id) == []
    assert '"withdrawn": true' in rows(utility, outbox.c.text)[1][0]


def test_a_bill_that_another_stands_on_is_not_withdrawn(judge: Judge, utility: Database) -> None:
    """It takes a correction to put that right, and the reading stays as it is."""
    mid_bill(utility)
    mid_bill(utility, period="next", kind="period", issued_at=NOW + 3 * DAY, to_reading=1100)
    with pytest.raises(DecisionError, match="next stands on it"):
        judge(2, ReadingState.REJECTED)
    assert (2, "doubtful") in rows(utility, readings.c.id, readings.c.state)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"limit": 2}, [5, 4]),
        ({"state": ReadingState.DOUBTFUL}, [2]),
        ({"since": NOW + 2 * DAY, "until": NOW + 4 * DAY}, [3, 2]),
        ({"utility": UTILITY}, [5, 4, 3, 2, 1]),
        ({"utility": "qom-power"}, []),
    ],
)
def test_which_readings_are_listed(
    utility: Database, wanted: dict[str, Any], found: list[int]
) -> None:
    """The newest first, by utility, state and day."""
    listed = utility.read("list", list_readings, ReadingFilter(**wanted))
    assert [row.id for row in listed] == found
