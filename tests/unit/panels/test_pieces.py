"""The pure pieces of panels: ids of attempts, when states are asked for, how values are read."""

from __future__ import annotations

from typing import Any

import pytest

from core.outbox import Outgoing
from gateway.panels.mail import as_mail
from gateway.panels.owed import LONGEST, Owed
from gateway.panels.reading import at, identity, instant, items, number, text

HOUR = 3_600.0


def row(part: int = 1, parts: int = 1, message: int = 70, attempts: int = 0) -> Outgoing:
    """A part of a message."""
    about = ("989131234567", "100034122", f"({part})", part, parts, message, 1, attempts)
    return Outgoing(message + part - 1, *about, 5, resend_uncertain=True, expires_at=None)


def test_each_attempt_of_a_message_has_an_id_of_its_own() -> None:
    """The same wherever and whenever it is made, and small enough for every panel."""
    (first,) = as_mail([row()])
    (again,) = as_mail([row(attempts=1)])
    (other,) = as_mail([row(message=71)])
    ids = [first.local_id(0), first.local_id(1), other.local_id(0)]
    assert len(set(ids)) == 3
    assert all(0 < each < 1 << 62 for each in ids)
    assert again.as_text().local_id == first.local_id(1)
    assert as_mail([row()])[0].local_id(0) == ids[0]


def test_parts_that_are_neighbours_go_as_one_text() -> None:
    """In their order; what lies between two that are elsewhere goes alone."""
    rows = [row(part, 5) for part in (5, 2, 1, 4)] + [row(message=80)]
    texts = [mail.as_text().text for mail in as_mail(rows)]
    assert texts == ["(1)(2)", "(4)(5)", "(1)"]


def test_states_are_asked_for_ever_more_seldom() -> None:
    """Until the panel knows no more; in the order in which they are due."""
    owed = Owed(first=10, forget=48 * HOUR)
    owed.add(["a", "b"], 0, 0)
    assert owed.due(5, 9) == []
    assert owed.due(1, 10) == ["a"]
    assert owed.due(5, 10) == ["b"]
    asked, now = 0, 10.0
    owed.settle("b")
    while len(owed):
        now += 1
        asked += len(owed.due(5, now))
    assert now == pytest.approx(48 * HOUR, abs=LONGEST)
    assert 40 < asked < 100


def test_what_could_not_be_stored_is_asked_for_soon() -> None:
    """And what is settled is not asked for at all."""
    owed = Owed(first=10, forget=48 * HOUR)
    owed.add(["a"], 0, 8 * HOUR)
    assert owed.due(5, 8 * HOUR) == ["a"]
    owed.soon(["a", "unknown"], 8 * HOUR)
    assert owed.due(5, 8 * HOUR + 10) == ["a"]
    owed.settle("a")
    assert owed.due(5, 20 * HOUR) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1_790_000_000, 1_790_000_000_000),
        ("1790000000", 1_790_000_000_000),
        (1_790_000_000_123, 1_790_000_000_123),
        ("2026-09-21 17:43:20", 1_790_000_000_000),
        ("2026-09-21T14:13:20+00:00", 1_790_000_000_000),
        (None, None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_instants_of_panels(written: Any, read: int | None) -> None:
    """Seconds, milliseconds, or a time of Tehran."""
    assert instant(written) == read


def test_values_are_found_however_they_are_wrapped() -> None:
    """Numbers and texts are the same, and nothing is nothing."""
    data = {"return": {"status": 200}, "entries": [{"id": "7"}], "one": {"id": 8.0}}
    assert text(at(data, "return.status")) == "200"
    assert [text(at(item, "id")) for item in items(data, "entries")] == ["7"]
    assert [text(at(item, "id")) for item in items(data, "one")] == ["8"]
    assert items(data, "none") == []
    assert at(data, "return.status.more") is None
    assert [identity(each) for each in (0, "0", -1, None, 12)] == ["", "", "", "", "12"]


@pytest.mark.parametrize(
    ("code", "found"),
    [("411", 411), ("-12", -12), ("", 0), ("E7", 0), ("--5", 0), ("8792343123456789012345", 0)],
)
def test_a_code_is_stored_as_a_number_where_it_is_a_short_one(code: str, found: int) -> None:
    """Some panels put an id there; a result that cannot be stored would be sent again."""
    assert number(code) == found
